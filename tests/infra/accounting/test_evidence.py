"""What was dropped and what failed is read from where the pipeline leaves it."""

import json

from infra.accounting.evidence import dropped_names, failed_names
from infra.accounting.intervals import IntervalSet
from infra.accounting.reconcile import ProducerEpoch

ONE, TWO = ProducerEpoch("web-1", 7), ProducerEpoch("web/2", 1)


def test_dropped_events_are_named_by_the_transforms_log() -> None:
    said = json.dumps({"dropped": 4, "dropped_seqs": {"web-1/7": "3,5-6", "web/2/1": "9"}})
    found, copies = dropped_names(["START RequestId: x", f"prefix {said}", "{not json", "[1]", "{}"])
    assert found == {ONE: IntervalSet.parse("3,5-6"), TWO: IntervalSet.parse("9")}
    assert sum(copies.values()) == 0


def test_copies_are_counted_within_a_batch_and_over_batches() -> None:
    first = json.dumps({"dropped": 3, "dropped_seqs": {"web-1/7": "3,5"}})
    second = json.dumps({"dropped": 2, "dropped_seqs": {"web-1/7": "5,8"}})
    found, copies = dropped_names([first, second])
    assert found == {ONE: IntervalSet.parse("3,5,8")}
    assert copies == {ONE: 2}


def test_failed_records_are_named_and_those_without_a_name_counted_by_their_bytes() -> None:
    sound = b'{"producer_id":"web-1","epoch":7,"seq":4,"payload":{}}'
    audit = sound.replace(b":4", b":0")
    named, nameless = failed_names([sound, sound, audit, b"\xff", b"\xff", b"{}"])
    assert named == {ONE: IntervalSet.parse("4")}
    assert len(nameless) == 2

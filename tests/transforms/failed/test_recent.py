"""What failed lately, by reason: the newest error objects of each kind, as far as the bounds go."""

from collections.abc import Callable
from datetime import date

import pytest

from tests.golden.poison.corpus import ARRIVAL_MS, corpus
from tests.shop import TABLES
from tests.transforms.failed.memory_bucket import MemoryObjects, error_line
from tests.transforms.failed.replaying import broken, event
from transforms.failed.error_objects import FailedRecord
from transforms.failed.event_review import EventReviewer, keyless_gates
from transforms.failed.index import ACCEPTED_NOW, IndexEntry
from transforms.failed.recent import MOST_SAMPLES, Bounds, Recent, recent
from transforms.failed.records import index
from transforms.failed.replay_ledger import Ledger, ledger_key
from transforms.failed.review import keyless_reviewer

REVIEWER = EventReviewer(keyless_gates(TABLES.values()))
AMPLE = Bounds()
TODAY = date(2026, 11, 24)
FOLDER = "failed/processing-failed/dt=2026-11-{day:02d}/web-1-2026-11-{day:02d}-{hour:02d}-00-00-x"
ROWS = "failed/format-conversion-failed/dt=2026-11-24/a"


def asked(
    objects: MemoryObjects, bounds: Bounds = AMPLE, days: int = 7, clock: Callable[[], float] = lambda: 0.0
) -> Recent:
    return recent(objects, REVIEWER, date(2026, 11, 25 - days), TODAY, clock, bounds)


def filled(days: int = 3, hours: int = 4) -> MemoryObjects:
    """An error object with one event that breaks the contract in each of these hours, the last one today."""
    objects = MemoryObjects()
    for day in range(25 - days, 25):
        for hour in range(hours):
            body = error_line(broken(day * 100 + hour), ARRIVAL_MS + day * 86_400_000 + hour * 3_600_000)
            objects.bodies[FOLDER.format(day=day, hour=hour)] = body
    return objects


def seqs(found: Recent) -> list[int | None]:
    return [sample.seq for reason in found.reasons for sample in reason.samples]


def test_everything_that_failed_is_counted_by_reason_with_a_few_of_the_newest() -> None:
    objects = filled(days=3, hours=4)
    objects.bodies[FOLDER.format(day=24, hour=9)] = error_line(b"nothing", ARRIVAL_MS) + b"no document\n"
    found = asked(objects)
    assert [(each.reason, each.events) for each in found.reasons] == [("wrong_type", 12), ("not_json", 1)]
    assert (found.objects, found.unreadable, found.is_complete) == (13, 1, True)
    wrong = found.reasons[0]
    assert seqs(found)[:MOST_SAMPLES] == [2403, 2402, 2401, 2400, 2303]
    assert (wrong.event_types, wrong.streams, wrong.to_replay) == ({"page_viewed": 12}, {"web": 12}, 0)
    assert wrong.newest == wrong.samples[0].arrival_time


def test_reasons_are_those_that_the_command_lists() -> None:
    objects = MemoryObjects()
    lines = [error_line(raw, ARRIVAL_MS) for _, raw, _ in corpus() if len(raw) < 10_000]
    objects.bodies[FOLDER.format(day=24, hour=1)] = b"".join(lines)
    counted: dict[str, int] = {}
    for entry in index(objects, keyless_reviewer(TABLES.values()), lambda _: None):
        counted[entry.reason] = counted.get(entry.reason, 0) + 1
    assert {each.reason: each.events for each in asked(objects).reasons} == counted
    assert len(counted) > 10


def test_what_failed_behind_the_transformation_has_the_reason_that_firehose_gives() -> None:
    objects = MemoryObjects()
    objects.bodies[ROWS] = error_line(event(1), ARRIVAL_MS, errorCode="DataFormatConversion.ParseError")
    [reason] = asked(objects).reasons
    assert (reason.reason, reason.to_replay) == ("format-conversion-failed", 0)
    assert reason.samples[0].code == "DataFormatConversion.ParseError"


def test_what_passes_now_waits_for_its_replay_until_it_was_replayed() -> None:
    objects, key = MemoryObjects(), FOLDER.format(day=24, hour=1)
    objects.bodies[key] = error_line(event(1), ARRIVAL_MS) + error_line(event(2), ARRIVAL_MS)
    [reason] = asked(objects).reasons
    assert (reason.reason, reason.events, reason.to_replay) == (ACCEPTED_NOW, 2, 2)
    (name,) = objects.names(key)
    Ledger(key, name.tag, landed=frozenset({1})).write(objects)
    assert ledger_key(key) in objects.bodies
    [reason] = asked(objects).reasons
    assert (reason.to_replay, sorted(each.is_replayed for each in reason.samples)) == (1, [False, True])


def test_days_that_were_not_asked_for_are_left_out() -> None:
    assert asked(filled(days=3), days=1).objects == 4
    assert asked(filled(days=3), days=2).objects == 8


@pytest.mark.parametrize(
    ("bounds", "read"),
    [(Bounds(objects=5), 5), (Bounds(size=2_500), 2), (Bounds(seconds=-1), 0)],
    ids=["objects", "size", "seconds"],
)
def test_of_more_than_the_bounds_the_newest_are_read_and_it_is_said(bounds: Bounds, read: int) -> None:
    objects = filled()
    objects.sizes = dict.fromkeys(objects.bodies, 1_000)
    found = asked(objects, bounds)
    assert (found.objects, found.is_complete) == (read, False)
    assert seqs(found) == [2403, 2402, 2401, 2400, 2303][:read]


def test_an_object_that_is_too_large_alone_is_left_out_and_it_is_said() -> None:
    objects = filled(days=1)
    large = FOLDER.format(day=24, hour=3)
    objects.sizes[large] = AMPLE.size + 1
    found = asked(objects)
    assert (found.objects, found.is_complete) == (3, False)
    assert seqs(found) == [2402, 2401, 2400]


def test_a_kind_with_many_objects_leaves_room_for_the_others() -> None:
    objects = filled(days=1, hours=20)
    objects.bodies[ROWS] = error_line(event(1), ARRIVAL_MS)
    found = asked(objects, Bounds(objects=4))
    assert {each.reason: each.events for each in found.reasons} == {
        "wrong_type": 3,
        "format-conversion-failed": 1,
    }


def test_a_reading_that_takes_too_long_ends_between_two_objects() -> None:
    seconds = iter(range(1_000))
    found = asked(filled(days=1, hours=20), Bounds(seconds=30), clock=lambda: float(next(seconds)))
    assert 0 < found.objects < 20
    assert not found.is_complete


def test_samples_say_nothing_that_their_records_say() -> None:
    secret = b"jane.doe@example.com"
    objects = MemoryObjects()
    told = [raw.replace(b"user-4711", secret) for _, raw, _ in corpus() if len(raw) < 10_000]
    objects.bodies[FOLDER.format(day=24, hour=1)] = b"".join(error_line(raw, ARRIVAL_MS) for raw in told)
    objects.bodies[ROWS] = b"".join(error_line(raw, ARRIVAL_MS) for raw in told)
    samples: list[IndexEntry] = [each for reason in asked(objects).reasons for each in reason.samples]
    assert len(samples) > 10
    assert not [each for each in samples if secret.decode() in repr(each)]


def test_an_object_that_expires_meanwhile_holds_nothing() -> None:
    class Gone(MemoryObjects):
        def get(self, key: str) -> bytes | None:
            return None

    objects = Gone()
    objects.bodies = filled(days=1).bodies
    assert (asked(objects).reasons, asked(objects).objects) == ((), 4)


def test_a_record_is_named_as_the_command_names_it() -> None:
    objects, key = MemoryObjects(), FOLDER.format(day=24, hour=1)
    objects.bodies[key] = error_line(broken(1), ARRIVAL_MS)
    [reason] = asked(objects).reasons
    record = FailedRecord(key, 1, "processing-failed", "", "", ARRIVAL_MS, 1, broken(1))
    assert reason.samples[0].record_id == record.record_id

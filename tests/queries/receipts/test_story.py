"""A seeded story on a local cloud, told by receipts: copies, a poison batch, late events, a repair, other SQL."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs

from benchmarks.receipt_lab import explainer_in
from infra.local.cloud import LocalCloud
from queries.engine.port import Reads, Rows
from queries.partitions import Key
from queries.receipts import explaining
from queries.receipts.cell import parse_words
from queries.receipts.comparing import BY_SQL, LATE, REPLAYED
from queries.receipts.errors import UnknownCellError, UnknownVersionError
from queries.receipts.model import NotLanded, Refused
from tests.queries.events import page_viewed
from tests.queries.receipts.lab import Event, ReceiptLab, audit
from tests.shop import CATALOG

pytestmark = pytest.mark.cloud

REPORT = "traffic_by_hour"
QUERY = CATALOG[REPORT]
HOUR, GAP, LOST, EXPIRING, MANY = (f"2026-03-0{day}-10" for day in range(1, 6))
OTHER = replace(QUERY, sql=QUERY.sql.replace("status >= 400", "status >= 300"))


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def views(hour: str, producer: str, first: int, last: int) -> list[Event]:
    """Page views; each fourth one was redirected, each fifth one failed."""
    return [
        page_viewed(
            hour,
            number,
            producer=producer,
            status=503 if number % 5 == 0 else 301 if number % 4 == 0 else 200,
        )
        for number in range(first, last + 1)
    ]


def ids(events: list[Event]) -> set[str]:
    return {each["event_id"] for each in events}


@pytest.fixture(scope="module")
def lab(local_cloud: LocalCloud) -> Iterator[ReceiptLab]:
    yield ReceiptLab.on(local_cloud, {REPORT: QUERY})


def test_receipts_explain_every_difference_of_a_story_event_by_event(lab: ReceiptLab) -> None:
    soon, later = at("2026-03-01T10:50:00"), at("2026-03-02T09:00:00")
    sound, of_killed = views(HOUR, "steady", 1, 20), views(HOUR, "killed", 1, 10)
    poison = [each | {"payload": each["payload"] | {"status": "x"}} for each in views(HOUR, "steady", 21, 22)]
    lab.put(HOUR, "a", [*sound, *of_killed, audit(HOUR, 700, "steady", 24)], arrival_ms=soon)
    lab.put(HOUR, "b", sound[:3], arrival_ms=soon + 1)
    lab.fail("poison", poison, arrival_ms=soon)
    lab.drop(HOUR, {f"steady/{sound[0]['epoch']}": "23-24"}, 2)
    lab.publish()

    first = lab.explain(QUERY, HOUR, "page_views")
    assert first.headline.startswith(f"WHOLE: {REPORT} {HOUR} page_views = 30, from 30 events")
    assert (first.value, first.events, first.copies_removed, first.untraced) == (30, 30, 3, "")
    assert [(each.events, each.late) for each in first.groups] == [(30, 0)]
    assert [(each.events, each.url.rpartition("/")[2]) for each in first.objects] == [
        (30, "a.parquet"),
        (0, "b.parquet"),
    ]
    assert first.refused == (Refused("wrong_type", 2, 0),)
    assert first.hours == (NotLanded(HOUR, 2, 0, 2),)
    killed, steady = first.producers
    assert (steady.landed, steady.failed, steady.dropped, steady.missing, steady.is_audited) == (
        20,
        2,
        2,
        "",
        True,
    )
    assert (killed.events, killed.landed, killed.missing, killed.is_audited) == (10, 10, "", False)
    assert ids([*sound, *of_killed]) > {each.event_id for each in first.samples}
    assert first.versions[0].sql == QUERY.sql
    assert lab.explain(QUERY, HOUR, "page_views").digest == first.digest

    late, repaired = views(HOUR, "steady", 25, 27), views(HOUR, "steady", 21, 22)
    lab.put(HOUR, "c", [*late, audit(HOUR, 701, "steady", 27)], arrival_ms=later)
    lab.put(HOUR, "d", repaired, arrival_ms=soon)
    lab.publish()

    second = lab.explain(QUERY, HOUR, "page_views")
    assert (second.value, second.events, second.refused) == (35, 35, (Refused("wrong_type", 2, 2),))
    assert [(each.value, each.came_since, each.late_since) for each in second.versions] == [
        (35, 0, 0),
        (30, 5, 3),
    ]
    assert second.digest != first.digest
    found = lab.compare(QUERY, HOUR, "page_views", to=first.versions[0].number)
    assert found.counts == {f"+ {LATE}": 3, f"+ {REPLAYED}": 2}
    assert {each.event.event_id for each in found.changes if each.why == LATE} == ids(late)
    assert {each.event.event_id for each in found.changes if each.why == REPLAYED} == ids(repaired)
    assert (found.old.value, found.new.value, found.sql_changed, found.unexplained) == (30, 35, False, "")
    assert found.digests == (first.digest, second.digest)

    lab.publish({REPORT: OTHER}, [Key(REPORT, HOUR)])
    every = [*sound, *of_killed, *repaired, *late]
    third = lab.explain(OTHER, HOUR, "errors")
    failed = [each for each in every if each["payload"]["status"] >= 400]
    redirected = [each for each in every if each["payload"]["status"] == 301]
    assert (third.value, third.events) == (len(failed) + len(redirected),) * 2
    changed = lab.compare(OTHER, HOUR, "errors", to=second.versions[0].number)
    assert changed.counts == {f"+ {BY_SQL}": len(redirected)}
    assert {each.event.event_id for each in changed.changes} == ids(redirected)
    assert (changed.old.value, changed.by_sql, changed.new.value) == (len(failed), third.value, third.value)
    assert [line.split(">= ")[1][:3] for line in changed.sql_changes.splitlines() if ">= " in line] == [
        "400",
        "300",
    ]
    both = lab.compare(OTHER, HOUR, "errors", to=first.versions[0].number)
    assert both.new.value - both.old.value == len(both.changes)
    assert set(both.counts) <= {f"+ {BY_SQL}", f"+ {LATE}", f"+ {REPLAYED}"}
    # The deployed SQL is other than the project's: what computed the number is what Athena was given.
    assert lab.explain(QUERY, HOUR, "errors").events == third.events


def test_a_gap_in_a_sequence_is_in_the_first_line(lab: ReceiptLab) -> None:
    made = views(GAP, "gappy", 1, 6)
    lab.put(
        GAP, "a", [*made[:2], *made[3:], audit(GAP, 700, "gappy", 8)], arrival_ms=at("2026-03-02T10:50:00")
    )
    lab.publish()
    receipt = lab.explain(QUERY, GAP, "page_views")
    epoch = made[0]["epoch"]
    assert receipt.headline.startswith(f"GAP: gappy/{epoch} lacks 3,7-8 of its numbers up to 8")
    assert (receipt.value, receipt.events) == (5, 5)


def test_of_too_many_producers_the_events_name_whose_sequences_count(
    lab: ReceiptLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [view for name in ("one", "two") for view in views(MANY, name, 1, 3)]
    lab.put(MANY, "a", made, arrival_ms=at("2026-03-05T10:50:00"))
    lab.put(MANY, "b", [audit(MANY, 700, "one", 4)], arrival_ms=at("2026-03-05T10:51:00"))
    lab.publish()
    early = lab.explain(QUERY, MANY, "page_views")
    monkeypatch.setattr(explaining, "MOST_WRITERS", 1)
    late = lab.explain(QUERY, MANY, "page_views")
    assert early.headline.startswith("GAP: one/")
    assert structs.replace(late, made_at=early.made_at) == early


def test_a_lost_object_of_the_lake_is_in_the_first_line(lab: ReceiptLab) -> None:
    for name, first in (("a", 1), ("b", 6)):
        lab.put(LOST, name, views(LOST, "whole", first, first + 4), arrival_ms=at("2026-03-03T10:50:00"))
    lab.publish()
    assert lab.explain(QUERY, LOST, "page_views").findings == ()
    lab.delete(LOST, "a")
    receipt = lab.explain(QUERY, LOST, "page_views")
    assert receipt.headline.startswith(
        f"LOST: Objects of the lake are gone: the hour {LOST} had 2 objects and has 1"
    )
    assert receipt.value == 10
    assert "the report's SQL gives 5 from the 5 listed events, and 10 was published" in receipt.untraced


class Expiring:
    """Runs SQL over the lake, from which one more object expires before the first statement."""

    def __init__(self, engine: Reads, lab: ReceiptLab, name: str) -> None:
        self._engine, self._lab, self._name = engine, lab, name

    def rows(self, sql: str, parameters: Any = ()) -> Rows:
        self._lab.delete(EXPIRING, self._name)
        return self._engine.rows(sql, parameters)


def test_an_object_that_expires_while_a_receipt_is_made_is_in_the_first_line(lab: ReceiptLab) -> None:
    for name, first in (("a", 1), ("b", 6)):
        made = views(EXPIRING, "brief", first, first + 4)
        lab.put(EXPIRING, name, made, arrival_ms=at("2026-03-04T10:50:00"))
    lab.publish()
    explainer = explainer_in(lab.lab, lab.transforms)
    explainer.engine = Expiring(explainer.engine, lab, "a")
    receipt = explainer.explain(QUERY, parse_words(QUERY.report, EXPIRING, ["page_views"]))
    assert receipt.headline.startswith(
        f"LOST: Objects of the lake are gone: the hour {EXPIRING} had 2 objects and has 1"
    )
    assert (receipt.value, receipt.statement) == (10, "")
    assert [each.url.rpartition("/")[2] for each in receipt.objects] == ["b.parquet"]


def test_a_cell_or_version_that_is_not_there_is_named(lab: ReceiptLab) -> None:
    with pytest.raises(UnknownCellError, match="has never been published"):
        lab.explain(QUERY, "2020-01-01-00", "page_views")
    with pytest.raises(UnknownVersionError, match=r"has no version 99\. Kept are: "):
        lab.compare(QUERY, LOST, "page_views", to=99)

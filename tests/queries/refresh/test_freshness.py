"""What each report partition says of its input: complete or not, as of when, by which run."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from infra.local.cloud import LocalCloud
from queries.lake.inputs import combine
from queries.ledger import rules
from queries.ledger.state import Input, PartitionState, Published
from queries.partitions import Key, LakeHour
from queries.refresh.catalog import ReportQuery
from queries.refresh.freshness import FreshnessTable, complete_at, freshness, line, watermark
from queries.refresh.rendering import sql_sha
from queries.refresh.sweep import Sweep
from tests.queries.cloud import Chain
from tests.queries.events import page_viewed
from tests.queries.reports import declared

QUERY = declared(more="-- lateness: 6h")
HOURS = ("2026-11-24-10", "2026-11-24-11", "2026-11-24-12")
END = datetime(2026, 11, 24, 11, tzinfo=UTC)
LAKE = {hour: Input(objects=3, bytes=30, newest=5, digest=f"digest of {hour}") for hour in HOURS}


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def state(hour: str, *, as_of: datetime, query: ReportQuery = QUERY) -> PartitionState:
    """A fresh partition, computed from the lake as it stands."""
    found = combine(query.report, hour, {LakeHour("web_events", name): held for name, held in LAKE.items()})
    version = Published(
        location=f"reports/sample/v1/run=000007-abc/event_hour={hour}/",
        fence=7,
        published_at=ms(as_of) + 1000,
        as_of=ms(as_of),
        rows=4,
        query_execution_id="q",
        sql_sha=sql_sha(query),
        input=found,
    )
    marked = rules.mark(rules.new(Key("sample", hour)), 0, 0, 0)
    return replace(
        rules.settle(marked, ms(as_of)),
        published=version,
        judged_input=found.digest,
        judged_sql=version.sql_sha,
    )


class Known:
    """A ledger that knows these partitions."""

    def __init__(self, *states: PartitionState) -> None:
        self._states = {each.key: each for each in states}

    def partitions(self, keys: Sequence[Key]) -> Mapping[Key, PartitionState]:
        return {key: self._states[key] for key in keys if key in self._states}


class Lake:
    def hours(self, table: str, first: str = "", last: str = "9999") -> Mapping[str, Input]:
        return {hour: found for hour, found in LAKE.items() if first <= hour <= last}


def lost(now: datetime, *states: PartitionState, query: ReportQuery = QUERY) -> list[str]:
    known: Any = Known(*states)
    lake: Any = Lake()
    sweep = Sweep(known, lake, {"sample": query})
    return [key.partition for key in sweep.compare(since=None, now=ms(now)).lost]


def test_an_hour_is_complete_when_the_lake_was_read_after_its_lateness() -> None:
    early, late = (
        freshness(state(HOURS[0], as_of=END + timedelta(hours=hours)), QUERY.report) for hours in (5, 6)
    )
    assert (early.is_complete, late.is_complete) == (False, True)
    assert complete_at(QUERY.report, HOURS[0]) == ms(END + timedelta(hours=6))


def test_a_stale_partition_is_not_complete_however_late_it_was_read() -> None:
    stale = rules.mark(state(HOURS[0], as_of=END + timedelta(days=1)), 0, 0, 0)
    assert not freshness(stale, QUERY.report).is_complete


def test_the_watermark_ends_before_the_first_partition_that_is_not_complete() -> None:
    done = END + timedelta(days=1)
    states = [state(hour, as_of=done) for hour in HOURS]
    assert watermark(states, QUERY.report) == HOURS[2]
    states[1] = rules.mark(states[1], 0, 0, 0)
    assert watermark(states, QUERY.report) == HOURS[0]


def test_a_partition_is_looked_at_once_more_when_its_lateness_has_passed() -> None:
    early = [state(hour, as_of=END) for hour in HOURS]
    assert lost(END + timedelta(hours=6, minutes=-1), *early) == []
    assert lost(END + timedelta(hours=6), *early) == [HOURS[0]]
    again = rules.settle(rules.mark(early[0], 0, 0, 0), ms(END + timedelta(hours=6)))
    assert freshness(again, QUERY.report).is_complete
    assert lost(END + timedelta(hours=6), again, *early[1:]) == []


def test_an_earlier_version_that_was_put_back_is_not_looked_at_again_for_being_complete() -> None:
    version = state(HOURS[0], as_of=END)
    assert version.published is not None
    older = replace(version.published, input=Input(objects=1, digest="older"))
    states = [state(hour, as_of=END + timedelta(days=1)) for hour in HOURS[1:]]
    assert lost(END + timedelta(days=1), replace(version, published=older), *states) == []


def test_a_line_of_the_table_names_the_run_and_the_query_execution() -> None:
    found = json.loads(line(freshness(state(HOURS[0], as_of=END), QUERY.report)))
    assert (found["run"], found["query_execution_id"]) == ("000007-abc", "q")
    assert found["data_as_of"] == "2026-11-24 11:00:00.000"


def test_what_was_never_published_has_no_times_and_no_run() -> None:
    found = json.loads(line(freshness(rules.new(Key("sample", HOURS[0])), QUERY.report)))
    assert (found["published_at"], found["run"], found["is_complete"]) == (None, "", False)


@pytest.mark.cloud
class Store:
    """Keeps what is put. While the first object is on its way another worker publishes, and writes before it."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self.puts: list[str] = []
        self._meanwhile = [meanwhile]

    def put(self, key: str, body: bytes) -> None:
        if self._meanwhile:
            self._meanwhile.pop()()
        self.puts.append(body.decode())


def test_who_writes_last_has_seen_what_was_published_meanwhile() -> None:
    late, early = state(HOURS[1], as_of=END + timedelta(days=1)), state(HOURS[1], as_of=END)
    ledger: Any = Known(early)
    store: Any = Store(lambda: ledger.__init__(late))
    queries = {"sample": QUERY}
    FreshnessTable(ledger, store, queries, lambda: 0).write([late.key])
    assert store.puts == [line(freshness(early, QUERY.report)), line(freshness(late, QUERY.report))]
    FreshnessTable(ledger, store, queries, lambda: 0).write([late.key])
    assert len(store.puts) == 3


def test_the_table_in_athena_names_the_run_that_the_catalog_serves(local_cloud: LocalCloud) -> None:
    chain, hour = Chain.of(local_cloud), "2024-03-10-10"
    chain.put([page_viewed(hour, number, producer="freshness-test") for number in range(1, 6)])
    chain.deliver()
    chain.refresh()
    (row,) = chain.records(
        f"SELECT * FROM report_freshness WHERE report = 'traffic_by_hour' AND report_partition = '{hour}'"
    )
    served = chain.client("glue").get_partition(
        DatabaseName=chain.outputs.database, TableName="traffic_by_hour", PartitionValues=[hour]
    )["Partition"]
    assert f"/run={row['run']}/" in served["StorageDescriptor"]["Location"]
    assert served["Parameters"]["query_execution_id"] == row["query_execution_id"]
    assert (row["condition"], row["is_complete"], row["row_count"]) == ("fresh", True, 1)

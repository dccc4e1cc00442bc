"""Reports that read several lake tables."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from infra.project.project import Project
from queries.commands.lint import lint
from queries.contracts import Report, ReportDefinitionError
from queries.lake.inputs import combine, read_inputs, shrunk
from queries.lake.port import Listed, summarize
from queries.ledger import rules
from queries.ledger.state import Input, PartitionState
from queries.partitions import Key, LakeHour, stale_partitions
from queries.refresh.catalog import ReportQuery, parse_report
from queries.refresh.rendering import select
from queries.refresh.sweep import Sweep
from tests import two_streams

HOUR, NEXT = "2026-11-24-10", "2026-11-24-11"
PARCELS, SENSORS = "parcels_events", "sensors_events"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return two_streams.write(tmp_path_factory.mktemp("depot"))


@pytest.fixture
def query(project: Project) -> ReportQuery:
    return project.catalog["depot_by_hour"]


class Lake:
    """Objects of tables, by hour."""

    def __init__(self, **objects: Sequence[str]) -> None:
        self._objects = objects

    def hours(self, table: str, first: str = "", last: str = "9999") -> Mapping[str, Input]:
        return {hour: summarize(listed) for hour, listed in self.objects(table, first, last).items()}

    def objects(self, table: str, first: str, last: str) -> Mapping[str, Sequence[Listed]]:
        found: dict[str, list[Listed]] = {}
        for name in self._objects.get(table, ()):
            hour, _, key = name.partition("/")
            if first <= hour <= last:
                listed = Listed(hour, f"{table}/event_hour={hour}/{key}", "tag", 10, 5)
                found.setdefault(hour, []).append(listed)
        return found

    def columns(self, objects: Iterable[Listed]) -> Mapping[str, Sequence[str] | str]:
        return {one.key: [] for one in objects}


def input_in(lake: Lake, report: Report) -> Input:
    return read_inputs(lake, report, [HOUR])[HOUR]


def test_an_hour_of_either_table_makes_the_partition_stale(project: Project) -> None:
    for table in (PARCELS, SENSORS):
        stale = stale_partitions([LakeHour(table, HOUR)], project.reports.values())
        assert Key("depot_by_hour", HOUR) in stale
    assert stale_partitions([LakeHour("others", HOUR)], project.reports.values()) == []


def test_the_input_changes_with_an_object_of_either_table_and_with_nothing_else(query: ReportQuery) -> None:
    before = input_in(Lake(parcels_events=[f"{HOUR}/a"], sensors_events=[f"{HOUR}/a"]), query.report)
    same = input_in(
        Lake(parcels_events=[f"{HOUR}/a", f"{NEXT}/a"], sensors_events=[f"{HOUR}/a"]), query.report
    )
    more = [
        input_in(Lake(parcels_events=[f"{HOUR}/a", f"{HOUR}/b"], sensors_events=[f"{HOUR}/a"]), query.report),
        input_in(Lake(parcels_events=[f"{HOUR}/a"], sensors_events=[f"{HOUR}/a", f"{HOUR}/b"]), query.report),
    ]
    assert before == same
    assert before.objects == 2
    assert len({before.digest, *(each.digest for each in more)}) == 3


def test_the_sweep_and_a_claim_find_the_same_input(query: ReportQuery) -> None:
    lake = Lake(parcels_events=[f"{HOUR}/a"], sensors_events=[f"{HOUR}/a", f"{HOUR}/b"])
    hours = {
        LakeHour(table, hour): held
        for table in query.report.sources
        for hour, held in lake.hours(table).items()
    }
    assert combine(query.report, HOUR, hours) == input_in(lake, query.report)


def test_objects_gone_from_the_second_table_are_missed_and_a_table_that_is_read_no_more_is_not(
    project: Project, query: ReportQuery
) -> None:
    full = input_in(
        Lake(parcels_events=[f"{HOUR}/a"], sensors_events=[f"{HOUR}/a", f"{HOUR}/b"]), query.report
    )
    less = input_in(Lake(parcels_events=[f"{HOUR}/a"], sensors_events=[f"{HOUR}/a"]), query.report)
    assert f"{SENSORS}/{HOUR} had 2 objects and has 1" in shrunk(query.report, full, less)
    alone = project.reports["parcels_by_hour"]
    assert shrunk(alone, full, input_in(Lake(parcels_events=[f"{HOUR}/a"]), alone)) == ""
    assert shrunk(query.report, input_in(Lake(parcels_events=[f"{HOUR}/a"] * 2), alone), less) == ""


class Ledger:
    """Knows these partitions."""

    def __init__(self, *states: PartitionState) -> None:
        self._states = {state.key: state for state in states}

    def partitions(self, keys: Iterable[Key]) -> Mapping[Key, PartitionState]:
        return {key: self._states[key] for key in keys if key in self._states}


def test_the_sweep_finds_an_object_of_the_second_table_that_nobody_announced(
    project: Project, query: ReportQuery
) -> None:
    key = Key("depot_by_hour", HOUR)
    first = Lake(parcels_events=[f"{HOUR}/a"])
    judged = rules.leave_open(rules.mark(rules.new(key), 0, 0, 0), input_in(first, query.report), "sql")
    queries = {"depot_by_hour": query}
    for lake, lost in (
        (first, []),
        (Lake(parcels_events=[f"{HOUR}/a"], sensors_events=[f"{HOUR}/a"]), [key]),
    ):
        assert Sweep(Ledger(judged), lake, queries).compare(since=None, now=0).lost == lost  # type: ignore[arg-type]


def test_each_table_is_read_for_the_hours_of_the_partitions_alone_and_without_copies(
    query: ReportQuery,
) -> None:
    sql = select(query, [HOUR])
    for copies, table in (("penstock_source", PARCELS), ("penstock_source_2", SENSORS)):
        assert f"{copies} AS (SELECT " in sql
        assert f" FROM {table} WHERE event_hour = '{HOUR}')" in sql
        assert f" FROM {copies} WHERE penstock_copy = 1)" in sql
    assert sql.count("event_id") >= 2


def header(sources: str) -> str:
    return (
        f"-- report: sample\n-- title: A report\n-- owner: tests\n-- source: {sources}\n"
        "-- grain: event_hour\n-- columns: n bigint\n"
    )


BOTH = f"{PARCELS}, {SENSORS}"
PAIR = f"FROM {PARCELS} p JOIN {SENSORS} s"


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (f"{PARCELS}, nowhere", "There is no lake table 'nowhere'"),
        (f"{PARCELS}, {PARCELS}", "twice"),
        (" , ", "no lake table"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused_by_name(
    project: Project, sources: str, message: str
) -> None:
    with pytest.raises(ReportDefinitionError, match=message):
        parse_report(header(sources) + "SELECT 1", "sample.sql", project.tables)


@pytest.mark.parametrize(
    ("sources", "sql", "rule", "said"),
    [
        (PARCELS, f"SELECT p.event_hour, count(*) AS n {PAIR} ON p.event_hour = s.event_hour GROUP BY 1",
         "tables", SENSORS),
        (BOTH, f"SELECT p.event_hour, count(*) AS n {PAIR} ON p.producer_id = s.producer_id GROUP BY 1",
         "grain", "join"),
        (BOTH, f"SELECT p.event_hour, count(*) AS n FROM {PARCELS} p, {SENSORS} s GROUP BY 1", "grain", "join"),
        (BOTH, f"SELECT p.event_hour, count(*) AS n {PAIR} USING (producer_id) GROUP BY 1", "grain", "join"),
        (BOTH, f"SELECT event_hour, count(*) AS n FROM {PARCELS} WHERE producer_id IN "
         f"(SELECT producer_id FROM {SENSORS}) GROUP BY 1", "grain", "subquery"),
        (BOTH, f"SELECT event_hour, count(*) AS n FROM {PARCELS} p WHERE EXISTS "
         f"(SELECT 1 FROM {SENSORS} s WHERE s.producer_id = p.producer_id) GROUP BY 1", "grain", "subquery"),
        (BOTH, f"SELECT p.event_hour, count(s.scanned.parcel) AS n {PAIR} ON p.event_hour = s.event_hour "
         "GROUP BY 1", "names", "no field 'parcel'"),
        (BOTH, f"SELECT event_hour, count(*) AS n FROM {PARCELS} WHERE event_type = 'weighed' GROUP BY 1",
         "event types", "weighed"),
    ],
)  # fmt: skip
def test_lint_refuses_what_would_mix_tables_or_partitions(
    project: Project, sources: str, sql: str, rule: str, said: str
) -> None:
    found = lint(header(sources) + sql, "sample.sql", project.tables)
    assert [each.rule for each in found] == [rule]
    assert said in found[0].message


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT p.event_hour, count(s.scanned.room) AS n {PAIR} ON p.event_hour = s.event_hour GROUP BY 1",
        f"SELECT event_hour, count(*) AS n {PAIR} USING (event_hour) GROUP BY 1",
        f"SELECT p.event_hour, count(*) AS n FROM {PARCELS} p, {SENSORS} s "
        "WHERE p.event_hour = s.event_hour GROUP BY 1",
        f"SELECT event_hour, count(*) AS n FROM {PARCELS} WHERE (event_hour, producer_id) IN "
        f"(SELECT event_hour, producer_id FROM {SENSORS}) GROUP BY 1",
        f"SELECT event_hour, count(*) AS n FROM {PARCELS} p WHERE EXISTS (SELECT 1 FROM {SENSORS} s "
        "WHERE s.event_hour = p.event_hour AND s.producer_id = p.producer_id) GROUP BY 1",
        f"SELECT event_hour, sum(n) AS n FROM (SELECT event_hour, 1 AS n FROM {PARCELS} UNION ALL "
        f"SELECT event_hour, 1 FROM {SENSORS}) GROUP BY event_hour",
        f"WITH gates (gate) AS (VALUES 'a', 'b') SELECT event_hour, count(*) AS n FROM {PARCELS} "
        f"CROSS JOIN gates GROUP BY 1 UNION ALL SELECT event_hour, 0 FROM {SENSORS}",
    ],
)
def test_lint_lets_pass_what_keeps_partitions_apart(project: Project, sql: str) -> None:
    assert lint(header(BOTH) + sql, "sample.sql", project.tables) == []


def test_the_example_of_several_tables_is_sound(project: Project) -> None:
    path = Path(project.folders.reports) / "depot_by_hour.sql"
    assert lint(path.read_text(), str(path), project.tables) == []

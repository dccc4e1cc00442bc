"""Which objects a version was computed from, and by which SQL."""

from dataclasses import replace

import pytest

from queries.lake.inputs import inputs_of
from queries.lake.port import Listed
from queries.ledger.state import Input, PartitionState, Published
from queries.partitions import LakeHour
from queries.receipts.errors import UnknownVersionError
from queries.receipts.versions import find_version, inputs_of_version, sql_changes, written_sql
from queries.refresh.rendering import unload
from tests.shop import CATALOG

QUERY = CATALOG["traffic_by_hour"]
REPORT, HOUR = QUERY.report, "2026-03-01-10"
AT = LakeHour("web_events", HOUR)


def listed(name: str, second: int, tag: str = "t") -> Listed:
    return Listed(HOUR, f"web_events/event_hour={HOUR}/{name}.parquet", tag, 10, second * 1000)


def version(objects: list[Listed], fence: int = 1) -> Published:
    held = inputs_of(REPORT, [HOUR], {AT: objects})[HOUR]
    return Published(location="x", fence=fence, published_at=0, input=held)


def names(keys: frozenset[str]) -> set[str]:
    return {key.rpartition("/")[2].removesuffix(".parquet") for key in keys}


def test_objects_that_were_written_later_are_not_in_the_version() -> None:
    old = [listed("a", 1), listed("b", 2)]
    found = inputs_of_version(REPORT, version(old), HOUR, {AT: [*old, listed("c", 3)]})
    assert (names(found.keys), found.are_known) == ({"a", "b"}, True)


def test_of_objects_of_one_second_the_digest_tells_which_the_version_read() -> None:
    every = [listed("a", 1), listed("b", 5), listed("c", 5), listed("d", 5)]
    for left_out in every[1:]:
        read = [one for one in every if one != left_out]
        found = inputs_of_version(REPORT, version(read), HOUR, {AT: every})
        assert (found.keys, found.are_known) == (frozenset(one.key for one in read), True)


@pytest.mark.parametrize("now", [[listed("b", 2)], [listed("a", 1, "another"), listed("b", 2)], []])
def test_objects_that_are_gone_or_were_written_anew_are_noticed(now: list[Listed]) -> None:
    read = version([listed("a", 1), listed("b", 2)])
    assert not inputs_of_version(REPORT, read, HOUR, {AT: now}).are_known


def test_a_version_is_found_by_its_number_and_the_others_are_named() -> None:
    kept = [version([], fence) for fence in (7, 5)]
    state = PartitionState(report=REPORT.name, partition=HOUR, published=kept[0], previous=(kept[1],))
    assert find_version(state, 5) == kept[1]
    with pytest.raises(
        UnknownVersionError, match=rf"{REPORT.name}/{HOUR} has no version 6\. Kept are: 7, 5\."
    ):
        find_version(state, 6)


def test_the_reports_own_sql_is_read_from_the_statement_of_a_run() -> None:
    for query in CATALOG.values():
        partition = HOUR if query.report.grain == "event_hour" else HOUR[:10]
        assert written_sql(unload(query, [partition], "s3://b/x/")) == query.sql
    assert written_sql("SELECT 1") is None


def test_what_was_changed_in_the_sql_is_shown_line_by_line() -> None:
    changed = replace(QUERY, sql=QUERY.sql.replace("status >= 400", "status >= 300"))
    lines = sql_changes(QUERY.sql, changed.sql).splitlines()
    assert [line[0] for line in lines if line[0] in "+-"] == ["-", "+"]
    assert sql_changes(QUERY.sql, QUERY.sql) == ""


def test_an_empty_input_is_known() -> None:
    empty = Published(location="x", fence=1, published_at=0, input=Input())
    assert inputs_of_version(REPORT, empty, HOUR, {}).are_known

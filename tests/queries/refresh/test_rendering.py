"""The statement that a run executes."""

import pytest

from queries.refresh.catalog import ReportQuery
from queries.refresh.rendering import select, source_columns, sql_sha, unload
from tests.queries.reports import declared
from tests.shop import CATALOG

HOURS = ["2026-11-24-10", "2026-11-24-11", "2026-11-24-13"]


def _columns_read(query: ReportQuery) -> list[str]:
    return source_columns(query, query.tables[0])


def test_only_the_hours_of_the_partitions_are_read() -> None:
    sql = select(declared(), HOURS)
    assert "event_hour BETWEEN '2026-11-24-10' AND '2026-11-24-11' OR event_hour = '2026-11-24-13'" in sql


def test_a_day_reads_its_24_hours() -> None:
    query = declared(
        "SELECT event_date, count(*) AS events FROM web_events GROUP BY event_date", grain="event_date"
    )
    assert "event_hour BETWEEN '2026-11-24-00' AND '2026-11-24-23'" in select(query, ["2026-11-24"])


def test_context_widens_the_input_and_bounds_its_times() -> None:
    sql = select(declared(more="-- context: 30m"), ["2026-11-24-10"])
    assert "event_hour BETWEEN '2026-11-24-09' AND '2026-11-24-11'" in sql
    assert "event_time >= TIMESTAMP '2026-11-24 09:30:00.000'" in sql
    assert "event_time < TIMESTAMP '2026-11-24 11:30:00.000'" in sql
    assert "WHERE event_hour IN ('2026-11-24-10')" in sql


def test_copies_are_taken_out_within_their_hour_unless_the_header_says_otherwise() -> None:
    assert "PARTITION BY event_hour, event_id ORDER BY arrival_time" in select(declared(), HOURS)
    assert "row_number" not in select(declared(more="-- dedupe: none"), HOURS)


def test_only_columns_that_the_sql_names_are_read() -> None:
    query = declared(
        "SELECT event_hour, count(*) AS events FROM web_events WHERE event_type = 'order_placed' -- page_viewed\nGROUP BY 1"
    )
    assert _columns_read(query) == ["event_type", "event_hour"]


@pytest.mark.parametrize("star", ["SELECT * FROM web_events", "SELECT event_hour, w.* FROM web_events w"])
def test_a_star_reads_every_column(star: str) -> None:
    assert len(_columns_read(declared(star))) > 15


def test_count_star_is_not_a_star() -> None:
    assert _columns_read(declared()) == ["event_hour"]


def test_the_same_run_renders_the_same_statement_whatever_the_order() -> None:
    assert unload(declared(), HOURS, "s3://b/x/") == unload(declared(), HOURS[::-1], "s3://b/x/")


def test_the_digest_of_the_sql_does_not_depend_on_the_partition_but_on_the_declaration() -> None:
    assert sql_sha(declared()) == sql_sha(declared())
    assert sql_sha(declared()) != sql_sha(declared(columns="events double"))


@pytest.mark.parametrize("name", CATALOG)
def test_every_report_declares_its_types_and_its_folder(name: str) -> None:
    query = CATALOG[name]
    partition = "2026-11-24-10" if query.report.grain == "event_hour" else "2026-11-24"
    sql = unload(query, [partition], "s3://reports/x/")
    for column in query.report.columns:
        assert f"CAST({column.name} AS {column.type}) AS {column.name}" in sql
    assert f"partitioned_by = ARRAY['{query.report.grain}']" in sql
    assert len(sql.encode()) < 262_144


@pytest.mark.parametrize("name", CATALOG)
def test_a_statement_of_96_partitions_fits_into_athenas_limit(name: str) -> None:
    query = CATALOG[name]
    days = [f"2026-{month:02d}-{day:02d}" for month in (1, 3, 5, 7) for day in range(1, 25)]
    partitions = days if query.report.grain == "event_date" else [f"{day}-13" for day in days]
    assert len(unload(query, partitions, "s3://reports/x/").encode()) < 262_144

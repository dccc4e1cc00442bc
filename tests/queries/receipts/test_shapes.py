"""Shapes of SQL: those that are followed exactly, and those that are refused by name."""

from pathlib import Path
from random import Random

import pytest

from queries.receipts.cell import Cell
from queries.receipts.composing import same_value
from queries.receipts.errors import CannotTraceError
from queries.receipts.statements import listing, proved
from queries.refresh.catalog import ReportQuery
from queries.refresh.rendering import select
from tests.queries.receipts import traffic
from tests.queries.receipts.world import Lake
from tests.queries.reports import declared
from tests.shop import TABLE, TABLES

HOUR = traffic.HOURS[0]
FOLLOWED = {
    "a filter of one aggregate": (
        "SELECT event_hour, count(*) FILTER (WHERE event_type = 'order_placed') AS number "
        "FROM web_events GROUP BY event_hour",
        lambda event: event["event_type"] == "order_placed",
    ),
    "groups that are chosen by HAVING": (
        "WITH clients AS (SELECT event_hour, client_key, count(*) AS times FROM web_events "
        "GROUP BY event_hour, client_key HAVING count(*) > 7) "
        "SELECT event_hour, sum(times) AS number FROM clients GROUP BY event_hour",
        None,
    ),
    "groups that are chosen by a number of theirs": (
        "SELECT event_hour, count(*) AS number FROM (SELECT event_hour, client_key, count(*) AS times "
        "FROM web_events GROUP BY 1, 2) AS clients WHERE times > 7 GROUP BY event_hour",
        None,
    ),
    "elements of a list": (
        "SELECT event_hour, sum(quantity) AS number FROM web_events "
        "CROSS JOIN UNNEST(order_placed.items) AS t (product, quantity, price) GROUP BY event_hour",
        lambda event: event["event_type"] == "order_placed",
    ),
    "rows of two kinds put together": (
        "SELECT event_hour, sum(n) AS number FROM ("
        "SELECT event_hour, 1 AS n FROM web_events WHERE event_type = 'order_placed' "
        "UNION ALL SELECT event_hour AS h, 2 FROM web_events WHERE event_type = 'cart_updated'"
        ") AS both GROUP BY event_hour",
        lambda event: event["event_type"] in ("order_placed", "cart_updated"),
    ),
    "a table beside itself": (
        "SELECT a.event_hour, count(DISTINCT a.client_key) AS number FROM web_events AS a "
        "JOIN web_events AS b ON a.event_hour = b.event_hour AND a.client_key = b.client_key "
        "WHERE a.event_type = 'page_viewed' AND b.event_type = 'order_placed' GROUP BY a.event_hour",
        None,
    ),
    "the first row of each client by a window": (
        "WITH numbered AS (SELECT event_hour, client_key, row_number() OVER (PARTITION BY event_hour, "
        "client_key ORDER BY event_time, event_id) AS n FROM web_events) "
        "SELECT event_hour, count(*) AS number FROM numbered WHERE n = 1 GROUP BY event_hour",
        None,
    ),
    "every column of a query of its own": (
        "WITH some AS (SELECT event_hour, event_id FROM web_events WHERE event_type = 'cart_updated'), "
        "again AS (SELECT * FROM some) SELECT event_hour, count(*) AS number FROM again GROUP BY event_hour",
        lambda event: event["event_type"] == "cart_updated",
    ),
    "names that the WITH gives to columns": (
        "WITH few (hour, kind) AS (SELECT event_hour, event_type FROM web_events) "
        "SELECT hour AS event_hour, count_if(kind = 'order_placed') AS number FROM few GROUP BY hour",
        None,
    ),
}
REFUSED = {
    "SELECT event_hour, count(*) AS number FROM web_events WHERE client_key IN (SELECT client_key FROM web_events) "
    "GROUP BY event_hour": "its SQL has a subquery in a condition or as a value",
    "SELECT event_hour, count(*) AS number FROM (SELECT event_hour, event_id FROM web_events EXCEPT "
    "SELECT event_hour, event_id FROM web_events WHERE is_late) AS x GROUP BY event_hour": "its SQL takes rows away "
    "with EXCEPT",
    "SELECT event_hour, count(*) AS number FROM web_events GROUP BY ROLLUP (event_hour)": "its GROUP BY makes several "
    "groupings (CUBE, ROLLUP or GROUPING SETS)",
    "WITH web_events AS (SELECT 1) SELECT event_hour, count(*) AS number FROM web_events GROUP BY event_hour": "its "
    "WITH hides the table web_events behind the same name",
    "SELECT event_hour, count(*) AS number FROM web_events GROUP BY event_hour LIMIT 3": "its SQL has a LIMIT",
    "SELECT event_hour, times AS number FROM (SELECT event_hour, times, row_number() OVER (PARTITION BY event_hour "
    "ORDER BY times) AS n FROM (SELECT event_hour, client_key, count(*) AS times FROM web_events GROUP BY 1, 2) AS c) "
    "AS d WHERE n = 1": "its rows are chosen by a window over rows that were aggregated",
    "SELECT '2024-11-24-08' AS event_hour, 1 AS number": "number is computed from no event",
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake.at(tmp_path_factory.mktemp("lake"), TABLES)
    made.put(TABLE, "o1", traffic.shop_events(Random(7), 90), arrival_ms=1_795_543_200_000)
    return made


def query_of(sql: str) -> ReportQuery:
    return declared(sql, columns="number bigint")


@pytest.mark.parametrize("shape", FOLLOWED)
def test_the_listed_events_alone_give_the_number(lake: Lake, shape: str) -> None:
    sql, counts = FOLLOWED[shape]
    query = query_of(sql)
    (row,) = lake.records(select(query, [HOUR]))
    cell = Cell(query.report, HOUR, "number", {})
    events = listing(query, cell)
    listed = lake.records(events.sql)
    ids = {found["penstock_event_id"] for found in listed}
    assert len(ids) == len(listed) > 0
    (computed,) = {row["penstock_value"] for row in lake.records(proved(query, cell, events))}
    assert same_value(computed, row["number"])
    every = [
        one for one in traffic.shop_events(Random(7), 90) if one["event_time"].startswith("2024-11-24T08")
    ]
    if counts is not None:
        assert ids == {one["event_id"] for one in every if counts(one)}
    else:
        assert len(ids) <= len(every)


def test_a_group_that_was_not_chosen_is_not_listed(lake: Lake) -> None:
    query = query_of(FOLLOWED["groups that are chosen by HAVING"][0])
    listed = lake.records(listing(query, Cell(query.report, HOUR, "number", {})).sql)
    counts = lake.records(
        f"SELECT client_key, count(*) AS n FROM web_events WHERE event_hour = '{HOUR}' GROUP BY client_key"
    )
    assert len(listed) == sum(row["n"] for row in counts if row["n"] > 7)
    assert any(row["n"] <= 7 for row in counts), "every group is chosen: this shows nothing"


@pytest.mark.parametrize("sql", REFUSED)
def test_what_cannot_be_followed_is_refused_by_name(sql: str) -> None:
    query = query_of(sql)
    with pytest.raises(CannotTraceError) as refused:
        listing(query, Cell(query.report, HOUR, "number", {}))
    assert str(refused.value) == REFUSED[sql]


def test_a_listing_reads_what_the_report_reads_and_no_other_hour() -> None:
    query = query_of("SELECT event_hour, count(*) AS number FROM web_events GROUP BY event_hour")
    sql = listing(query, Cell(query.report, HOUR, "number", {}), "\"$path\" NOT IN ('s3://lake/x')").sql
    assert f"(event_hour = '{HOUR}') AND (\"$path\" NOT IN ('s3://lake/x'))" in sql


def test_a_key_that_looks_like_sql_stays_a_text(lake: Lake, tmp_path: Path) -> None:
    query = declared(
        "SELECT event_hour, page_viewed.path AS path, count(*) AS number FROM web_events "
        "GROUP BY event_hour, page_viewed.path",
        columns="path varchar, number bigint",
        more="-- keys: path",
    )
    cell = Cell(query.report, HOUR, "number", {"path": "x' OR 1=1 --"})
    assert lake.records(listing(query, cell).sql) == []

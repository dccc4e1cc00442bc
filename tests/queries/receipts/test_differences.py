"""Two listings beside each other: the events that came, and those that other SQL counts."""

from dataclasses import replace
from random import Random

import pytest

from queries.receipts.cell import Cell
from queries.receipts.composing import records, sample
from queries.receipts.statements import again, in_objects, listing
from tests.queries.receipts import traffic
from tests.queries.receipts.world import BUCKET, Lake
from tests.shop import CATALOG, TABLE, TABLES

HOUR = traffic.HOURS[0]
QUERY = CATALOG["traffic_by_hour"]
OTHER = replace(QUERY, sql=QUERY.sql.replace("status >= 400", "status >= 300"))
CELL = Cell(QUERY.report, HOUR, "errors", {})
EVENTS = [
    event
    for event in traffic.shop_events(Random(11), 80)
    if event["event_type"] == "page_viewed" and event["event_time"].startswith("2024-11-24T08")
]
FIRST, LATER = EVENTS[: len(EVENTS) // 2], EVENTS[len(EVENTS) // 2 :]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake.at(tmp_path_factory.mktemp("lake"), TABLES)
    made.put(TABLE, "first", FIRST, arrival_ms=1_795_543_200_000)
    made.put(TABLE, "copies", FIRST[:5], arrival_ms=1_795_543_300_000)
    made.put(TABLE, "later", LATER, arrival_ms=1_795_543_400_000)
    return made


def urls(*names: str) -> list[str]:
    return [f"{BUCKET}/web_events/event_hour={HOUR}/{name}.parquet" for name in names]


def ids(events: list[traffic.Event], least: int) -> set[str]:
    return {event["event_id"] for event in events if event["payload"]["status"] >= least}


def test_events_that_came_and_events_that_other_sql_counts_are_told_apart(lake: Lake) -> None:
    old, new = in_objects(urls("first")), in_objects(urls("first", "copies", "later"))
    then, now = listing(QUERY, CELL, old), listing(OTHER, CELL, new)
    added = [sample(row) for row in records(lake.rows(now.without(then)))]
    assert {one.event_id for one in added} == ids(EVENTS, 300) - ids(FIRST, 400)
    by_sql = {one.event_id for one in added if one.object in urls("first")}
    assert by_sql == ids(FIRST, 300) - ids(FIRST, 400)
    assert by_sql
    assert lake.rows(then.without(now)).rows == []
    assert lake.rows(again(OTHER, CELL, old)).rows == [(len(ids(FIRST, 300)),)]
    assert lake.rows(again(QUERY, CELL, old)).rows == [(len(ids(FIRST, 400)),)]


def test_events_that_the_sql_leaves_out_now_are_found_from_the_other_side(lake: Lake) -> None:
    every = in_objects([], are_in=False)
    then, now = listing(OTHER, CELL, every), listing(QUERY, CELL, every)
    removed = [sample(row).event_id for row in records(lake.rows(then.without(now)))]
    assert set(removed) == ids(EVENTS, 300) - ids(EVENTS, 400)
    assert len(removed) == len(set(removed))

"""The events that a receipt lists, fed to pandas, give the number: random cells of every report.

PENSTOCK_TEST_CELLS=500 takes so many (`make receipts`).
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from infra.project.loading import load
from queries.receipts.cell import Cell
from queries.receipts.composing import same_value
from queries.receipts.statements import listing, proved
from queries.refresh.catalog import ReportQuery
from queries.refresh.rendering import select
from tests.queries.receipts import traffic
from tests.queries.receipts.answers import ANSWERS, Near
from tests.queries.receipts.world import Lake
from tests.shop import SHOP

CELLS = int(os.environ.get("PENSTOCK_TEST_CELLS", "60"))
FLIGHTS = load(Path(__file__).parents[2] / "flights" / "penstock.toml")
ARRIVAL_MS = int(datetime(2026, 11, 24, 18, tzinfo=UTC).timestamp() * 1000)
SEED = 26


@dataclass
class Project:
    """A project's reports over a lake, and what was sent: events by id, and how often each of them was."""

    lake: Lake
    reports: dict[str, ReportQuery]
    sent: dict[str, dict[str, Any]]
    times: Counter[str]

    def cells(self) -> Iterator[tuple[ReportQuery, Cell, Any]]:
        """Every cell of every partition, with its value."""
        for query in self.reports.values():
            report = query.report
            hours = sorted({key.split("event_hour=")[1][:13] for key in self.lake.objects})
            wanted = hours if report.grain == "event_hour" else sorted({hour[:10] for hour in hours})
            for row in self.lake.records(select(query, wanted)):
                keys = {name: row[name] for name in report.keys}
                for column in report.columns:
                    if column.name not in report.keys:
                        yield query, Cell(report, row[report.grain], column.name, keys), row[column.name]

    def frame(self, listed: list[dict[str, Any]]) -> pd.DataFrame:
        """The listed events as they were sent, with the time of each arrival."""
        rows = [
            {**event, **event["payload"], "arrived": pd.Timestamp(row["penstock_arrival_time"], tz="UTC")}
            for row in listed
            for event in [self.sent[row["penstock_event_id"]]]
        ]
        return pd.DataFrame(rows)


def project(folder: Path, of: Any, events: dict[str, list[dict[str, Any]]], rng: Random) -> Project:
    """The lake after these events were sent: a twentieth of them twice, a tenth an hour after the others."""
    lake, sent, times = Lake.at(folder, of.tables), dict[str, dict[str, Any]](), Counter[str]()
    for table, every in events.items():
        late = rng.sample(every, len(every) // 10)
        twice = rng.sample(every, len(every) // 20)
        first = [event for event in every if event not in late]
        for name, some, after in (("first", first, 0), ("twice", twice, 60_000), ("late", late, 3_600_000)):
            lake.put(of.tables[table], name, some, arrival_ms=ARRIVAL_MS + after)
            times.update(event["event_id"] for event in some)
        sent |= {event["event_id"]: event for event in every}
    return Project(lake, dict(of.catalog), sent, times)


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> list[Project]:
    rng = Random(SEED)
    shop = {"web_events": traffic.shop_events(rng, 150)}
    flown = {"flights_events": traffic.flight_events(rng, 60), "weather_events": traffic.weather_events(rng)}
    folder = tmp_path_factory.mktemp("lakes")
    return [project(folder / "shop", SHOP, shop, rng), project(folder / "flights", FLIGHTS, flown, rng)]


def test_every_number_of_every_report_has_an_independent_answer(projects: list[Project]) -> None:
    asked = {(query.report.name, cell.column) for each in projects for query, cell, _ in each.cells()}
    assert asked == set(ANSWERS)


def test_the_listed_events_give_the_number_to_pandas_and_their_copies_are_counted(
    projects: list[Project],
) -> None:
    cells = [(each, *found) for each in projects for found in each.cells()]
    rng = Random(SEED)
    picked = rng.sample(cells, min(CELLS, len(cells))) + rng.choices(cells, k=max(0, CELLS - len(cells)))
    assert len(picked) == CELLS
    for of, query, cell, value in picked:
        events = listing(query, cell)
        listed = of.lake.records(events.sql)
        expected = ANSWERS[query.report.name, cell.column](of.frame(listed), cell.keys)
        assert expected == value if isinstance(expected, Near) else same_value(expected, value), str(cell)
        ids = [row["penstock_event_id"] for row in listed]
        extra = sum(row["penstock_copies"] - 1 for row in listed)
        if query.report.dedupe:
            assert len(ids) == len(set(ids)), str(cell)
            assert extra == sum(of.times[each] - 1 for each in ids), str(cell)
        told = of.lake.records(proved(query, cell, events))
        assert sum(row["events"] or 0 for row in told) == len(listed), str(cell)
        assert sum(row["copies"] or 0 for row in told) == extra, str(cell)
        assert {row["penstock_rows"] for row in told} <= {0, 1}, str(cell)
        (alone,) = {row["penstock_value"] for row in told}
        assert same_value(alone, value) or (not listed and value in (0, None)), str(cell)

"""A year that no stream ever carried: flights and weather imported from files, by the command alone. The same
flights once more by a stream that is inferred from the file, joined with a reference table of airlines.

PENSTOCK_TEST_FLIGHTS=336776 takes all of it (`make import-flights`), and prints how long each step took.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.end_to_end.conftest import Shell, shell_in
from tests.flights import answers as independent
from tests.flights.answers import Answers, Row

pytestmark = pytest.mark.cloud
COUNT = int(os.environ.get("PENSTOCK_TEST_FLIGHTS", "2000"))
PROJECT = Path(__file__).parents[1] / "flights"
LEGS = COUNT if COUNT > 2000 else 600
AIRLINES = """title = "Airlines by their code"
owner = "airports"
keys = ["carrier"]

[columns]
carrier = "varchar"
name = "varchar"
"""
BY_AIRLINE = """-- report:    legs_by_airline
-- title:     Departures by day and airline
-- owner:     airports
-- source:    legs_events
-- reference: airlines
-- grain:     event_date
-- columns:   airline varchar, flights bigint
-- keys:      airline
-- checks:    unique(airline), not_null(airline)
SELECT legs_events.event_date, airlines.name AS airline, count(*) AS flights
FROM legs_events
LEFT JOIN reference_airlines AS airlines ON airlines.carrier = leg_recorded.carrier
WHERE event_type = 'leg_recorded'
GROUP BY legs_events.event_date, airlines.name
"""
CLOCK_CHANGES = ("2013-03-10", "2013-11-03")
"""Days of New York with 23 and with 25 hours. They are among the flights however few those are."""
COLUMNS = {
    "departures_by_hour": ("event_hour", "origin", "flights", "cancelled", "delay_minutes"),
    "carriers_by_day": ("event_date", "carrier", "flights", "cancelled", "delay_minutes"),
    "departures_by_local_day": ("event_date", "origin", "flights", "cancelled", "delay_minutes"),
    "weather_by_hour": ("event_hour", "airport", "temperature", "wind_mph", "rain_inches"),
}


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = shutil.copytree(PROJECT, tmp_path_factory.mktemp("year") / "flights")
    with shell_in(folder) as shell:
        legs = flown_legs()
        sample = written(legs, folder.parent / "legs.csv")
        shell.run("add", "stream", "legs", "--from", sample)
        add_airlines(folder)
        shell.run("local", "up")
        (published,) = shell.json("reference", "publish")
        assert (published["table"], published["rows"]) == ("reference_airlines", 16)
        found = imported(shell, sample, "legs")
        assert (found["landed"], found["failed"]) == (len(legs), 0)
        if LEGS == COUNT:  # their reports would share the machine with the imports whose time is taken
            shell.run("reports", "refresh", "--wait", "--timeout", "1800")
        yield shell


def cut() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first flights, in order of time, with the weather until the last of them; and some of the days on
    which clocks were changed.
    """
    every, measured = independent.flights().sort_values("time_hour", kind="stable"), independent.weather()
    if len(every) <= COUNT:
        return every, measured
    first = every.head(COUNT)
    changed = every[independent.local_days(every).isin(CLOCK_CHANGES)].iloc[::5]
    return pd.concat([first, changed]), measured[measured["time_hour"] <= first["time_hour"].max()]


def flown_legs() -> pd.DataFrame:
    """The first of the flights, a day of them; all where all are asked for."""
    flown, _ = cut()
    return flown.head(LEGS)


def add_airlines(folder: Path) -> None:
    """A reference table of airlines, and a report that joins it."""
    (folder / "reference").mkdir()
    (folder / "reference/airlines.toml").write_text(AIRLINES)
    shutil.copy(independent.package_file("airlines.csv"), folder / "reference/airlines.csv")
    (folder / "reports/legs_by_airline.sql").write_text(BY_AIRLINE)


def reported(shell: Shell) -> Answers:
    """What the reports say."""
    found: dict[str, list[Row]] = {}
    for report, names in COLUMNS.items():
        rows = shell.rows(f"SELECT {', '.join(names)} FROM {report} ORDER BY {names[0]}, {names[1]}")
        found[report] = [tuple(row[name] for name in names) for row in rows]
    return Answers(**found)


def served(shell: Shell) -> list[Any]:
    """The files that readers of the reports see: no byte of a report changes without another file."""
    names = {report: columns[0] for report, columns in COLUMNS.items()}
    return [
        shell.rows(f'SELECT DISTINCT {grain}, "$path" FROM {report} ORDER BY 1, 2')
        for report, grain in names.items()
    ]


def receipt_rows(flown: pd.DataFrame, hour: str, origin: str, column: str) -> pd.DataFrame:
    """The flights behind a number of `departures_by_hour`."""
    of_hour = pd.to_datetime(flown["time_hour"], utc=True).dt.strftime("%Y-%m-%d-%H") == hour
    rows = flown[of_hour & (flown["origin"] == origin)]
    return rows if column == "flights" else rows[rows["dep_delay"].notna()]


def written(frame: pd.DataFrame, path: Path) -> str:
    frame.to_csv(path, index=False)
    return str(path)


def imported(shell: Shell, path: str, source: str) -> dict[str, Any]:
    began = time.monotonic()
    found: dict[str, Any] = shell.json("import", path, "--source", source)
    print(f"import {Path(path).name}: {found['landed']:,} landed, {time.monotonic() - began:.1f} s")  # noqa: T201
    return found


def test_files_become_the_reports_that_pandas_makes_of_them_and_no_later_copy_changes_a_byte(
    year: Shell, tmp_path: Path
) -> None:
    flown, measured = cut()
    whole = written(flown, tmp_path / "flights.csv")
    first = imported(year, whole, "flights")
    assert (first["landed"], first["failed"], first["hours"]) == (len(flown), 0, flown["time_hour"].nunique())
    assert imported(year, written(measured, tmp_path / "weather.csv"), "weather")["landed"] == len(measured)
    began = time.monotonic()
    year.run("reports", "refresh", "--wait", "--timeout", "1800")
    print(f"reports: {time.monotonic() - began:.1f} s")  # noqa: T201

    found, expected = reported(year), independent.answers(flown, measured)
    for report in COLUMNS:
        assert getattr(found, report) == getattr(expected, report), report
    if len(flown) == independent.ALL_FLIGHTS:
        cancelled = sum(row[3] for row in found.carriers_by_day)
        delay = sum(row[4] for row in found.carriers_by_day) / (len(flown) - cancelled)
        assert (cancelled, delay) == (independent.CANCELLED, independent.MEAN_DELAY)
    accounts = year.json("reconcile", "--wait", "60")
    assert (accounts["balanced"], accounts["landed"]) == (
        True,
        len(flown) + len(measured) + len(flown_legs()),
    )

    hour, origin, flights, _, delay = max(expected.departures_by_hour, key=lambda row: row[2])
    for column, value in (("flights", flights), ("delay_minutes", delay)):
        receipt = year.json("explain", "departures_by_hour", hour, f"origin={origin}", column)
        assert (receipt["value"], receipt["untraced"], receipt["findings"]) == (value, "", [])
        assert receipt["events"] == len(receipt_rows(flown, hour, origin, column))

    days = {day for day, *_ in found.departures_by_local_day}
    assert days.issuperset(CLOCK_CHANGES)

    before = served(year)
    for name, rows in {
        "again": flown,
        "shuffled": flown.sample(frac=1, random_state=5),
    }.items():
        copy = imported(year, written(rows, tmp_path / f"{name}.csv"), "flights")
        assert (copy["landed"], copy["already_there"], copy["corrections"]) == (0, len(rows), 0)
    year.run("reports", "refresh", "--wait", "--timeout", "1800")
    assert served(year) == before

    sent = flown.head(40)
    again = year.json("demo", "--from", written(sent, tmp_path / "sent.csv"), "--source", "flights")
    assert (again["produced"], again["balanced"], again["failed"]) == (len(sent), True, 0)
    assert reported(year) == expected, "a row that the stream brings, too, is the event that was imported"


def test_a_stream_that_was_added_from_a_sample_says_what_pandas_says_of_the_file_and_its_join(
    year: Shell,
) -> None:
    legs = flown_legs()
    year.run("reports", "refresh", "--wait", "--timeout", "1800")
    by_hour = "SELECT event_hour, origin_group, events, dep_delay_total, dep_delay_known FROM legs_by_hour"
    assert sorted(tuple(row.values()) for row in year.rows(by_hour)) == independent.delays_by_hour(legs)
    by_airline = year.rows("SELECT event_date, airline, flights FROM legs_by_airline")
    assert sorted(tuple(row.values()) for row in by_airline) == independent.flights_by_airline(legs)

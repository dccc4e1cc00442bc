"""Ticks of an axis of time, by the granularity of its dimension, in Vega-Lite's words."""

from collections.abc import Mapping
from typing import Any

_AT_MIDNIGHT = "utchours(datum.value) === 0 && utcminutes(datum.value) === 0"
_DAY, _TIME = "utcFormat(datum.value, '%d %b')", "utcFormat(datum.value, '%H:%M')"

# Midnight says the day, every other tick the hour: short enough for a narrow card.
_HOURS = {"tickCount": 6, "labelExpr": f"utchours(datum.value) === 0 ? {_DAY} : {_TIME}"}
# Of a few days, ticks are hours apart: one of them names the day, or it would be there several times.
_DAYS = {"tickCount": 6, "labelExpr": f"{_AT_MIDNIGHT} ? {_DAY} : ''"}
# Six ticks of a few months would be weeks apart, and none of them a month's first day.
_MONTHS = {"tickCount": {"interval": "month", "step": 1}, "format": "%b %Y"}
_QUARTERS = {"tickCount": {"interval": "month", "step": 3}, "format": "%b %Y"}
_YEARS = {"tickCount": {"interval": "year", "step": 1}, "format": "%Y"}
_BY_UNIT: Mapping[str, Mapping[str, Any]] = {
    "minute": _HOURS,
    "hour": _HOURS,
    "month": _MONTHS,
    "quarter": _QUARTERS,
    "year": _YEARS,
}


def ticks(unit: str) -> Mapping[str, Any]:
    """How many ticks, and what is written at them: no day, month or year twice."""
    return _BY_UNIT.get(unit, _DAYS)

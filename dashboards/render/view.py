"""What a visual is drawn from, and how a value leaves as JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from dashboards.render.page import Page
from dashboards.render.state import State

Run = Callable[[str, Mapping[str, Any]], list[tuple[Any, ...]]]
"""Runs SQL over the datasets' tables with named parameters and gives all rows."""


@dataclass(frozen=True)
class View:
    """Everything a visual is drawn from, but itself."""

    page: Page
    state: State
    now: datetime
    run: Run
    rules: Mapping[str, str]
    colors: Mapping[str, Sequence[str]]


def plain(value: Any) -> Any:
    """A value as JSON has it, unrounded: times in ISO (UTC), decimals as numbers."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def axis_value(value: Any) -> Any:
    """A value as a chart's data has it: as `plain`, but times in milliseconds."""
    if isinstance(value, datetime):
        return int(value.replace(tzinfo=UTC).timestamp() * 1000)
    return plain(value)

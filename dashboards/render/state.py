"""What a viewer has chosen: parameters, filters, clicks, drills. All of it fits in a page's address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Drill:
    """One step down a time hierarchy: the unit that was entered and its start (UTC, ISO)."""

    unit: str
    start: str


@dataclass(frozen=True)
class State:
    """Everything chosen.

    Attributes:
        parameters: parameter name -> values, as text (times in ISO, UTC).
        picks: filter id -> values chosen; absent or empty for all.
        clicks: visual id -> value of the clicked category, as text.
        drills: visual id -> steps, outermost first.
    """

    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    picks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clicks: Mapping[str, str] = field(default_factory=dict)
    drills: Mapping[str, tuple[Drill, ...]] = field(default_factory=dict)


def time_of(text: str) -> datetime:
    """An ISO time as naive UTC, which is how every time of a dataset is kept. Raises ValueError."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is not None:
        found = (found - (found.utcoffset() or found - found)).replace(tzinfo=None)
    return found

"""A dashboard as declared: reports, measures, filters, sheets, visuals.

Refused at construction, with file:line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

VisualKind = Literal["kpi", "bar", "line", "stacked_area", "combo", "pie", "table", "pivot", "insight"]
KINDS: tuple[str, ...] = ("kpi", "bar", "line", "stacked_area", "combo", "pie", "table", "pivot", "insight")
FORMATS = ("integer", "decimal", "percent", "bytes", "seconds", "money")
GRANULARITIES = ("hour", "day", "week", "month")
GRID_COLUMNS, GRID_ROW_SPAN = 36, 21


@dataclass(frozen=True)
class Measure:
    """An aggregate with a name: the same text is deployed and previewed.

    `currency`: for an amount of minor units, the column that says which currency it is in; else empty.
    """

    name: str
    title: str
    expression: str
    format: str
    line: int
    currency: str = ""


@dataclass(frozen=True)
class DerivedField:
    """A value per row, computed from columns."""

    name: str
    title: str
    expression: str
    line: int


@dataclass(frozen=True)
class Access:
    """Row-level security: group -> the values of `column` that it sees; no values mean all of them."""

    column: str
    groups: Mapping[str, tuple[str, ...]]
    line: int


@dataclass(frozen=True)
class Source:
    """How a report is used: its import mode, when it counts as stale, its measures, derived fields and access
    rules.
    """

    report: str
    import_mode: Literal["direct", "spice"]
    stale_after_seconds: int
    measures: Mapping[str, Measure]
    fields: Mapping[str, DerivedField]
    access: Access | None
    file: str
    line: int


@dataclass(frozen=True)
class Filter:
    """A filter of the whole dashboard: `range` over the time columns, `pick` over one column or derived
    field.

    A range begins as the last `default_hours`, or as the days from `first` to before `last` if it has them.
    """

    id: str
    kind: Literal["range", "pick"]
    title: str
    report: str
    column: str
    default_hours: int
    line: int
    first: str = ""
    last: str = ""


@dataclass(frozen=True)
class Axis:
    """A column on an axis, with the granularity of a time column."""

    column: str
    granularity: str = ""


@dataclass(frozen=True)
class Visual:
    """One visual of a sheet. `y` are measures on the primary axis, `second` those on a combo's line axis."""

    id: str
    kind: VisualKind
    report: str
    title: str
    x: Axis | None
    y: tuple[str, ...]
    second: tuple[str, ...]
    color: Axis | None
    horizontal: bool
    sort: Literal["x", "y"]
    limit: int
    click: Literal["", "filter"]
    drill: bool
    span: tuple[int, int]
    line: int


@dataclass(frozen=True)
class Sheet:
    """A page of visuals, placed left to right and top to bottom in the order written."""

    id: str
    title: str
    visuals: tuple[Visual, ...]
    line: int


@dataclass(frozen=True)
class Dashboard:
    """A declared dashboard. `name` is the file's name."""

    name: str
    title: str
    about: str
    sources: Mapping[str, Source]
    filters: tuple[Filter, ...]
    sheets: tuple[Sheet, ...]
    file: str

    @property
    def visuals(self) -> tuple[Visual, ...]:
        """Every visual of every sheet."""
        return tuple(visual for sheet in self.sheets for visual in sheet.visuals)

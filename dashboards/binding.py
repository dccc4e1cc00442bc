"""A declaration against the report contracts: every column that a visual, filter or measure names must be
there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dashboards.column_types import Kind, UnknownColumnTypeError, of_contract
from dashboards.expressions.parse import parse
from dashboards.expressions.tree import ExpressionError, fields
from dashboards.model import Dashboard, Source, Visual
from queries.contracts import Report

TIME_COLUMN = {"event_hour": "hour_start", "event_date": "day_start"}
"""Grain -> the DATETIME column that the dataset derives from the report's string partition column."""
TIME_FORMAT = {"event_hour": "%Y-%m-%d-%H", "event_date": "%Y-%m-%d"}
"""Grain -> how its partition column writes the time."""
GRAIN_HOURS = {"event_hour": 1, "event_date": 24}


@dataclass(frozen=True)
class Mismatch:
    """One thing that a declaration names and the contracts lack (or hold with another type)."""

    file: str
    line: int
    report: str
    column: str
    message: str
    visuals: tuple[str, ...]

    def __str__(self) -> str:
        hit = f" Hits: {', '.join(self.visuals)}." if self.visuals else ""
        return f"{self.file}:{self.line}: {self.message}{hit}"


class ContractMismatchError(ValueError):
    """Nothing is emitted: the declaration and the report contracts do not agree. `mismatches` say where."""

    def __init__(self, mismatches: tuple[Mismatch, ...]) -> None:
        super().__init__("\n".join(str(mismatch) for mismatch in mismatches))
        self.mismatches = mismatches


def columns(report: Report) -> Mapping[str, str]:
    """The dataset's columns in order, name -> Athena type: the time column, then the contract's."""
    named = {TIME_COLUMN[report.grain]: "timestamp"}
    for column in report.columns:
        if column.name in named:
            raise ContractMismatchError(
                (
                    Mismatch(
                        report.file,
                        column.line,
                        report.name,
                        column.name,
                        f"Column {column.name!r} is derived from the grain; the report must not declare it.",
                        (),
                    ),
                )
            )
        named[column.name] = column.type
    return named


def kinds(report: Report) -> Mapping[str, Kind]:
    """What each column of the dataset is to a visual.

    Raises ContractMismatchError for a type QuickSight lacks.
    """
    found: dict[str, Kind] = {}
    for name, athena in columns(report).items():
        try:
            found[name] = of_contract(athena).kind
        except UnknownColumnTypeError as error:
            line = next((column.line for column in report.columns if column.name == name), 1)
            mismatch = Mismatch(report.file, line, report.name, name, str(error), ())
            raise ContractMismatchError((mismatch,)) from error
    return found


def kind_of(name: str, source: Source, known: Mapping[str, Kind]) -> Kind | None:
    """What a column or derived field of a report is; None when the report has neither."""
    return "text" if name in source.fields else known.get(name)


def mismatches(dashboard: Dashboard, reports: Mapping[str, Report]) -> tuple[Mismatch, ...]:
    """Everything in `dashboard` that the contracts do not carry, in order of lines."""
    found: list[Mismatch] = []
    for source in dashboard.sources.values():
        if source.report not in reports:
            hit = tuple(visual.id for visual in dashboard.visuals if visual.report == source.report)
            found.append(
                Mismatch(
                    source.file,
                    source.line,
                    source.report,
                    "",
                    f"There is no report {source.report!r}. Known: {', '.join(reports)}.",
                    hit,
                )
            )
            continue
        try:
            known = kinds(reports[source.report])
        except ContractMismatchError as error:
            found.extend(error.mismatches)
            continue
        found.extend(_of_source(dashboard, source, known))
    return tuple(sorted(found, key=lambda mismatch: (mismatch.file, mismatch.line, mismatch.column)))


def users(dashboard: Dashboard, report: str, column: str) -> tuple[str, ...]:
    """Ids of the visuals, filters and unshown measures that read `column` of `report`, straight or through
    a measure or
    field.
    """
    source = dashboard.sources[report]
    fields_hit = {name for name, field in source.fields.items() if column in _named(field.expression)}
    measures_hit = {
        name
        for name, measure in source.measures.items()
        if {column, *fields_hit} & _named(measure.expression)
    }
    hit = [
        visual.id
        for visual in dashboard.visuals
        if visual.report == report
        and ({column, *fields_hit} & _axes(visual) or measures_hit & {*visual.y, *visual.second})
    ]
    shown = {
        name
        for visual in dashboard.visuals
        if visual.report == report
        for name in (*visual.y, *visual.second)
    }
    hit += [f"measure {name}" for name in sorted(measures_hit - shown)]
    hit += [
        f"filter {entry.id}"
        for entry in dashboard.filters
        if entry.kind == "pick" and entry.report == report and entry.column in {column, *fields_hit}
    ]
    if source.access is not None and source.access.column == column:
        hit.append("row-level security")
    return tuple(hit)


def _axes(visual: Visual) -> set[str]:
    return {axis.column for axis in (visual.x, visual.color) if axis is not None}


def _named(expression: str) -> set[str]:
    try:
        return {field.name for field in fields(parse(expression))}
    except ExpressionError:
        return set()


def _of_source(dashboard: Dashboard, source: Source, known: Mapping[str, Kind]) -> Iterable[Mismatch]:
    def missing(column: str, line: int, what: str) -> Mismatch:
        return Mismatch(
            source.file,
            line,
            source.report,
            column,
            f"{what} names {column!r}, which report {source.report!r} does not have. Columns: "
            f"{', '.join(known)}.",
            users(dashboard, source.report, column),
        )

    for field in source.fields.values():
        if field.name in known:
            yield Mismatch(
                source.file,
                field.line,
                source.report,
                field.name,
                f"Field {field.name!r} has the name of a column. Rename the field.",
                (),
            )
        for name in sorted(_named(field.expression) - set(known)):
            yield missing(name, field.line, f"Field {field.name!r}")
    for measure in source.measures.values():
        for name in sorted(_named(measure.expression) - set(known) - set(source.fields)):
            yield missing(name, measure.line, f"Measure {measure.name!r}")
    if source.access is not None:
        if source.access.column not in known:
            yield missing(source.access.column, source.access.line, "Row-level security")
        elif known[source.access.column] != "text":
            yield Mismatch(source.file, source.access.line, source.report, source.access.column,
                           f"Row-level security needs a text column; {source.access.column!r} is a "
                           f"{known[source.access.column]}.", ())  # fmt: skip
    for entry in dashboard.filters:
        if (
            entry.kind == "pick"
            and entry.report == source.report
            and entry.column not in {*known, *source.fields}
        ):
            yield missing(entry.column, entry.line, f"Filter {entry.id!r}")
    for visual in dashboard.visuals:
        if visual.report == source.report:
            yield from _of_visual(visual, source, known, missing)


def _of_visual(visual: Visual, source: Source, known: Mapping[str, Kind], missing) -> Iterable[Mismatch]:  # type: ignore[no-untyped-def]
    for axis in (visual.x, visual.color):
        if axis is None or axis.column in source.fields:
            continue
        if axis.column not in known:
            yield missing(axis.column, visual.line, f"Visual {visual.id!r}")
        elif (known[axis.column] == "time") != bool(axis.granularity):
            wanted = (
                "needs a granularity, as in 'hour_start:hour'"
                if known[axis.column] == "time"
                else "takes none"
            )
            yield Mismatch(
                source.file,
                visual.line,
                source.report,
                axis.column,
                f"Column {axis.column!r} is a {known[axis.column]} and {wanted}.",
                (visual.id,),
            )

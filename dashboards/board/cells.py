"""Which numbers of a report a number on the page is computed from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dashboards.binding import TIME_COLUMN, TIME_FORMAT
from dashboards.expressions.duckdb_sql import quoted
from dashboards.expressions.tree import fields
from dashboards.render.compile import Query, parameters
from dashboards.render.page import Page, VisualView
from dashboards.render.tile import result
from dashboards.render.view import View, plain
from dashboards.render.wells import Out
from queries.contracts import Report

MOST_ROWS = 200
"""Rows of a report that are listed behind one number; the newest."""


class NumberGoneError(LookupError):
    """The page has no such number, or not any more."""


@dataclass(frozen=True)
class Behind:
    """What a number is computed from: cells of one report, each with its partition, keys, column and value.

    `total` is how many there are; `cells` may be the newest of them.
    """

    title: str
    text: str
    report: str
    cells: tuple[Mapping[str, Any], ...]
    total: int


def behind(
    view: View, visual: VisualView, reports: Mapping[str, Report], column: str, at: Mapping[str, str]
) -> Behind:
    """The cells behind the visual's number in `column` of the row whose dimensions have the values `at`.

    Both are named by alias; a dimension without a value is NULL. Raises NumberGoneError, ExpressionError,
    UnsupportedError.
    """
    query, rows = result(view, visual)
    out = next((each for each in query.outs if each.is_measure and each.alias == column), None)
    report = reports.get(query.data_set)
    if out is None or report is None:
        raise NumberGoneError(f"{visual.title} has no number of a report in {column!r}.")
    dimensions = [(at_, each) for at_, each in enumerate(query.outs) if not each.is_measure]
    found = [row for row in rows if all(_is(row[at_], at.get(each.alias)) for at_, each in dimensions)]
    if len(found) != 1:
        raise NumberGoneError(
            f"{visual.title} has no such row any more: there are newer numbers. Go back to see them."
        )
    (row,) = found
    values = {f"at_{each.alias}": row[at_] for at_, each in dimensions}
    total, listed = _rows(view, query, report, [each for _, each in dimensions], values)
    columns = columns_of(view.page, out, report)
    labels = [each.text(row[at_]) for at_, each in dimensions]
    of = {each.column: row[at_] for at_, each in dimensions}
    return Behind(
        title=": ".join(dict.fromkeys([visual.title, ", ".join([*labels, out.label])])),
        text=out.text(row[query.outs.index(out)], of.get(out.currency)),
        report=report.name,
        cells=tuple(_cells(report, listed, columns)),
        total=total * len(columns),
    )


def columns_of(page: Page, out: Out, report: Report) -> list[str]:
    """The report's numbers that a measure reads; all of them where it only counts rows or keys."""
    numbers = [each.name for each in report.columns if each.name not in report.keys]
    read = set(_leaves(page, out.data_set, out.column))
    return [name for name in numbers if name in read] or numbers


def _leaves(page: Page, data_set: str, name: str) -> Iterator[str]:
    """The columns that a field is computed from, through fields of fields."""
    node = page.names(data_set).fields.get(name)
    if node is None:
        yield name
        return
    for each in fields(node):
        yield from _leaves(page, data_set, each.name)


def _rows(
    view: View, query: Query, report: Report, dimensions: Sequence[Out], values: Mapping[str, Any]
) -> tuple[int, list[dict[str, Any]]]:
    """How many rows of the report are behind a row of the visual, and the newest of them."""
    time = TIME_COLUMN[report.grain]
    names = [time, *(each.name for each in report.columns)]
    where = " AND ".join(f"{out.sql} IS NOT DISTINCT FROM $at_{out.alias}" for out in dimensions) or "true"
    order = ", ".join([f"{quoted(time)} DESC", *map(quoted, report.keys)])
    text = (
        f"{query.begins} SELECT count(*) OVER (), {', '.join(map(quoted, names))} FROM base "  # noqa: S608
        f"WHERE {where} ORDER BY {order} LIMIT {MOST_ROWS}"
    )
    given = {**parameters(view.page, view.state, view.now, text), **values}
    found = view.run(text, given)
    return (found[0][0] if found else 0), [dict(zip(names, row[1:], strict=True)) for row in found]


def _cells(
    report: Report, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> Iterator[dict[str, Any]]:
    types = {each.name: each.type for each in report.columns}
    for row in rows:
        partition = row[TIME_COLUMN[report.grain]].strftime(TIME_FORMAT[report.grain])
        keys = {name: as_declared(row[name], types[name]) for name in report.keys}
        for column in columns:
            value = as_declared(row[column], types[column])
            yield {"partition": partition, "keys": keys, "column": column, "value": value}


def as_declared(value: Any, type_name: str) -> Any:
    """A dataset has times only: a date is one again."""
    if type_name == "date" and isinstance(value, datetime):
        return date(value.year, value.month, value.day)
    return value


def _is(value: Any, said: str | None) -> bool:
    """Whether a page's text stands for this value."""
    shown = plain(value)
    if shown is None or said is None:
        return shown is said
    if isinstance(shown, bool):
        return said == str(shown).lower()
    if isinstance(shown, int | float):
        try:
            return float(said) == float(shown)
        except ValueError:
            return False
    return bool(said == shown)

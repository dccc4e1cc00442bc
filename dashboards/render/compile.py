"""A visual as one SQL query: base rows, filters, groups, filters on groups, order, limit, and "Other"."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboards.expressions.duckdb_sql import PARAMETER_PREFIX, literal, quoted
from dashboards.render.filters import predicates
from dashboards.render.page import Page, VisualView, every
from dashboards.render.state import State, time_of
from dashboards.render.wells import FINER, Out, alias, field_over, outs

MAX_ROWS = 2_000
"""Marks in a chart and rows in a table; a longer result is cut, and the visual says so."""
OTHER = "Other"
_SPANS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1),
          "week": timedelta(days=7)}  # fmt: skip


@dataclass(frozen=True)
class Query:
    """SQL over the dataset's table, its parameters, and the columns of the result.

    `base`: the rows behind the visual, after filters; also SQL. `begins`: the WITH clause that names them,
    and what else the columns' expressions read.
    """

    sql: str
    base: str
    begins: str
    parameters: Mapping[str, Any]
    outs: tuple[Out, ...]
    data_set: str


def compiled(page: Page, visual: VisualView, state: State, now: datetime, rules: Mapping[str, str]) -> Query:
    """The query of a visual. `rules`: dataset -> condition of row-level security for the viewer.

    Raises ExpressionError and UnsupportedError.
    """
    units = drilled_units(visual, state)
    found = outs(page, visual, units)
    data_set = found[0].data_set
    base, having = _base(page, visual, data_set, state, rules)
    dimensions = [out for out in found if not out.is_measure]
    top = _top(visual, found)
    selected = list(found)
    with_ = f"WITH base AS ({base})"
    if top:
        category = next(out for out in dimensions if out.role == "category")
        limited = f"SELECT {category.sql} AS k FROM base GROUP BY 1 ORDER BY {top.order} LIMIT {top.limit}"  # noqa: S608
        with_ += f", top AS ({limited})"
        text = f"CAST({category.sql} AS VARCHAR)"
        kept = f"CASE WHEN {category.sql} IN (SELECT k FROM top) THEN {text}"  # noqa: S608
        folded = Out(**{**category.__dict__, "sql": f"{kept} ELSE {literal(OTHER)} END"})
        selected = [folded if out is category else out for out in found]
    columns = ", ".join(f"{out.sql} AS {alias(out)}" for out in selected)
    text = f"{with_} SELECT {columns} FROM base"  # noqa: S608
    if dimensions:
        text += " GROUP BY " + ", ".join(str(at + 1) for at in range(len(dimensions)))
    if having:
        text += f" HAVING {' AND '.join(having)}"
    text += _order(visual, selected, is_folded=top is not None) + f" LIMIT {MAX_ROWS + 1}"
    return Query(text, base, with_, parameters(page, state, now, f"{text} {base}"), tuple(selected), data_set)


def base_rows(
    page: Page, visual: VisualView, data_set: str, state: State, now: datetime, rules: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    """The rows behind a visual, and the parameters of that SQL."""
    base, _ = _base(page, visual, data_set, state, rules)
    return base, parameters(page, state, now, base)


def parameters(page: Page, state: State, now: datetime, text: str) -> dict[str, Any]:
    """The parameters that `text` names, with their values."""
    every_one = {f"{PARAMETER_PREFIX}{name}": value for name, value in page.values(state, now).items()}
    every_one["now"] = now
    return {name: value for name, value in every_one.items() if f"${name}" in text}


def drilled_units(visual: VisualView, state: State) -> dict[str, str]:
    """Field id -> granularity, for a time dimension with a hierarchy that the viewer has entered."""
    steps = state.drills.get(visual.id, ())
    if not steps:
        return {}
    finest = FINER.get(steps[-1].unit, steps[-1].unit)
    return {
        body["FieldId"]: finest for body in every(visual.body, "DateDimensionField") if "HierarchyId" in body
    }


def _base(
    page: Page, visual: VisualView, data_set: str, state: State, rules: Mapping[str, str]
) -> tuple[str, list[str]]:
    conditions = predicates(page, visual, data_set, state)
    where = [condition.sql for condition in conditions if not condition.on_groups]
    where += _clicked(page, visual, data_set, state)
    where += _drilled(visual, state)
    if data_set in rules:
        where.append(rules[data_set])
    text = f"SELECT * FROM {quoted(data_set)}"  # noqa: S608
    if where:
        text += " WHERE " + " AND ".join(where)
    return text, [condition.sql for condition in conditions if condition.on_groups]


def _clicked(page: Page, visual: VisualView, data_set: str, state: State) -> list[str]:
    """Conditions of clicks on other visuals of the sheet whose action targets this one."""
    found = []
    for source, field_id, value in _clicks_on(page, visual, state):
        out = field_over(page, source, field_id, data_set)
        if out is None:
            continue
        if out.kind == "time":
            found.append(f"{out.sql} = TIMESTAMP {literal(time_of(value).isoformat(sep=' '))}")
        else:
            found.append(f"CAST({out.sql} AS VARCHAR) = {literal(value)}")
    return found


def not_clicked(page: Page, visual: VisualView, data_set: str, state: State) -> list[str]:
    """Labels of what was clicked on for this visual too, and that its dataset has no column for."""
    return [
        next((out.label for out in outs(page, source, {}) if out.field_id == field_id), field_id)
        for source, field_id, _ in _clicks_on(page, visual, state)
        if field_over(page, source, field_id, data_set) is None
    ]


def _clicks_on(page: Page, visual: VisualView, state: State) -> Iterator[tuple[VisualView, str, str]]:
    """(visual clicked on, id of the field, value) of every click that targets a visual."""
    for source_id, value in state.clicks.items():
        source = page.visuals.get(source_id)
        if source is None or source.id == visual.id or source.sheet_id != visual.sheet_id:
            continue
        for field_id, is_target in click_fields(source, visual.id):
            if is_target:
                yield source, field_id, value


def click_fields(visual: VisualView, target_id: str = "") -> list[tuple[str, bool]]:
    """(field id, whether `target_id` is a target) of every filter action on a click."""
    found = []
    for action in visual.body.get("Actions", []):
        if action.get("Status", "ENABLED") != "ENABLED" or action.get("Trigger") != "DATA_POINT_CLICK":
            continue
        for operation in action.get("ActionOperations", []):
            body = operation.get("FilterOperation", {})
            targets = body.get("TargetVisualsConfiguration", {}).get("SameSheetTargetVisualConfiguration", {})
            is_target = targets.get("TargetVisualOptions") == "ALL_VISUALS" or target_id in targets.get(
                "TargetVisuals", []
            )
            fields = body.get("SelectedFieldsConfiguration", {}).get("SelectedFields", [])
            found += [(field_id, is_target) for field_id in fields]
    return found


def _drilled(visual: VisualView, state: State) -> list[str]:
    found = []
    for step in state.drills.get(visual.id, ()):
        for body in every(visual.body, "DateDimensionField"):
            if "HierarchyId" not in body:
                continue
            start = time_of(step.start)
            end = start + _SPANS[step.unit] if step.unit in _SPANS else _next_month(start)
            column = quoted(body["Column"]["ColumnName"])
            low, high = literal(start.isoformat(sep=" ")), literal(end.isoformat(sep=" "))
            found.append(f"({column} >= TIMESTAMP {low} AND {column} < TIMESTAMP {high})")
    return found


def _next_month(start: datetime) -> datetime:
    return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)


@dataclass(frozen=True)
class _Top:
    limit: int
    order: str


def _top(visual: VisualView, found: list[Out]) -> _Top | None:
    """The category limit, when the Definition sets one and keeps the rest as Other."""
    sorting = visual.chart.get("SortConfiguration", {})
    limit: Mapping[str, Any] = next(
(sorting[name] for name in ("CategoryItemsLimit", "CategoryItemsLimitConfiguration")
                  if name in sorting), {})  # fmt: skip
    categories = [out for out in found if out.role == "category"]
    if not limit.get("ItemsLimit") or len(categories) != 1 or categories[0].kind == "time":
        return None
    sorts = _sorts(visual, found)
    order = ", ".join(f"{out.sql} {way} NULLS LAST" for out, way in sorts) or "1"
    return _Top(int(limit["ItemsLimit"]), f"{order}, 1")


def _sorts(visual: VisualView, found: list[Out]) -> list[tuple[Out, str]]:
    by_id = {out.field_id: out for out in found}
    sorting = visual.chart.get("SortConfiguration", {})
    entries: list[Mapping[str, Any]] = next(
        (sorting[name] for name in ("CategorySort", "RowSort", "TrendGroupSort") if name in sorting), []
    )
    result = []
    for entry in entries:
        sort = entry.get("FieldSort", {})
        if sort.get("FieldId") in by_id:
            result.append((by_id[sort["FieldId"]], str(sort.get("Direction", "ASC"))))
    return result


def _order(visual: VisualView, selected: list[Out], *, is_folded: bool) -> str:
    """The declared order, then every dimension, so that equal values keep one order."""
    parts = []
    if is_folded:
        category = next(out for out in selected if out.role == "category")
        parts.append(f"({alias(category)} = {literal(OTHER)})")
    parts += [f"{alias(out)} {way} NULLS LAST" for out, way in _sorts(visual, selected)]
    parts += [alias(out) for out in selected if not out.is_measure]
    return f" ORDER BY {', '.join(parts)}" if parts else ""

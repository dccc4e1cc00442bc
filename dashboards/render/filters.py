"""Filters as SQL predicates: what the Definition declares, with what the viewer has chosen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.expressions.duckdb_sql import PARAMETER_PREFIX, literal, sql
from dashboards.expressions.functions import truncated
from dashboards.expressions.tree import ExpressionError, Field
from dashboards.expressions.typing import UnsupportedError, typed
from dashboards.render.page import Page, VisualView, every, in_scope
from dashboards.render.state import State

_UNITS = {
    "YEAR": "year",
    "QUARTER": "quarter",
    "MONTH": "month",
    "WEEK": "week",
    "DAY": "day",
    "HOUR": "hour",
    "MINUTE": "minute",
}
_COMPARE = {"EQUALS": "=", "DOES_NOT_EQUAL": "<>"}


@dataclass(frozen=True)
class Predicate:
    """An SQL condition; `on_groups` when it is about aggregates, so that it belongs to HAVING."""

    sql: str
    on_groups: bool = False


def predicates(page: Page, visual: VisualView, data_set: str, state: State) -> list[Predicate]:
    """Conditions in force on a visual over a dataset. Raises ExpressionError, UnsupportedError."""
    found = []
    for group, member, body in page.filters:
        if not in_scope(group, visual) or not _acts_on(page, group, body, data_set):
            continue
        if member not in _READERS:
            raise UnsupportedError(f"Filters of the kind {member} are not supported by the preview.")
        reader = _Reader(page, data_set, body, state)
        condition = _READERS[member](reader)
        if condition:
            found.append(Predicate(condition, reader.on_groups))
    return found


def _acts_on(page: Page, group: Mapping[str, Any], body: Mapping[str, Any], data_set: str) -> bool:
    """Whether a filter is about a dataset: its own, or with ALL_DATASETS any that has the same column."""
    column = body.get("Column", {})
    if column.get("DataSetIdentifier") == data_set:
        return True
    return group.get("CrossDataset") == "ALL_DATASETS" and has_same(page, column, data_set)


def has_same(page: Page, column: Mapping[str, Any], data_set: str) -> bool:
    """Whether a dataset has a column or field of the same name, kind and level as a ColumnIdentifier's."""
    node = Field(str(column.get("ColumnName")))
    try:
        there = typed(node, page.names(data_set))
        here = typed(node, page.names(str(column.get("DataSetIdentifier"))))
    except ExpressionError:
        return False
    return (there.kind, there.level) == (here.kind, here.level)


def not_filtered_by(page: Page, visual: VisualView, data_set: str, state: State) -> list[str]:
    """Titles of the filters that the viewer has set, that are meant for this visual, and that its dataset
    lacks the column for.
    """
    titles: dict[str, str] = {}
    acting: set[str] = set()
    for group, _, body in page.filters:
        if not in_scope(group, visual):
            continue
        for choice, title in _choices(page, body, state):
            titles.setdefault(choice, title)
            if _acts_on(page, group, body, data_set):
                acting.add(choice)
    return list(dict.fromkeys(title for choice, title in titles.items() if choice not in acting))


def _choices(page: Page, body: Mapping[str, Any], state: State) -> Iterator[tuple[str, str]]:
    """What the viewer has chosen that a filter reads, its own values and parameters, with its title."""
    if state.picks.get(str(body.get("FilterId"))):
        title = body.get("DefaultFilterControlConfiguration", {}).get("Title")
        yield f"filter {body['FilterId']}", str(title or body.get("Column", {}).get("ColumnName", ""))
    for key in ("Parameter", "ParameterName"):
        for name in every(body, key):
            if any(state.parameters.get(name, ())):
                yield f"parameter {name}", page.control_titles.get(name, name)


class _Reader:
    """One filter: its column in SQL and its members."""

    def __init__(self, page: Page, data_set: str, body: Mapping[str, Any], state: State) -> None:
        names = page.names(data_set)
        node = Field(body["Column"]["ColumnName"])
        self.page, self.body, self.state = page, body, state
        self.column = sql(node, names)
        self.on_groups = typed(node, names).level != "row"

    def parameter(self, name: str) -> str:
        if name not in self.page.parameters:
            raise UnsupportedError(f"The filter is bound to the parameter {name!r}, which is not declared.")
        return f"${PARAMETER_PREFIX}{name}"

    def with_nulls(self, condition: str) -> str:
        match self.body.get("NullOption"):
            case "NULLS_ONLY":
                return f"({self.column} IS NULL)"
            case "ALL_VALUES":
                return f"({condition} OR {self.column} IS NULL)"
        return condition


def _category(reader: _Reader) -> str:
    configuration = reader.body.get("Configuration", {})
    chosen = reader.state.picks.get(reader.body["FilterId"], ())
    if "FilterListConfiguration" in configuration:
        return _listed(reader, configuration["FilterListConfiguration"], chosen)
    if "CustomFilterListConfiguration" in configuration:
        return _listed(reader, configuration["CustomFilterListConfiguration"], chosen)
    return _custom(reader, configuration.get("CustomFilterConfiguration", {}))


def _listed(reader: _Reader, body: Mapping[str, Any], chosen: tuple[str, ...]) -> str:
    values = list(chosen) or list(body.get("CategoryValues", []))
    if not values or (not chosen and body.get("SelectAllOptions") == "FILTER_ALL_VALUES"):
        return f"({reader.column} IS NOT NULL)" if body.get("NullOption") == "NON_NULLS_ONLY" else ""
    operator = str(body.get("MatchOperator", "CONTAINS"))
    text = f"CAST({reader.column} AS VARCHAR)"
    listed = ", ".join(literal(value) for value in values)
    if operator in ("EQUALS", "CONTAINS"):
        return f"({text} IN ({listed}))"
    if operator in ("DOES_NOT_EQUAL", "DOES_NOT_CONTAIN"):
        condition = f"({text} NOT IN ({listed}))"
        return f"({condition} OR {text} IS NULL)" if body.get("NullOption") == "ALL_VALUES" else condition
    raise UnsupportedError(f"Category filters with {operator} are not supported by the preview.")


def _custom(reader: _Reader, body: Mapping[str, Any]) -> str:
    if body.get("SelectAllOptions") == "FILTER_ALL_VALUES":
        return ""
    column, operator = reader.column, str(body.get("MatchOperator"))
    if "ParameterName" in body:
        name = body["ParameterName"]
        value = reader.parameter(name)
        if reader.page.parameters[name].is_multiple:
            condition = f"(len({value}) = 0 OR list_contains({value}, {column}))"
            if operator not in ("EQUALS", "CONTAINS"):
                raise UnsupportedError(f"{operator} with several values is not supported by the preview.")
            return condition
    else:
        value = literal(str(body.get("CategoryValue", "")))
    if operator in _COMPARE:
        return f"({column} {_COMPARE[operator]} {value})"
    templates = {"CONTAINS": "contains({0}, {1})", "DOES_NOT_CONTAIN": "NOT contains({0}, {1})",
                 "STARTS_WITH": "starts_with({0}, {1})", "ENDS_WITH": "ends_with({0}, {1})"}  # fmt: skip
    if operator not in templates:
        raise UnsupportedError(f"Category filters with {operator} are not supported by the preview.")
    return f"({templates[operator].format(column, value)})"


def _time_range(reader: _Reader) -> str:
    low = _time_bound(reader, reader.body.get("RangeMinimumValue"))
    high = _time_bound(reader, reader.body.get("RangeMaximumValue"))
    parts = []
    if low:
        parts.append(f"{reader.column} {'>=' if reader.body.get('IncludeMinimum') else '>'} {low}")
    if high:
        parts.append(f"{reader.column} {'<=' if reader.body.get('IncludeMaximum') else '<'} {high}")
    return reader.with_nulls(f"({' AND '.join(parts)})") if parts else ""


def _time_bound(reader: _Reader, bound: Mapping[str, Any] | None) -> str:
    if not bound:
        return ""
    if "Parameter" in bound:
        return reader.parameter(bound["Parameter"])
    if "StaticValue" in bound:
        return f"TIMESTAMP {literal(str(bound['StaticValue'])[:19].replace('T', ' '))}"
    raise UnsupportedError("Rolling bounds of time filters are not supported by the preview.")


def _time_equality(reader: _Reader) -> str:
    body = reader.body
    if "ParameterName" in body:
        value = reader.parameter(body["ParameterName"])
    elif "Value" in body:
        value = f"TIMESTAMP {literal(str(body['Value'])[:19].replace('T', ' '))}"
    else:
        raise UnsupportedError("Rolling time filters are not supported by the preview.")
    unit = _UNITS.get(str(body.get("TimeGranularity", "DAY")), "day")
    return f"({truncated(unit, reader.column)} = {truncated(unit, value)})"


def _relative(reader: _Reader) -> str:
    body = reader.body
    if body.get("AnchorDateConfiguration", {}).get("AnchorOption") != "NOW":
        raise UnsupportedError("Relative dates from a parameter are not supported by the preview.")
    unit = _UNITS.get(str(body["TimeGranularity"]))
    if unit is None:
        raise UnsupportedError(f"Relative dates by {body['TimeGranularity']} are not supported.")
    start, step = truncated(unit, "$now"), f"INTERVAL 1 {unit}"
    count = int(body.get("RelativeDateValue", 1))
    spans = {
        "THIS": (start, f"{start} + {step}"),
        "PREVIOUS": (f"{start} - {step}", start),
        "NEXT": (f"{start} + {step}", f"{start} + 2 * {step}"),
        "LAST": (f"{start} - {count - 1} * {step}", f"{start} + {step}"),
        "NOW": (start, "$now"),
    }
    kind = str(body.get("RelativeDateType"))
    if kind not in spans:
        raise UnsupportedError(f"Relative dates of the kind {kind} are not supported by the preview.")
    low, high = spans[kind]
    return reader.with_nulls(f"({reader.column} >= {low} AND {reader.column} < {high})")


def _numeric_range(reader: _Reader) -> str:
    parts = []
    for side, including, strict, loose in (
        ("RangeMinimum", "IncludeMinimum", ">", ">="),
        ("RangeMaximum", "IncludeMaximum", "<", "<="),
    ):
        bound = reader.body.get(side)
        if bound:
            value = (
                reader.parameter(bound["Parameter"])
                if "Parameter" in bound
                else str(float(bound["StaticValue"]))
            )
            parts.append(f"{_aggregated(reader)} {loose if reader.body.get(including) else strict} {value}")
    return reader.with_nulls(f"({' AND '.join(parts)})") if parts else ""


def _numeric_equality(reader: _Reader) -> str:
    body = reader.body
    if body.get("SelectAllOptions") == "FILTER_ALL_VALUES":
        return ""
    value = reader.parameter(body["ParameterName"]) if "ParameterName" in body else str(float(body["Value"]))
    return reader.with_nulls(f"({_aggregated(reader)} {_COMPARE[body['MatchOperator']]} {value})")


def _aggregated(reader: _Reader) -> str:
    """The filtered number; with an aggregation the condition is about groups."""
    aggregation = reader.body.get("AggregationFunction", {}).get("NumericalAggregationFunction", {})
    simple = aggregation.get("SimpleNumericalAggregation")
    if not aggregation:
        return reader.column
    if simple not in ("SUM", "AVERAGE", "MIN", "MAX", "COUNT"):
        raise UnsupportedError("This aggregation in a filter is not supported by the preview.")
    reader.on_groups = True
    return f"{'avg' if simple == 'AVERAGE' else simple.lower()}({reader.column})"


_READERS = {
    "CategoryFilter": _category,
    "TimeRangeFilter": _time_range,
    "TimeEqualityFilter": _time_equality,
    "RelativeDatesFilter": _relative,
    "NumericRangeFilter": _numeric_range,
    "NumericEqualityFilter": _numeric_equality,
}

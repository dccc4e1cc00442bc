"""Two reports and a dashboard to start from, over the fields that were inferred from a sample (pure)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from infra.project.adding.dashboard_text import dashboard_text
from producers.inference.model import Field, Inferred
from producers.inference.names import event_name, words_of

_GROUPS = 200
"""Values that a field may have for a report to have a row for each."""
_MOST_MEASURES = 2
_NO_MEASURE = frozenset(
    {
        "id",
        "date",
        "time",
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "lat",
        "lon",
        "latitude",
        "longitude",
        "code",
        "number",
    }
)
_RESERVED = frozenset(
    {
        "alter", "and", "as", "between", "by", "case", "cast", "constraint", "create", "cross", "cube",
        "current_date", "current_time", "current_timestamp", "current_user", "date", "deallocate", "delete",
        "describe", "distinct", "drop", "else", "end", "escape", "except", "execute", "exists", "extract",
        "false", "for", "from", "full", "group", "grouping", "having", "in", "inner", "insert", "intersect",
        "interval", "into", "is", "join", "json_array", "json_exists", "json_object", "json_query",
        "json_table", "json_value", "left", "like", "listagg", "localtime", "localtimestamp", "natural",
        "normalize", "not", "null", "on", "or", "order", "outer", "partition", "prepare", "primary",
        "recursive", "right", "rollup", "select", "skip", "table", "then", "time", "timestamp", "trim",
        "true", "uescape", "union", "unnest", "user", "using", "values", "when", "where", "with",
    }
)  # fmt: skip
"""Words that Trino takes for its own."""


class Measure(NamedTuple):
    """A number that is added up: its field, the column of its sum and that of the rows that have it."""

    field: Field
    total: str
    known: str


class Plan(NamedTuple):
    """A report: its name and grain, the field that it groups by, and its measures."""

    name: str
    grain: str
    group: Field | None
    measures: Sequence[Measure]


def reports_of(made: Inferred, stream: str) -> Mapping[str, str]:
    """The texts of the two reports and the dashboard, by their paths in the project."""
    measures = _measures(made)
    groups = _groups(made)
    plans = (
        Plan(f"{stream}_by_hour", "event_hour", groups[0] if groups else None, measures),
        Plan(
            f"{stream}_by_day",
            "event_date",
            groups[1] if len(groups) > 1 else next(iter(groups), None),
            measures,
        ),
    )
    texts = {f"reports/{plan.name}.sql": _report_text(plan, stream) for plan in plans}
    return {**texts, f"dashboards/{stream}.toml": dashboard_text(plans[0], plans[1], title(stream))}


def title(name: str) -> str:
    """`gas_prices` as people read it."""
    return name.replace("_", " ").strip().capitalize()


def _report_text(plan: Plan, stream: str) -> str:
    event = event_name(stream)
    columns = ["events bigint"]
    selected = [(plan.grain, ""), ("count(*)", "events")]
    if plan.group is not None:
        columns.insert(0, f"{plan.group.name}_group varchar")
        selected.insert(1, (_group_sql(plan.group, event), f"{plan.group.name}_group"))
    for measure in plan.measures:
        value = _member(event, measure.field)
        kind = "bigint" if measure.field.kind == "int" else "double"
        columns += [f"{measure.total} {kind}", f"{measure.known} bigint"]
        zero = "0" if kind == "bigint" else "0e0"
        selected += [(f"coalesce(sum({value}), {zero})", measure.total), (f"count({value})", measure.known)]
    width = max(len(sql) for sql, name in selected if name)
    lines = [f"{sql:<{width}} AS {name}" if name else sql for sql, name in selected]
    per = "hour" if plan.grain == "event_hour" else "day"
    by = f" and {title(plan.group.name).lower()}" if plan.group is not None else ""
    group = f"{plan.group.name}_group" if plan.group is not None else ""
    checks = ([f"unique({group})", f"not_null({group})"] if group else []) + ["events >= 1"]
    checks += [f"{measure.known} <= events" for measure in plan.measures]
    header = {
        "report": plan.name,
        "title": f"{title(stream)} by {per}{by}",
        "owner": stream,
        "source": f"{stream}_events",
        "grain": plan.grain,
        "columns": ", ".join(columns),
        "keys": group,
        "checks": ", ".join(checks),
    }
    grouped = ", ".join([plan.grain, *([_group_sql(plan.group, event)] if plan.group is not None else [])])
    return "\n".join(
        [
            *(f"-- {name + ':':<9} {value}" for name, value in header.items() if value),
            "SELECT " + ",\n       ".join(lines),
            f"FROM {stream}_events",
            f"WHERE event_type = '{event}'",
            f"GROUP BY {grouped}",
            "",
        ]
    )


def _group_sql(field: Field, event: str) -> str:
    member = _member(event, field)
    text = f"CAST({member} AS varchar)" if field.kind == "bool" else member
    return f"coalesce({text}, '(none)')" if field.is_optional else text


def _member(event: str, field: Field) -> str:
    return f'{event}."{field.name}"' if field.name in _RESERVED else f"{event}.{field.name}"


def _groups(made: Inferred) -> list[Field]:
    """Fields to group by, the best first: enumerations, then texts of few values, then flags."""

    def rank(field: Field) -> tuple[int, int]:
        return ("enum", "text", "bool").index(field.kind), made.profiles[field.column].distinct

    fitting = [
        field
        for field in made.fields
        if field.kind in ("enum", "text", "bool")
        and not field.is_personal
        and 2 <= made.profiles[field.column].distinct <= _GROUPS
    ]
    return sorted(fitting, key=rank)


def _measures(made: Inferred) -> list[Measure]:
    numbers = [
        field
        for field in made.fields
        if field.kind in ("int", "float")
        and field.column not in made.key
        and not {*words_of(field.column)} & _NO_MEASURE
        and made.profiles[field.column].distinct > 1
    ]
    return [Measure(each, f"{each.name}_total", f"{each.name}_known") for each in numbers[:_MOST_MEASURES]]

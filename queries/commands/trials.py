"""Reports tried out without being published: a partition's rows, and how they differ from what is served."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from queries.contracts import Report
from queries.engine.port import QueryEngine, QueryFailedError, Rows
from queries.partitions import window
from queries.refresh.catalog import ReportQuery
from queries.refresh.rendering import select


@dataclass(frozen=True)
class Difference:
    """One row (by its keys) that is not the same: `published` or `new` is None where it does not exist."""

    key: tuple[Any, ...]
    published: Mapping[str, Any] | None
    new: Mapping[str, Any] | None


def run(engine: QueryEngine, query: ReportQuery, partition: str) -> Rows:
    """The partition's rows as a run would write them, with `failed_check`. Raises ValueError."""
    window(query.report, partition)
    return engine.rows(select(query, [partition]))


def validate(engine: QueryEngine, query: ReportQuery) -> str:
    """Why Athena would refuse the report's statement; empty when it takes it. Nothing is run or paid."""
    example = "2026-01-01-00" if query.report.grain == "event_hour" else "2026-01-01"
    try:
        engine.rows(f"EXPLAIN (TYPE VALIDATE) {select(query, [example])}")
    except QueryFailedError as error:
        return str(error)
    return ""


def published(engine: QueryEngine, report: Report, partition: str) -> Rows:
    """The partition's rows as readers see them."""
    window(report, partition)
    names = ", ".join([*(column.name for column in report.columns), report.grain])
    sql = f"SELECT {names} FROM {report.name} WHERE {report.grain} = ?"  # noqa: S608 - declared names only
    return engine.rows(sql, [f"'{partition}'"])


def differences(report: Report, old: Rows, new: Rows) -> list[Difference]:
    """Rows that are only in one of them or that differ in a declared column; keys identify rows."""
    names = [column.name for column in report.columns]
    keys = report.keys or (() if len(old.rows) <= 1 and len(new.rows) <= 1 else tuple(names))
    before, after = _by_key(old, keys, names), _by_key(new, keys, names)
    return [
        Difference(key, before.get(key), after.get(key))
        for key in sorted({*before, *after}, key=repr)
        if before.get(key) != after.get(key)
    ]


def _by_key(found: Rows, keys: Sequence[str], names: Sequence[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    return {tuple(row[key] for key in keys): {name: row[name] for name in names} for row in rows}

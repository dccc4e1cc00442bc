"""The statements of a receipt: which events a cell was computed from, and whether they suffice (pure).

A mark is a column of the event itself, carried beside the report's own columns from the lake to the top.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from queries.receipts.cell import Cell, literal, text
from queries.receipts.errors import CannotTraceError
from queries.receipts.tracing import DIALECT, Tracer
from queries.refresh.catalog import ReportQuery
from queries.refresh.rendering import (
    COPY,
    COPY_NUMBER,
    EVENT_DATE,
    FIRST_ARRIVAL,
    SOURCE,
    day_of_row,
    rows_of,
    select,
    source_columns,
)
from transforms.contracts import EVENT_HOUR, LakeTable

_OF_EVENT = ("event_id", "event_type", "event_time", "arrival_time", "is_late", "source", *FIRST_ARRIVAL[1:])
_PREFIX = "penstock_"
COPIES, PATH = "penstock_copies", "penstock_path"
MARKS = (*(f"{_PREFIX}{name}" for name in _OF_EVENT), COPIES, PATH, COPY)
"""Columns of an event: its own, how many copies of it were read, the object it lies in, which copy it is."""
EVENT_ID = f"{_PREFIX}event_id"


@dataclass(frozen=True)
class Listing:
    """The SELECT that lists the events behind a cell, one row each, with the columns `MARKS`."""

    sql: str

    def counts(self) -> str:
        """Events by type, source, producer run, lateness and object: their numbers, copies, and the first.

        The first is that with the smallest id, which is the one made first.
        """
        by = ("event_type", "source", "producer_id", "epoch", "is_late")
        names = [*(f"{_PREFIX}{name}" for name in by), PATH]
        first = ", ".join(
            f"min_by({_PREFIX}{name}, {EVENT_ID}) AS first_{name}"
            for name in ("event_time", "arrival_time", "seq")
        )
        return (
            f"SELECT {', '.join(names)}, count(*) AS events, sum({COPIES} - 1) AS copies, "
            f"min({_PREFIX}seq) AS lowest_seq, max({_PREFIX}seq) AS last_seq, "
            f"min({EVENT_ID}) AS first_event_id, {first}\nFROM (\n{self.sql}\n) AS penstock_listed\n"
            f"GROUP BY {', '.join(names)}"
        )

    def without(self, other: "Listing") -> str:
        """Those that the other listing does not have."""
        names = ", ".join(f"{_PREFIX}{name} AS {name}" for name in _OF_EVENT)
        return (
            f"SELECT {names}, {PATH} AS object\nFROM (\n{self.sql}\n) AS penstock_listed\n"  # noqa: S608
            f"WHERE {EVENT_ID} NOT IN (SELECT {EVENT_ID} FROM (\n{other.sql}\n) AS penstock_other)\n"
            f"ORDER BY {_PREFIX}event_time, {EVENT_ID}, {COPY}"
        )

    def only(self) -> str:
        """The condition that is true of these events' rows alone."""
        return f"event_id IN (SELECT {EVENT_ID} FROM (\n{self.sql}\n) AS penstock_listed)"  # noqa: S608


def listing(query: ReportQuery, cell: Cell, only: str = "") -> Listing:
    """The events behind the cell; with `only`, of rows for which that is true. Raises CannotTraceError."""
    try:
        tree = sqlglot.parse_one(query.sql, read=DIALECT)
    except (SqlglotError, RecursionError) as error:
        raise CannotTraceError("its SQL cannot be read") from error
    if not isinstance(tree, exp.Query):
        raise CannotTraceError("its SQL is not a SELECT")
    columns = {table.name: [*source_columns(query, table), EVENT_DATE] for table in query.tables}
    marked = {table.name: f"{SOURCE}_marked_{at}" for at, table in enumerate(query.tables, start=1)}
    traced = Tracer(columns, marked, MARKS).trace(
        tree, grain=cell.report.grain, keys=list(cell.keys), column=cell.column
    )
    conditions = [f"CAST({cell.report.grain} AS varchar) = {text(cell.partition)}"]
    conditions += [
        f"CAST({name} AS {kind}) IS NOT DISTINCT FROM {literal(cell.keys[name], kind)}"
        for name, kind in cell.key_types.items()
        if name in traced.pinned
    ]
    conditions.append(f"{EVENT_ID} IS NOT NULL")
    distinct = "DISTINCT " if traced.repeats else ""
    selects = [
        f"SELECT {distinct}{', '.join(MARKS)}\nFROM (\n{_text(branch)}\n) AS penstock_cell\n"
        f"WHERE {' AND '.join(conditions)}"
        for branch in traced.branches
    ]
    return Listing(f"WITH {_sources(query, cell.partition, only)}\n" + "\nUNION\n".join(selects))


def again(query: ReportQuery, cell: Cell, only: str) -> str:
    """The cell's row as the report's SQL computes it from the rows alone for which `only` is true."""
    keys = [
        f"{name} IS NOT DISTINCT FROM {literal(cell.keys[name], kind)}"
        for name, kind in cell.key_types.items()
    ]
    where = f"\nWHERE {' AND '.join(keys)}" if keys else ""
    computed = select(query, [cell.partition], only)
    return f"SELECT {cell.column} FROM (\n{computed}\n) AS penstock_again{where}"  # noqa: S608


def in_objects(urls: Sequence[str], *, are_in: bool = True) -> str:
    """The condition that a row lies in one of these objects of the lake, or in none of them."""
    if not urls:
        return "1 = 0" if are_in else "1 = 1"
    return f'"$path" {"" if are_in else "NOT "}IN ({", ".join(map(text, urls))})'


def _sources(query: ReportQuery, partition: str, only: str) -> str:
    where, day = rows_of(query.report, [partition], only), day_of_row(query.report, [partition])
    return ",\n".join(_source(query, table, at, where, day) for at, table in enumerate(query.tables, start=1))


def _source(query: ReportQuery, table: LakeTable, at: int, where: str, day: str) -> str:
    """The table as the report sees it, and the same with marks."""
    rows, marked = f"{SOURCE}_{at}", f"{SOURCE}_marked_{at}"
    columns = source_columns(query, table)
    read = [*dict.fromkeys([*columns, *_OF_EVENT])]
    copies = f"count(*) OVER (PARTITION BY {EVENT_HOUR}, event_id) AS {COPIES}"
    seen = ", ".join([*columns, f"{day} AS {EVENT_DATE}"])
    own = ", ".join(f"{name} AS {_PREFIX}{name}" for name in _OF_EVENT)
    first = f" WHERE {COPY} = 1" if query.report.dedupe else ""
    return (
        f'{rows} AS (SELECT {", ".join(read)}, {COPY_NUMBER}, {copies}, "$path" AS {PATH} '  # noqa: S608
        f"FROM {table.name} WHERE {where}),\n"
        f"{marked} AS (SELECT {seen}, {own}, {COPIES}, {PATH}, {COPY} FROM {rows}{first}),\n"
        f"{table.name} AS (SELECT {seen} FROM {rows}{first})"
    )


def _text(branch: exp.Select) -> str:
    return _pruned(branch).sql(dialect=DIALECT, pretty=True, comments=False)


def _pruned(branch: exp.Select) -> exp.Select:
    """Without the names of WITH clauses that nothing reads any more."""
    while True:
        read = {table.name.lower() for table in branch.find_all(exp.Table)}
        unread = [cte for cte in branch.find_all(exp.CTE) if cte.alias.lower() not in read]
        if not unread:
            return branch
        for cte in unread:
            clause = cte.parent
            cte.pop()
            if isinstance(clause, exp.With) and not clause.expressions:
                clause.pop()

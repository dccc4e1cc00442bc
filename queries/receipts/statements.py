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
    EVENT_DATE,
    FIRST_ARRIVAL,
    SOURCE,
    day_of_row,
    rows_of,
    select,
    select_from,
    source_columns,
)
from transforms.contracts import EVENT_HOUR, LakeTable

_OF_EVENT = ("event_id", "event_type", "event_time", "arrival_time", "is_late", "source", *FIRST_ARRIVAL[1:])
_PREFIX = "penstock_"
COPIES, PATH = "penstock_copies", "penstock_path"
MARKS = (*(f"{_PREFIX}{name}" for name in _OF_EVENT), COPIES, PATH, COPY)
"""Columns of an event: its own, how many copies of it were read, the object it lies in, which copy it is."""
EVENT_ID = f"{_PREFIX}event_id"
_LISTED = "penstock_listed"


@dataclass(frozen=True)
class Listing:
    """The SELECT that lists the events behind a cell, one row each, with the columns `MARKS`.

    `sources` are the common table expressions that it reads.
    """

    sources: str
    selects: str

    @property
    def sql(self) -> str:
        """The statement."""
        return f"WITH {self.sources}\n{self.selects}"

    def without(self, other: "Listing") -> str:
        """Those that the other listing does not have."""
        names = ", ".join(f"{_PREFIX}{name} AS {name}" for name in _OF_EVENT)
        return (
            f"SELECT {names}, {PATH} AS object\nFROM (\n{self.sql}\n) AS {_LISTED}\n"  # noqa: S608
            f"WHERE {EVENT_ID} NOT IN (SELECT {EVENT_ID} FROM (\n{other.sql}\n) AS penstock_other)\n"
            f"ORDER BY {_PREFIX}event_time, {EVENT_ID}, {COPY}"
        )


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
    return Listing(_sources(query, cell.partition, only), "\nUNION\n".join(selects))


def proved(query: ReportQuery, cell: Cell, events: Listing) -> str:
    """How many events of a kind are listed, and the cell as the report's SQL computes it from these alone.

    One statement, since telling copies apart takes most of the time. It may come before other events are left
    out: of an event these are all copies or none.

    A row for each kind, by type, source, producer run, lateness and object, has their number, copies, and
    the first, which is that with the smallest id, the one made first. Without events there is one row, in
    which `events` is NULL. In all of them `penstock_rows` says how many rows the report has for the cell, and
    `penstock_value` its number.
    """
    own = ",\n".join(
        f"{table.name} AS (SELECT {_seen(query, table, cell.partition)} "  # noqa: S608
        f"FROM {SOURCE}_{at}"
        f" WHERE {_first(query)}event_id IN (SELECT {EVENT_ID} FROM {_LISTED}))"
        for at, table in enumerate(query.tables, start=1)
    )
    value = _value(cell, select_from(query, [cell.partition], own))
    return (
        f"WITH {events.sources},\n{_LISTED} AS (\n{events.selects}\n),\n"  # noqa: S608
        f"penstock_proof AS (SELECT count(*) AS penstock_rows, arbitrary({cell.column}) AS penstock_value "
        f"FROM (\n{value}\n) AS penstock_alone),\npenstock_counts AS (\n{_counts()}\n)\n"
        "SELECT * FROM penstock_proof LEFT JOIN penstock_counts ON true"
    )


def writers(query: ReportQuery, partition: str, most: int) -> str:
    """The producer runs that have events in the partition's hours; `most` of them, if there are more."""
    where = rows_of(query.report, [partition])
    tables = "\nUNION ALL ".join(
        f"SELECT producer_id, epoch FROM {table.name} WHERE {where}"  # noqa: S608
        for table in query.tables
    )
    return f"SELECT DISTINCT producer_id, epoch FROM (\n{tables}\n) LIMIT {most}"  # noqa: S608


def again(query: ReportQuery, cell: Cell, only: str) -> str:
    """The cell's row as the report's SQL computes it from the rows alone for which `only` is true."""
    return _value(cell, select(query, [cell.partition], only))


def _value(cell: Cell, computed: str) -> str:
    """The cell of rows that a SELECT gives."""
    keys = [
        f"{name} IS NOT DISTINCT FROM {literal(cell.keys[name], kind)}"
        for name, kind in cell.key_types.items()
    ]
    where = f"\nWHERE {' AND '.join(keys)}" if keys else ""
    return f"SELECT {cell.column} FROM (\n{computed}\n) AS penstock_again{where}"  # noqa: S608


def _counts() -> str:
    by = ("event_type", "source", "producer_id", "epoch", "is_late")
    names = [*(f"{_PREFIX}{name}" for name in by), PATH]
    first = ", ".join(
        f"min_by({_PREFIX}{name}, {EVENT_ID}) AS first_{name}"
        for name in ("event_time", "arrival_time", "seq")
    )
    return (
        f"SELECT {', '.join(names)}, count(*) AS events, sum({COPIES} - 1) AS copies, "
        f"min({_PREFIX}seq) AS lowest_seq, max({_PREFIX}seq) AS last_seq, "
        f"min({EVENT_ID}) AS first_event_id, {first}\nFROM {_LISTED}\nGROUP BY {', '.join(names)}"
    )


def in_objects(urls: Sequence[str], *, are_in: bool = True) -> str:
    """The condition that a row lies in one of these objects of the lake, or in none of them."""
    if not urls:
        return "1 = 0" if are_in else "1 = 1"
    return f'"$path" {"" if are_in else "NOT "}IN ({", ".join(map(text, urls))})'


def _sources(query: ReportQuery, partition: str, only: str) -> str:
    where = rows_of(query.report, [partition], only)
    return ",\n".join(
        _source(query, table, at, where, _seen(query, table, partition))
        for at, table in enumerate(query.tables, start=1)
    )


def _source(query: ReportQuery, table: LakeTable, at: int, where: str, seen: str) -> str:
    """The table as the report sees it, and the same with marks.

    Copies are numbered among the events that have any: to sort all events, nearly each of which is alone,
    takes most of the time of a receipt.
    """
    rows, marked, twice = (f"{SOURCE}{part}_{at}" for part in ("", "_marked", "_twice"))
    read = ", ".join(dict.fromkeys([*source_columns(query, table), *_OF_EVENT]))
    of_event = f"PARTITION BY {EVENT_HOUR}, event_id"
    # Copies may be alike to the millisecond: which object the first of them lies in must not hang on chance.
    number = f'row_number() OVER ({of_event} ORDER BY {", ".join(FIRST_ARRIVAL)}, "$path") AS {COPY}'
    copies = f"count(*) OVER ({of_event}) AS {COPIES}"
    alone = f"CAST(1 AS bigint) AS {COPY}, CAST(1 AS bigint) AS {COPIES}"
    own = ", ".join(f"{name} AS {_PREFIX}{name}" for name in _OF_EVENT)
    lake, first = f"FROM {table.name} WHERE {where} AND event_id", f"{_first(query)}true"
    return (
        f"{twice} AS (SELECT event_id {lake} IS NOT NULL GROUP BY event_id HAVING count(*) > 1),\n"  # noqa: S608
        f'{rows} AS (SELECT {read}, {alone}, "$path" AS {PATH} {lake} NOT IN (SELECT event_id FROM {twice})\n'
        f'UNION ALL SELECT {read}, {number}, {copies}, "$path" AS {PATH} '
        f"{lake} IN (SELECT event_id FROM {twice})),\n"
        f"{marked} AS (SELECT {seen}, {own}, {COPIES}, {PATH}, {COPY} FROM {rows} WHERE {first}),\n"
        f"{table.name} AS (SELECT {seen} FROM {rows} WHERE {first})"
    )


def _seen(query: ReportQuery, table: LakeTable, partition: str) -> str:
    """The table's columns that the report sees."""
    day = day_of_row(query.report, [partition])
    return ", ".join([*source_columns(query, table), f"{day} AS {EVENT_DATE}"])


def _first(query: ReportQuery) -> str:
    """The beginning of a condition: rows that are not the first copy are left out, if the report says so."""
    return f"{COPY} = 1 AND " if query.report.dedupe else ""


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

"""The versions of a partition with what each of them says of a cell: its value, its SQL, its input."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

from msgspec import structs

from queries.commands.cost import billed_bytes, dollars
from queries.contracts import Report
from queries.ledger.state import PartitionState, Published
from queries.receipts.cell import Asked, Cell, row_of, shown
from queries.receipts.composing import json_value
from queries.receipts.errors import UnknownCellError
from queries.receipts.model import Version
from queries.receipts.versions import versions_of, written_sql
from queries.refresh.catalog import ReportQuery
from queries.refresh.housekeeping import run_folder
from queries.refresh.rendering import sql_sha

_SHOWN_ROWS = 5
Row = Mapping[str, Any]


class Files(Protocol):
    """Rows of a version."""

    def rows(self, report: Report, version: Published) -> list[dict[str, Any]] | None:
        """None when its files are gone."""
        ...


@dataclass(frozen=True)
class Known:
    """A version, the cell's raw value in it, and the report as it was computed then (None: SQL not known)."""

    version: Version
    published: Published
    value: Any
    query: ReportQuery | None


def known_versions(
    query: ReportQuery,
    state: PartitionState,
    asked: Asked,
    files: Files,
    statement: Callable[[str], str | None],
) -> tuple[Cell, list[Known]]:
    """The cell, and what is known of each kept version, the served one first.

    `statement` gives the text of a query execution. Raises UnknownCellError.
    """
    report, kept = query.report, versions_of(state)
    with ThreadPoolExecutor(2 * len(kept)) as pool:
        rows = list(pool.map(lambda version: files.rows(report, version), kept))
        texts = list(pool.map(lambda version: statement(version.query_execution_id), kept))
    found = [row_of(report, every or [], asked) for every in rows]
    row = next((one for one in found if one is not None), None)
    if row is None:
        raise UnknownCellError(_no_such_row(report, asked, rows[0]))
    cell = Cell(report, asked.partition, asked.column, {name: row[name] for name in report.keys})
    made = []
    for version, every, one, text in zip(kept, rows, found, texts, strict=True):
        computed_by = _query_of(query, version, text)
        value = one.get(asked.column) if one is not None else None
        told = _version(version, value, computed_by, is_served=version is kept[0])
        told = structs.replace(told, has_row=one is not None, value_is_kept=every is not None)
        made.append(Known(told, version, value, computed_by))
    return cell, made


def _query_of(query: ReportQuery, version: Published, statement: str | None) -> ReportQuery | None:
    if version.sql_sha == sql_sha(query):
        return query
    sql = written_sql(statement) if statement is not None else None
    return None if sql is None else replace(query, sql=sql)


def _version(version: Published, value: Any, query: ReportQuery | None, *, is_served: bool) -> Version:
    return Version(
        number=version.fence,
        is_served=is_served,
        value=json_value(value),
        has_row=True,
        value_is_kept=True,
        published_at=version.published_at,
        data_as_of=version.as_of,
        run=run_folder(version.location).rstrip("/").rpartition("run=")[2],
        query_execution_id=version.query_execution_id,
        bytes_scanned=version.bytes_scanned,
        dollars=dollars(billed_bytes(version.bytes_scanned)),
        sql_sha=version.sql_sha,
        sql=query.sql if query is not None else None,
        input_objects=version.input.objects,
        input_bytes=version.input.bytes,
        input_digest=version.input.digest,
    )


def _no_such_row(report: Report, asked: Asked, rows: Sequence[Row] | None) -> str:
    said = " ".join(f"{name}={value}" for name, value in asked.keys.items())
    if not rows:
        return f"{report.name}/{asked.partition} has no rows."
    some = [" ".join(f"{name}={shown(row[name])}" for name in report.keys) for row in rows[:_SHOWN_ROWS]]
    more = f" and {len(rows) - _SHOWN_ROWS} more" if len(rows) > _SHOWN_ROWS else ""
    return f"{report.name}/{asked.partition} has no row {said}. It has: {', '.join(some)}{more}."

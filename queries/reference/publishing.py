"""Publishing a reference table: its file, then the catalog's pointer, and what becomes stale by it."""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from queries.ledger.port import LedgerTable
from queries.partitions import Key
from queries.reference.declaration import ReferenceTable
from queries.reference.port import ReferenceStore, Version
from queries.refresh.catalog import ReportQuery

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Published:
    """What publishing did: the version that is read now, and whether it is another one than before."""

    version: Version
    is_new: bool


def publish(
    table: ReferenceTable, rows: "pa.Table", store: ReferenceStore, clock: Callable[[], int]
) -> Published:
    """Have queries read these rows; nothing is written where they do already. The clock gives epoch ms.

    Queries read the version before or this one, never a part of either. Raises MissingTableError.
    """
    name = version_name(rows)
    before = store.current(table.table)
    if before is not None and before.name == name:
        return Published(before, is_new=False)
    version = Version(name, f"{table.prefix}version={name}/", rows.num_rows, clock())
    store.put(version.location, file_of(rows))
    store.serve(table.table, version)
    return Published(version, is_new=True)


def version_name(rows: "pa.Table") -> str:
    """A digest of columns, types and rows, whatever library wrote the file that they came from."""
    digest = sha256("\n".join(f"{field.name} {field.type}" for field in rows.schema).encode())
    for values in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        digest.update(repr(values).encode())
    return digest.hexdigest()[:16]


def file_of(rows: "pa.Table") -> bytes:
    """The rows as a Parquet file."""
    from pyarrow import parquet

    written = io.BytesIO()
    parquet.write_table(rows, written, compression="snappy")
    return written.getvalue()


def outdated(
    table: ReferenceTable, version: Version, queries: Mapping[str, ReportQuery], ledger: LedgerTable
) -> list[Key]:
    """The partitions of the reports that join the table which were not computed with this version."""
    return [
        state.key
        for query in readers(table, queries.values())
        for state in ledger.report(query.report.name)
        if state.published is None or state.published.input.references.get(table.table) != version.location
    ]


def readers(table: ReferenceTable, queries: Iterable[ReportQuery]) -> list[ReportQuery]:
    """The reports that join the table."""
    return [query for query in queries if table.name in query.report.references]

"""Results: the file in the output location that clients read, and the pages of GetQueryResults."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from infra.local.athena.errors import exhausted
from infra.local.athena.layout import bucket_and_key
from infra.local.athena.render import csv_line, csv_lines, rendered
from infra.local.athena.sql.type_names import api_name, api_numbers
from infra.local.athena.sql.types import Type

Columns = Sequence[tuple[str, Type]]
_SHORT = 1 << 20


MOST_BYTES = 1 << 30
"""Of one execution's result or files."""


@dataclass
class ResultPages:
    """The local copies of results, Arrow files of texts named after the execution, as GetQueryResults reads them."""

    folder: Path

    def page(self, identifier: str, start: int, count: int) -> tuple[list[list[str | None]], int]:
        """Rows from `start` on, and how many there are in all."""
        path = self.path(identifier)
        if not path.exists():
            return [], 0
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
            part = table.slice(start, max(count, 0))
            return [
                list(row) for row in zip(*(c.to_pylist() for c in part.columns), strict=True)
            ], table.num_rows

    def path(self, identifier: str) -> Path:
        """The copy of the execution's result."""
        return self.folder / f"{identifier}.arrow"


@dataclass
class ResultFiles:
    """Writes results: the local copy for paging, and the file in the output location.

    Both are written below `scratch` first, so that an execution that is killed leaves no partial result.
    """

    folder: Path
    s3: Any
    scratch: Path
    _puts: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(2, thread_name_prefix="athena-put"), init=False, repr=False
    )

    def write(
        self, identifier: str, location: str, columns: Columns, batches: Iterable[pa.RecordBatch]
    ) -> int:
        """Write `<id>.csv` and its `.metadata` to the output location; returns the number of rows.

        Raises QueryError when there is more than MOST_BYTES.
        """
        schema = pa.schema([(f"c{i}", pa.string()) for i in range(len(columns))])
        rows, csv_path = 0, self.scratch / "result.csv"
        types = [of for _, of in columns]
        with (
            self._kept(identifier) as path,
            pa.OSFile(str(path), "wb") as sink,
            pa.ipc.new_file(sink, schema) as arrow,
            csv_path.open("w", encoding="utf-8", newline="") as out,
        ):
            out.write(csv_line([name for name, _ in columns]))
            for batch in batches:
                shown = rendered(batch, types)
                arrow.write_batch(shown)
                out.writelines(csv_lines(shown))
                rows += shown.num_rows
                if sink.tell() > MOST_BYTES:
                    raise exhausted()
        beside = self._puts.submit(self.put_text, f"{location}.metadata", "")
        try:
            self.upload(csv_path, location)
        finally:
            csv_path.unlink()
            beside.result()
        return rows

    def upload(self, path: Path, location: str) -> None:
        """Put a file to an S3 address."""
        bucket, key = bucket_and_key(location)
        with path.open("rb") as file:
            # A short one as bytes: for a file botocore first asks whether it may send (Expect: 100-continue).
            body = file.read() if path.stat().st_size <= _SHORT else file
            self.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def put_text(self, location: str, text: str) -> None:
        """Put a text to an S3 address."""
        bucket, key = bucket_and_key(location)
        self.s3.put_object(Bucket=bucket, Key=key, Body=text.encode())

    def keep(self, identifier: str, rows: Sequence[Sequence[str | None]], width: int) -> None:
        """Keep short results of DDL and utility statements for paging."""
        schema = pa.schema([(f"c{i}", pa.string()) for i in range(width)])
        table = pa.Table.from_pylist([{f"c{i}": v for i, v in enumerate(row)} for row in rows], schema=schema)
        with (
            self._kept(identifier) as path,
            pa.OSFile(str(path), "wb") as sink,
            pa.ipc.new_file(sink, schema) as arrow,
        ):
            arrow.write_table(table)

    @contextmanager
    def _kept(self, identifier: str) -> Iterator[Path]:
        for folder in (self.folder, self.scratch):
            folder.mkdir(parents=True, exist_ok=True)
        path = self.scratch / "result.arrow"
        yield path
        path.rename(ResultPages(self.folder).path(identifier))


def column_info(columns: Columns) -> list[dict[str, Any]]:
    """`ResultSetMetadata.ColumnInfo`."""
    infos = []
    for name, of in columns:
        precision, scale = api_numbers(of)
        infos.append(
            {
                "CatalogName": "hive",
                "SchemaName": "",
                "TableName": "",
                "Name": name,
                "Label": name,
                "Type": api_name(of),
                "Precision": precision,
                "Scale": scale,
                "Nullable": "UNKNOWN",
                "CaseSensitive": of.is_text,
            }
        )
    return infos


def result_row(values: Sequence[str | None]) -> dict[str, Any]:
    """One row on the wire: NULL is a cell without a value."""
    return {"Data": [{} if value is None else {"VarCharValue": value} for value in values]}

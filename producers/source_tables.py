"""Rows of tables, CSV and Parquet, as documents of column name to value."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from producers.source_files import SourceError

_ROWS_AT_ONCE = 10_000


def rows(content: io.BufferedReader, name: str, form: str) -> Iterator[Mapping[str, Any]]:
    """The table's rows in order, empty cells left out. Raises SourceError when it is no such table."""
    return _parquet_rows(content, name) if form == "parquet" else _csv_rows(content, name)


def _csv_rows(content: io.BufferedReader, name: str) -> Iterator[Mapping[str, Any]]:
    text = io.TextIOWrapper(content, encoding="utf-8-sig", errors="replace", newline="")
    reader = csv.DictReader(text, restkey="(cells beyond the last column)")
    if "event_type" not in (reader.fieldnames or ()):
        raise SourceError(f"{name} has no column event_type (its first line: {reader.fieldnames}).")
    for row in reader:
        yield {column: _cell(value) for column, value in row.items() if value}
    # The file is closed by whoever opened it.
    text.detach()


def _cell(value: str) -> Any:
    # Lists and objects stand in a cell as JSON.
    if value[0] in "[{":
        with suppress(ValueError):
            return json.loads(value)
    return value


def _parquet_rows(content: io.BufferedReader, name: str) -> Iterator[Mapping[str, Any]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise SourceError(f"Reading {name} needs pyarrow: pip install 'penstock[local]'.") from error
    try:
        source = pq.ParquetFile(pa.BufferReader(content.read()))
    except pa.ArrowInvalid as error:
        raise SourceError(f"{name} is no Parquet file: {error}") from error
    for batch in source.iter_batches(batch_size=_ROWS_AT_ONCE):
        for row in batch.to_pylist():
            yield _without_nulls(row)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value

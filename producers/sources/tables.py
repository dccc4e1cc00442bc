"""Rows of tables, CSV and Parquet, as documents of column name to value."""

import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from math import isnan
from typing import TYPE_CHECKING, Any

from producers.sources.csv_rows import csv_rows
from producers.sources.files import SourceError
from producers.sources.lines import Refused

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 10_000
_LARGEST_PACKED = 1 << 28
"""Bytes of a Parquet file inside gzip, which has to be unpacked in memory."""


def rows(content: io.BufferedReader, name: str, form: str) -> Iterator[Mapping[str, Any] | Refused]:
    """The table's rows in order, empty cells left out; in place of one that cannot be read, why.

    Raises SourceError when it is not such a table.
    """
    return _parquet_rows(content, name) if form == "parquet" else csv_rows(content, name)


def parquet_file(content: io.BufferedReader, name: str) -> Any:
    """The file as pyarrow's ParquetFile. Raises SourceError."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise SourceError(f"Reading {name} needs pyarrow: pip install 'penstock[local]'.") from error
    try:
        # INT96 holds times that nanoseconds since 1970 cannot count.
        source = pq.ParquetFile(_seekable(content, name), coerce_int96_timestamp_unit="us")
        names = source.schema_arrow.names
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(f"{name} is not a Parquet file, or is damaged: {one_line(error)}.") from error
    twice = next((column for column in names if names.count(column) > 1), None)
    if twice is not None:
        raise SourceError(f"{name} has the column {twice} more than once. Rename or remove one of them.")
    return source


def _parquet_rows(content: io.BufferedReader, name: str) -> Iterator[Mapping[str, Any] | Refused]:
    source = parquet_file(content, name)
    import pyarrow as pa

    for group in range(source.num_row_groups):
        expected, found = source.metadata.row_group(group).num_rows, 0
        why = "they are not there"
        try:
            for batch in source.iter_batches(batch_size=_ROWS_AT_ONCE, row_groups=[group]):
                yield from _batch_rows(batch)
                found += batch.num_rows
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            why = one_line(error)
        if found < expected:
            reason = (
                f"the Parquet file is damaged: {expected - found:,} rows cannot be read from here on ({why})"
            )
            yield Refused("", reason, expected - found)


def _seekable(content: io.BufferedReader, name: str) -> Any:
    """Parquet is read from its end: a file is read in place, what is packed or piped is taken into memory."""
    import pyarrow as pa

    if isinstance(content.raw, io.FileIO) and content.raw.seekable():
        return content
    held = content.read(_LARGEST_PACKED + 1)
    if len(held) > _LARGEST_PACKED:
        raise SourceError(
            f"{name} has over {_LARGEST_PACKED >> 20} MiB of Parquet inside gzip. Unpack it first: gunzip"
        )
    return pa.BufferReader(held)


def _batch_rows(batch: "pa.RecordBatch") -> Iterator[Mapping[str, Any] | Refused]:
    import pyarrow as pa

    try:
        schema = pa.schema([field.with_type(readable(field.type)) for field in batch.schema])
        table = pa.Table.from_batches([batch]).cast(schema, safe=False)
        found = table.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError) as error:
        if batch.num_rows > 1:
            half = batch.num_rows // 2
            yield from _batch_rows(batch.slice(0, half))
            yield from _batch_rows(batch.slice(half))
        else:
            yield Refused("", f"a value that cannot be read: {one_line(error)}")
        return
    for row in found:
        yield _plain(row)


def readable(kind: "pa.DataType") -> "pa.DataType":
    """The type that Python has for values of this one: times in microseconds, the values of dictionaries."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if types.is_time64(kind):
        return pa.time64("us")
    if types.is_duration(kind):
        return pa.duration("us")
    if types.is_dictionary(kind):
        return readable(kind.value_type)
    if types.is_struct(kind):
        return pa.struct([field.with_type(readable(field.type)) for field in kind])
    if types.is_list(kind) or types.is_large_list(kind):
        made = pa.list_ if types.is_list(kind) else pa.large_list
        return made(kind.value_field.with_type(readable(kind.value_type)))
    return kind


def _plain(value: Any) -> Any:
    """The value as events have it: nothing where it is null or no number, text for bytes that are text, whole
    numbers for decimals that are whole, and UTC for times without a zone.
    """
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if not _is_missing(inner)}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and isnan(value))


def one_line(error: Exception) -> str:
    """What a library says, on one line."""
    return " ".join(str(error).split())[:300]

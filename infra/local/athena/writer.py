"""Files that a query writes: UNLOAD, CREATE TABLE AS, INSERT INTO."""

import gzip
import json
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from infra.local.athena.arrow_types import file_type
from infra.local.athena.errors import QueryError, exhausted
from infra.local.athena.layout import bucket_and_key
from infra.local.athena.render import shower
from infra.local.athena.results import MOST_BYTES
from infra.local.athena.sql.types import Type

MOST_PARTITIONS = 100
_UPLOADS = 4
_PARQUET = {
    "snappy": "snappy",
    "gzip": "gzip",
    "zstd": "zstd",
    "none": "none",
    "uncompressed": "none",
    "lz4": "lz4",
}
Columns = Sequence[tuple[str, Type]]


@dataclass(frozen=True)
class Output:
    """How files are written: `format` parquet, json or textfile; `partitioned_by` are the last columns."""

    location: str
    format: str = "parquet"
    compression: str = ""
    partitioned_by: tuple[str, ...] = ()
    delimiter: str = "\x01"


@dataclass
class Written:
    """What was written: addresses, rows, and the partitions' values with their folders."""

    addresses: list[str] = field(default_factory=list)
    rows: int = 0
    partitions: dict[tuple[str | None, ...], str] = field(default_factory=dict)


def check_empty(s3: Any, location: str) -> None:
    """Raise QueryError HIVE_PATH_ALREADY_EXISTS unless nothing lies below the location."""
    bucket, prefix = bucket_and_key(location)
    if s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount"):
        message = f"Target directory for table already exists: {location}. Write to an empty prefix."
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", message)


def check_output(output: Output, columns: Columns) -> None:
    """Raise QueryError for what cannot be written."""
    if output.format not in ("parquet", "json", "textfile"):
        raise QueryError(
            "NOT_SUPPORTED",
            f"Format {output.format.upper()} is not supported by the local endpoint. Use PARQUET, JSON or TEXTFILE.",
        )
    if output.format == "parquet" and (output.compression or "snappy").lower() not in _PARQUET:
        raise QueryError(
            "INVALID_TABLE_PROPERTY",
            f"Unknown compression {output.compression}. Use SNAPPY, GZIP, ZSTD or NONE.",
        )
    names = [name for name, _ in columns]
    if len(set(names)) != len(names):
        raise QueryError(
            "DUPLICATE_COLUMN_NAME", "Column names of the query are not unique. Give each an alias."
        )
    last = tuple(names[len(names) - len(output.partitioned_by) :])
    if output.partitioned_by and tuple(n.lower() for n in output.partitioned_by) != last:
        message = f"Partition keys must be the last columns in the query and in the same order as the table properties: {', '.join(output.partitioned_by)}"
        raise QueryError("HIVE_COLUMN_ORDER_MISMATCH", message)
    for _, of in columns[: len(columns) - len(output.partitioned_by)]:
        file_type(of)


class FileWriter:
    """Writes batches into files of a local folder, one for each partition, and puts them to S3 at the end."""

    def __init__(self, output: Output, columns: Columns, scratch: Path, new_name: Callable[[], str]) -> None:
        self._output, self._columns, self._scratch, self._new_name = output, columns, scratch, new_name
        self._width = len(columns) - len(output.partitioned_by)
        self._open: dict[tuple[str | None, ...], _PartFile] = {}
        self.written = Written()
        scratch.mkdir(parents=True, exist_ok=True)

    def write(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Take every batch. Raises QueryError HIVE_TOO_MANY_OPEN_PARTITIONS."""
        for batch in batches:
            self.written.rows += batch.num_rows
            for key, part in self._parts(batch):
                if key not in self._open:
                    if len(self._open) >= MOST_PARTITIONS and key:
                        message = f"Exceeded limit of {MOST_PARTITIONS} open writers for partitions/buckets"
                        raise QueryError("HIVE_TOO_MANY_OPEN_PARTITIONS", message)
                    self._open[key] = _PartFile(
                        self._output, self._columns[: self._width], self._scratch / self._new_name()
                    )
                self._open[key].write(part)
            if sum(part.path.stat().st_size for part in self._open.values()) > MOST_BYTES:
                raise exhausted()

    def _parts(self, batch: pa.RecordBatch) -> Iterable[tuple[tuple[str | None, ...], pa.RecordBatch]]:
        data = batch.select(list(range(self._width)))
        if not self._output.partitioned_by or not batch.num_rows:
            yield from [((), data)] if batch.num_rows else []
            return
        order, firsts = _grouped(batch.columns[self._width :])
        if len(firsts) > 1:
            data = data.take(order)
        keys = batch.select(list(range(self._width, len(self._columns)))).take(order)
        showers = [shower(of) for _, of in self._columns[self._width :]]
        for start, end in zip(firsts, [*firsts[1:], batch.num_rows], strict=True):
            values = [column[start].as_py() for column in keys.columns]
            key = tuple(None if v is None else show(v) for v, show in zip(values, showers, strict=True))
            yield key, data.slice(start, end - start)

    def finish(self, s3: Any) -> Written:
        """Close the files and put them to S3."""
        placed: list[tuple[Path, str]] = []
        for key, part in self._open.items():
            folder = self._output.location + "".join(
                f"{name.lower()}={_folder_value(value)}/"
                for name, value in zip(self._output.partitioned_by, key, strict=True)
            )
            self.written.partitions[key] = folder
            path = part.close()
            placed.append((path, folder + path.name))
            self.written.addresses.append(folder + path.name)
        with ThreadPoolExecutor(_UPLOADS) as pool:
            deque(pool.map(lambda each: _put(s3, *each), placed), maxlen=0)
        return self.written


def _put(s3: Any, path: Path, address: str) -> None:
    bucket, key = bucket_and_key(address)
    with path.open("rb") as body:
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    path.unlink()


def _grouped(columns: Sequence[pa.Array]) -> tuple[pa.Array, list[int]]:
    """The rows' numbers, those with the same values together and otherwise in order; where each group begins."""
    codes: pa.Array = _numbers(columns[0])
    for column in columns[1:]:
        each = _numbers(column)
        both = pc.add(pc.multiply(codes, pc.add(pc.max(each), 1)), each)
        codes = _numbers(both)  # few numbers again: products of many columns would not fit
    order = pc.sort_indices(codes)  # stable
    ends: list[int] = pc.run_end_encode(codes.take(order)).run_ends.to_pylist()
    return order, [0, *ends[:-1]]


def _numbers(column: pa.Array) -> pa.Array:
    """The values numbered, in order of their first appearance; NULL is one."""
    return column.dictionary_encode(null_encoding="encode").indices.cast(pa.int64())


def _folder_value(value: str | None) -> str:
    return "__HIVE_DEFAULT_PARTITION__" if value is None else quote(value, safe=" -._~!$&'()*+,;@")


class _PartFile:
    def __init__(self, output: Output, columns: Columns, path: Path) -> None:
        self._output, self._columns = output, columns
        self._schema = pa.schema([(name, file_type(of)) for name, of in columns])
        if output.format == "parquet":
            self.path = path
            compression = _PARQUET[(output.compression or "snappy").lower()]
            self._writer = pq.ParquetWriter(path, self._schema, compression=compression)
        else:
            self.path = path.with_suffix(".gz")
            self._text = gzip.open(self.path, "wt", encoding="utf-8")  # noqa: SIM115 - closed in close()

    def write(self, batch: pa.RecordBatch) -> None:
        if self._output.format == "parquet":
            columns = [
                _cast(column, field.type) for column, field in zip(batch.columns, self._schema, strict=True)
            ]
            self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))
            return
        showers = [shower(of) for _, of in self._columns]
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            self._text.write(self._line(row, showers))

    def _line(self, row: Sequence[Any], showers: Sequence[Callable[[Any], str]]) -> str:
        if self._output.format == "json":
            pairs = zip(self._columns, row, showers, strict=True)
            return (
                json.dumps(
                    {n: _json(v, of, show) for (n, of), v, show in pairs if v is not None}, ensure_ascii=False
                )
                + "\n"
            )
        return (
            self._output.delimiter.join(
                "\\N" if v is None else show(v) for v, show in zip(row, showers, strict=True)
            )
            + "\n"
        )

    def close(self) -> Path:
        (self._writer if self._output.format == "parquet" else self._text).close()
        return self.path


def _json(value: Any, of: Type, show: Callable[[Any], str]) -> Any:
    if of.is_number or of.name == "boolean" or of.name in ("array", "row", "map"):
        return dict(value) if of.name == "map" else float(value) if of.name == "decimal" else value
    return show(value)


def _cast(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    return column if column.type == wanted else pc.cast(column, wanted, safe=False)

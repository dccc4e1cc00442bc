"""Objects into S3: Parquet by the table's current schema, error objects, retried until they are written."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.firehose.configuration import Schema
from infra.local.firehose.conversion import RowConverter
from infra.local.firehose.hive_types import parse_type
from infra.local.firehose.records import Failure

# AWS labels Parquet so, though it is plain Parquet. Readers must not depend on it.
_PARQUET_ENCODING = "hadoop-snappy"

REFRESH_SECONDS = 1.0
ROWS_AT_ONCE = 4000
"""Rows that are parsed together; more take more memory and no less time."""


@dataclass(frozen=True)
class Made:
    """One object's bytes, how many rows it has, and (index, why) of records that could not become rows."""

    body: bytes
    rows: int
    failures: tuple[tuple[int, Failure], ...]


class ParquetMaker:
    """Makes Parquet of rows by the Glue table as it now is. Used by one thread at a time."""

    def __init__(self, glue: Any, schema: Schema, clock: Callable[[], float]) -> None:
        self._glue = glue
        self._clock = clock
        self._refresh_at = 0.0
        self._schema = schema
        self._version = ""
        self._converter: RowConverter | None = None

    def refresh(self) -> None:
        """Read the table, unless that was a moment ago. Raises ClientError when there is none."""
        now = self._clock()
        if now < self._refresh_at:
            return
        table = self._glue.get_table(DatabaseName=self._schema.database, Name=self._schema.table)["Table"]
        version = f"{table.get('VersionId')} {table.get('UpdateTime')}"
        if version != self._version or self._converter is None:
            columns = table["StorageDescriptor"]["Columns"]
            self._converter = RowConverter([(each["Name"], parse_type(each["Type"])) for each in columns])
            self._version = version
        self._refresh_at = now + REFRESH_SECONDS

    def make(self, rows: list[bytes]) -> Made:
        """Parquet of these rows."""
        self.refresh()
        assert self._converter is not None
        tables: list[pa.Table] = []
        failures: list[tuple[int, Failure]] = []
        for offset in range(0, len(rows), ROWS_AT_ONCE):
            converted = self._converter.convert(rows[offset : offset + ROWS_AT_ONCE])
            tables.append(converted.table)
            failures += [(offset + index, failure) for index, failure in converted.failures]
        table = pa.concat_tables(tables)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression=self._schema.compression.lower())
        return Made(sink.getvalue().to_pybytes(), table.num_rows, tuple(failures))


def plain(rows: list[bytes]) -> Made:
    """The rows as they are, one after the other."""
    return Made(b"".join(rows), len(rows), ())


def put_until_written(
    s3: Any,
    bucket: str,
    key: str,
    body: bytes,
    *,
    is_parquet: bool,
    goes_on: Callable[[], bool],
    fails: Callable[[], bool],
    failed: Callable[[str], None],
) -> bool:
    """Write the object, again and again with growing pauses; False when `goes_on()` turned false before.

    `fails()` makes a try fail on demand; `failed` hears of each try that did.
    """
    options = {"ContentEncoding": _PARQUET_ENCODING} if is_parquet else {}
    pause = 0.1
    while goes_on():
        try:
            if fails():
                raise _InjectedError("fault on demand")
            s3.put_object(Bucket=bucket, Key=key, Body=body, **options)
        except (ClientError, BotoCoreError, OSError) as error:
            failed(str(error))
            time.sleep(pause)
            pause = min(pause * 2, 5.0)
        else:
            return True
    return False


class _InjectedError(OSError):
    pass


def local_time(milliseconds: int, zone: Any) -> datetime:
    """Epoch milliseconds in the delivery stream's zone."""
    return datetime.fromtimestamp(milliseconds / 1000, zone)

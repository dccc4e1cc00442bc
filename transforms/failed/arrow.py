"""The lake table's Arrow schema, and rows to Arrow and Parquet. Not imported by the Lambda function."""

import io
from collections.abc import Sequence
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
import pyarrow.parquet as pq

from transforms.contracts import LakeTable, type_parts

_SCALARS = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    # Parquet's own UTC milliseconds without a zone, as Athena's `timestamp` is.
    "timestamp": pa.timestamp("ms"),
}


@cache
def arrow_schema(table: LakeTable) -> Any:
    """The Arrow schema of a lake table's objects: its columns without the lake partition."""
    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in table.columns])


def arrow_type(hive_type: str) -> Any:
    """A Hive type as Arrow's. Raises ValueError for what is none of the lake's types."""
    name, _, rest = hive_type.partition("<")
    if not rest:
        if name not in _SCALARS:
            raise ValueError(
                f"No Arrow type for {hive_type!r}. Use one of: {', '.join(_SCALARS)}, array, map, struct."
            )
        return _SCALARS[name]
    inner = type_parts(rest.removesuffix(">"))
    if name == "array":
        return pa.list_(arrow_type(inner[0]))
    if name == "map":
        return pa.map_(arrow_type(inner[0]), arrow_type(inner[1]))
    members = [member.partition(":") for member in inner]
    return pa.struct([pa.field(member, arrow_type(kind)) for member, _, kind in members])


def rows_to_table(table: LakeTable, rows: Sequence[bytes]) -> Any:
    """JSON rows as an Arrow table of the lake's schema; missing members are null, unknown ones are left out.

    Raises pyarrow.ArrowInvalid for a row that does not fit its column.
    """
    schema = arrow_schema(table)
    data = b"".join(row if row.endswith(b"\n") else row + b"\n" for row in rows)
    read = pyarrow.json.read_json(
        io.BytesIO(data),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(data) + 1),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=_read_schema(table),
            unexpected_field_behavior="ignore",
        ),
    )
    columns = [_as_stored(read.column(each.name).combine_chunks(), each.type) for each in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def structs_of(table: LakeTable, column: str, payloads: Sequence[bytes]) -> Any:
    """The column of an event type as an Arrow array, from its payloads as JSON, each ended by a newline.

    Raises pyarrow.ArrowInvalid for a payload that does not fit.
    """
    kind, read = arrow_schema(table).field(column).type, _read_schema(table).field(column).type
    data = b"".join(payloads)
    found = pyarrow.json.read_json(
        pa.BufferReader(data),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(data) + 1),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=pa.schema(list(read)), unexpected_field_behavior="ignore"
        ),
    )
    members = [_as_stored(found.column(each.name).combine_chunks(), each.type) for each in kind]
    return pa.StructArray.from_arrays(members, fields=list(kind))


@cache
def _read_schema(table: LakeTable) -> Any:
    return pa.schema([pa.field(each.name, _as_read(each.type)) for each in arrow_schema(table)])


def _as_read(kind: Any) -> Any:
    """Timestamps are read as text, because Arrow's JSON reader knows no zone."""
    if pa.types.is_timestamp(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(each.name, _as_read(each.type)) for each in kind])
    if pa.types.is_list(kind):
        return pa.list_(_as_read(kind.value_type))
    return kind


def _as_stored(array: Any, kind: Any) -> Any:
    if array.type == kind:
        return array
    if pa.types.is_timestamp(kind):
        return pc.cast(pc.cast(array, pa.timestamp("ms", "UTC")), kind)
    if pa.types.is_struct(kind):
        members = [_as_stored(array.field(index), each.type) for index, each in enumerate(kind)]
        return pa.StructArray.from_arrays(members, fields=list(kind), mask=array.is_null())
    return pa.ListArray.from_arrays(
        array.offsets, _as_stored(array.values, kind.value_type), mask=array.is_null()
    )


def parquet_bytes(table: Any) -> bytes:
    """One Parquet object. The same rows give the same bytes."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="snappy")
    return sink.getvalue()


def read_parquet(data: bytes, table: LakeTable) -> Any:
    """An object of the lake as an Arrow table of the present schema."""
    return pq.read_table(io.BytesIO(data), schema=arrow_schema(table))

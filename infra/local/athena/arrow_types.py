"""Trino's types as Arrow's: what queries hand over, what files hold."""

import pyarrow as pa

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.types import Type

_PLAIN = {
    "unknown": pa.int32(), "boolean": pa.bool_(), "tinyint": pa.int8(), "smallint": pa.int16(), "integer": pa.int32(),
    "bigint": pa.int64(), "real": pa.float32(), "double": pa.float64(), "varchar": pa.string(), "char": pa.string(),
    "json": pa.string(), "varbinary": pa.binary(), "date": pa.date32(), "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"), "timestamp with time zone": pa.timestamp("us", "UTC"), "uuid": pa.string(),
    "interval day to second": pa.month_day_nano_interval(), "interval year to month": pa.month_day_nano_interval(),
}  # fmt: skip


def arrow_type(of: Type) -> pa.DataType:
    """What Python functions return to DuckDB for this type."""
    if of.name == "decimal":
        return pa.decimal128(of.precision, of.scale)
    if of.name == "array":
        return pa.list_(arrow_type(of.of[0]))
    if of.name == "map":
        return pa.map_(arrow_type(of.of[0]), arrow_type(of.of[1]))
    if of.name == "row":
        return pa.struct([pa.field(n, arrow_type(t)) for n, t in zip(of.stored_names, of.of, strict=True)])
    return _PLAIN[of.name]


def file_type(of: Type) -> pa.DataType:
    """What Parquet files that a query writes hold: Athena's timestamps have milliseconds.

    Raises QueryError for types that Hive tables do not have.
    """
    if of.name in ("json", "time", "uuid", "unknown") or of.is_interval:
        raise QueryError(
            "NOT_SUPPORTED", f"Unsupported Hive type: {of}. Cast the column to a type that Hive has."
        )
    if of.name == "timestamp":
        return pa.timestamp("ms")
    if of.name == "timestamp with time zone":
        raise QueryError("NOT_SUPPORTED", f"Unsupported Hive type: {of}. Cast the column to timestamp.")
    if of.name == "array":
        return pa.list_(file_type(of.of[0]))
    if of.name == "map":
        return pa.map_(file_type(of.of[0]), file_type(of.of[1]))
    if of.name == "row":
        return pa.struct([pa.field(n, file_type(t)) for n, t in zip(of.stored_names, of.of, strict=True)])
    return arrow_type(of)

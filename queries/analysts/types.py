"""Declared (Trino) types as Arrow types."""

import re

import pyarrow as pa

from transforms.contracts import type_parts

_PLAIN = {
    "varchar": pa.string(),
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    # Athena's timestamps have milliseconds and no zone; all of the pipeline's are UTC.
    "timestamp": pa.timestamp("ms"),
    "timestamp(3)": pa.timestamp("ms"),
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


def arrow_type(declared: str) -> pa.DataType:
    """The Arrow type of a declared one. Raises TypeError for one that no declaration may use."""
    if declared in _PLAIN:
        return _PLAIN[declared]
    if match := _DECIMAL.fullmatch(declared):
        return pa.decimal128(int(match[1]), int(match[2]))
    kind, _, inside = declared.removesuffix(")").partition("(")
    parts = type_parts(inside)
    match kind, parts:
        case "array", [item]:
            return pa.list_(pa.field("element", arrow_type(item)))
        case "map", [key, value]:
            return pa.map_(arrow_type(key), arrow_type(value))
        case "row", [_, *_]:
            named = (part.partition(" ") for part in parts)
            return pa.struct([(name, arrow_type(of)) for name, _, of in named])
    raise TypeError(f"No declaration has the type {declared!r}.")

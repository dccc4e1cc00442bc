"""Which types of Parquet files Athena reads as a declared type. Source: Trino's Hive connector, "Parquet type coercions"."""

import pyarrow as pa

from infra.local.athena.sql.types import Type

_WIDTHS = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}


def is_read_as(given: pa.DataType, of: Type) -> bool:
    """Whether a file's column of this type may stand behind a table's column; narrower numbers may not."""
    types = pa.types
    if types.is_dictionary(given):
        return is_read_as(given.value_type, of)
    if types.is_null(given):
        return True
    if of.name == "array":
        is_list = types.is_list(given) or types.is_large_list(given)
        return bool(is_list) and is_read_as(given.value_type, of.of[0])
    if of.name == "map":
        return bool(types.is_map(given)) and all(map(is_read_as, (given.key_type, given.item_type), of.of))
    if of.name == "row":
        if not types.is_struct(given):
            return False
        inner = {given.field(i).name.lower(): given.field(i).type for i in range(given.num_fields)}
        return all(
            name not in inner or is_read_as(inner[name], part)
            for name, part in zip(of.stored_names, of.of, strict=True)
        )
    return _scalar(given, of)


def _scalar(given: pa.DataType, of: Type) -> bool:
    types = pa.types
    if of.is_integer:
        return bool(types.is_integer(given) and given.bit_width <= _WIDTHS[of.name])
    if of.is_float:
        return bool(types.is_floating(given) and given.bit_width <= (32 if of.name == "real" else 64))
    if of.name == "decimal":
        whole = of.precision - of.scale
        return bool(
            types.is_decimal(given) and given.scale <= of.scale and given.precision - given.scale <= whole
        )
    return any(test(given) for test in _TESTS.get(of.name, ()))


_TEXT = (pa.types.is_string, pa.types.is_large_string)
_TESTS = {
    "varchar": _TEXT,
    "char": _TEXT,
    "varbinary": (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary),
    "timestamp": (pa.types.is_timestamp,),
    "date": (pa.types.is_date,),
    "boolean": (pa.types.is_boolean,),
}

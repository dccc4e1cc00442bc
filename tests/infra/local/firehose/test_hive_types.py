"""Hive's column types are parsed, and nothing else is."""

import pyarrow as pa
import pytest

from infra.local.firehose.hive_types import HiveTypeError, parse_type
from tests.shop import TABLES


@pytest.mark.parametrize(
    ("text", "arrow"),
    [
        ("string", pa.string()),
        ("varchar(10)", pa.string()),
        ("tinyint", pa.int8()),
        ("int", pa.int32()),
        ("INTEGER", pa.int32()),
        ("bigint", pa.int64()),
        ("float", pa.float32()),
        ("double", pa.float64()),
        ("boolean", pa.bool_()),
        ("date", pa.date32()),
        ("timestamp", pa.timestamp("ms")),
        ("decimal(38, 18)", pa.decimal128(38, 18)),
        ("decimal(5)", pa.decimal128(5, 0)),
        ("array<int>", pa.list_(pa.int32())),
        ("map<string,bigint>", pa.map_(pa.string(), pa.int64())),
        (
            "struct<a:int,B:array<map<string,decimal(10,2)>>>",
            pa.struct(
                [("a", pa.int32()), ("b", pa.list_(pa.map_(pa.string(), pa.decimal128(10, 2))))],
            ),
        ),
    ],
)
def test_a_type_is_parsed_to_its_arrow_type(text: str, arrow: pa.DataType) -> None:
    assert parse_type(text).arrow == arrow


@pytest.mark.parametrize(
    "text",
    ["", "strin", "int>", "array<int", "struct<a>", "struct<a:int,>", "map<int>", "decimal(x)", "int int"],
)
def test_what_is_not_a_type_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(HiveTypeError, match="at character"):
        parse_type(text)


def test_every_column_of_every_lake_table_has_a_type_that_the_worker_knows() -> None:
    for table in TABLES.values():
        assert [parse_type(column.type).arrow for column in table.columns]

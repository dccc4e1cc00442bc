"""JSON values become Hive values as the OpenX SerDe makes them, or the record fails."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from infra.local.firehose.coercion import CoercionError, coerce
from infra.local.firehose.hive_types import parse_type

GOOD: list[tuple[str, Any, Any]] = [
    ("bigint", None, None),
    ("bigint", 5, 5),
    ("bigint", "5", 5),
    ("bigint", 2**63 - 1, 2**63 - 1),
    ("tinyint", -128, -128),
    ("double", "1.5", 1.5),
    ("double", 3, 3.0),
    ("string", 5, "5"),
    ("string", True, "true"),
    ("string", {"a": [1]}, '{"a":[1]}'),
    ("boolean", "TRUE", True),
    ("decimal(4,2)", "12.345", Decimal("12.35")),
    ("date", "2026-11-24", date(2026, 11, 24)),
    ("timestamp", "2026-11-24T10:00:00Z", datetime(2026, 11, 24, 10)),
    ("timestamp", "2026-11-24T10:00:00.123456789Z", datetime(2026, 11, 24, 10, 0, 0, 123456)),
    ("timestamp", "2026-1-2 3:04:05.5", datetime(2026, 1, 2, 3, 4, 5, 500000)),
    ("timestamp", 1_764_068_400, datetime(2025, 11, 25, 11)),
    ("timestamp", 1_764_068_400_000, datetime(2025, 11, 25, 11)),
    ("timestamp", "1764068400", datetime(2025, 11, 25, 11)),
    ("array<int>", [1, "2"], [1, 2]),
    ("array<int>", 7, [7]),
    ("struct<a:int,b:string>", {"A": "1", "c": 9}, {"a": 1, "b": None}),
    ("struct<a:int,b:string>", [1], {"a": 1, "b": None}),
    ("map<string,int>", {"K": "1"}, [("k", 1)]),
]


@pytest.mark.parametrize(("kind", "value", "wanted"), GOOD)
def test_a_value_is_made_to_fit(kind: str, value: Any, wanted: Any) -> None:
    assert coerce(value, parse_type(kind)) == wanted


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bigint", "oops"),
        ("bigint", 2**63),
        ("bigint", True),
        ("bigint", [1]),
        ("bigint", Decimal("1.5")),
        ("tinyint", 128),
        ("double", "1e999"),
        ("double", {}),
        ("boolean", 1),
        ("decimal(4,2)", "100"),
        ("date", "24.11.2026"),
        ("timestamp", "2026-11-24T10:00:00+00:00"),
        ("timestamp", "2026-11-24T10:00:00-05:00"),
        ("timestamp", "2026-11-24 10:00:00Z"),
        ("timestamp", "2026-13-01T00:00:00Z"),
        ("timestamp", "yesterday"),
        ("timestamp", 10**20),
        ("struct<a:int>", 5),
        ("map<string,int>", [1]),
        ("map<string,int>", "a"),
    ],
)
def test_what_does_not_fit_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(CoercionError, match="For input string"):
        coerce(value, parse_type(kind))

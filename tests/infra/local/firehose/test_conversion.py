"""The fast way gives what the exact way gives, and no record fails for its neighbour."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.firehose.conversion import RowConverter
from infra.local.firehose.hive_types import parse_type

COLUMNS = [
    (name, parse_type(kind))
    for name, kind in {
        "name": "string",
        "number": "bigint",
        "small": "int",
        "real": "double",
        "yes": "boolean",
        "at": "timestamp",
        "inner": "struct<a:int,b:string,at:timestamp>",
        "items": "array<struct<id:string,n:bigint>>",
    }.items()
]
ODD = [
    b"nope",
    b" ",
    b"",
    b"[]",
    b'{"number":"x"}',
    b'{"small":3000000000}',
    b'{"real":NaN}',
    b'{"name":"\xff"}',
]

_text = st.text(max_size=8)
_rows = st.fixed_dictionaries(
    {},
    optional={
        "name": st.none() | _text | st.integers(),
        "NUMBER": st.integers(-(2**70), 2**70),
        "number": st.none() | st.integers(-(2**63), 2**63 - 1) | st.just("12"),
        "small": st.integers(-(2**33), 2**33),
        "real": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 5),
        "yes": st.booleans() | st.just("true"),
        "at": st.sampled_from(
            ["2026-11-24T10:00:00.123Z", "2026-11-24 10:00:00", "2026-11-24T10:00:00+00:00", 5]
        ),
        "inner": st.none()
        | st.fixed_dictionaries({}, optional={"a": st.integers(0, 9), "B": _text, "x": _text}),
        "items": st.lists(st.fixed_dictionaries({"id": _text, "n": st.integers(0, 5)}), max_size=2),
        "unknown": _text,
    },
)
_bytes = st.one_of(_rows.map(lambda row: json.dumps(row).encode()), st.sampled_from(ODD))


def _one_by_one(rows: list[bytes]) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """What each row gives when it is converted alone, the exact way."""
    good: list[dict[str, Any]] = []
    bad: list[tuple[int, str]] = []
    for index, row in enumerate(rows):
        converter = RowConverter(COLUMNS)
        converter._parsed = None
        converted = converter.convert([row])
        good += converted.table.to_pylist()
        bad += [(index, failure.message) for _, failure in converted.failures]
    return good, bad


@settings(max_examples=150, deadline=None)
@given(st.lists(_bytes, max_size=12))
def test_any_batch_gives_what_its_rows_give_alone(rows: list[bytes]) -> None:
    converted = RowConverter(COLUMNS).convert(rows)
    good, bad = _one_by_one(rows)
    assert converted.table.to_pylist() == good
    assert [(index, failure.message) for index, failure in converted.failures] == bad


def test_a_large_batch_with_few_bad_rows_keeps_the_order_of_the_good_ones() -> None:
    rows = [json.dumps({"number": number, "at": "2026-11-24T10:00:00Z"}).encode() for number in range(3000)]
    rows[7], rows[1500], rows[2999] = b"nope", b'{"small":"x"}', b'{"number": 1'
    converted = RowConverter(COLUMNS).convert(rows)
    assert [index for index, _ in converted.failures] == [7, 1500, 2999]
    wanted = [number for number in range(3000) if number not in {7, 1500, 2999}]
    assert converted.table.column("number").to_pylist() == wanted


def test_a_hundred_thousand_nested_levels_fail_alone() -> None:
    deep = b'{"items":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    converted = RowConverter(COLUMNS).convert([b'{"number":1}', deep, b'{"number":2}'])
    assert converted.table.column("number").to_pylist() == [1, 2]
    assert [index for index, _ in converted.failures] == [1]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("struct<a:int>", '"a text"'),
        ("string", r'"\ud800"'),
        ("map<string,string>", r'{"\udfff":"a"}'),
        ("bigint", "1e999999999"),
        ("bigint", '"-1e999999999"'),
        ("bigint", "1e-999999999"),
        ("timestamp", "1e999999999"),
        ("timestamp", '"0000-01-01T00:00:00Z"'),
        ("decimal(10,2)", '"NaN"'),
        ("decimal(10,2)", "1e999999999999999999"),
        ("double", "1" * 5000),
        ("binary", '"not base64"'),
        ("binary", "5"),
    ],
)
def test_a_value_that_no_type_holds_fails_alone_and_at_once(kind: str, value: str) -> None:
    converter = RowConverter([("value", parse_type(kind))])
    converted = converter.convert([b"{}", f'{{"value":{value}}}'.encode(), b'{"value":null}'])
    assert converted.table.num_rows == 2
    assert [index for index, _ in converted.failures] == [1]
    converted.failures[0][1].message.encode()  # it goes into an error object


def test_binary_is_base64_in_json() -> None:
    converted = RowConverter([("value", parse_type("binary"))]).convert([b'{"value":"aGVsbG8="}'])
    assert converted.table.column("value").to_pylist() == [b"hello"]

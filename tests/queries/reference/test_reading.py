"""Rows of reference tables, held against their declaration."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from queries.reference.publishing import version_name
from queries.reference.reading import MOST_ROWS, ReferenceDataError, data_file, read_rows
from queries.reference.values import ValueRefusedError, parser
from tests.queries.reference.airlines import ROWS, written


def rows_of(folder: Path, text: str = ROWS) -> pa.Table:
    table = written(folder, text)
    return read_rows(table, data_file(table))


def test_cells_become_values_of_the_declared_types_and_empty_ones_nothing(tmp_path: Path) -> None:
    assert rows_of(tmp_path).to_pylist() == [
        {
            "carrier": "UA",
            "name": "United Air Lines Inc.",
            "founded": 1926,
            "fee": Decimal("12.50"),
            "joined": date(1997, 5, 14),
        },
        {
            "carrier": "AA",
            "name": "American Airlines Inc.",
            "founded": 1930,
            "fee": None,
            "joined": None,
        },
    ]


def test_the_file_may_name_its_columns_in_any_order_and_have_line_breaks_in_cells(tmp_path: Path) -> None:
    found = rows_of(tmp_path, 'name,fee,carrier,joined,founded\n"United\nAir",1,UA,,\n\n"A,B",2,AA,,\n')
    assert found.column_names == ["carrier", "name", "founded", "fee", "joined"]
    assert found.column("name").to_pylist() == ["United\nAir", "A,B"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("UA,United,1926,,\nAA,American,old,,\n", "line 3, column founded: 'old' is not a whole number"),
        ("UA,United,99999999999,,\n", "line 2, column founded: '99999999999' is not a whole number"),
        ("UA,United,,1.255,\n", "line 2, column fee: '1.255' is not a number of at most 5 digits, 2 of them"),
        ("UA,United,,,2013-02-30\n", "line 2, column joined: '2013-02-30' is not a day"),
        (
            'UA,"United\nAir",,,\nAA,x,,,\nUA,y,,,\n',
            "line 5 has the key of line 2: carrier 'UA'. A join would count twice",
        ),
        (",United,,,\n", "line 2, column carrier: it has no value, and is a part of the key"),
        ("UA,United,,\n", "line 2 has 4 cells, and the first line names 5 columns"),
        ('UA,"United,,,\n', "line 2 is not CSV"),
        ("U\x1bA,a,,,\nU\x1bA,b,,,\n", r"carrier 'U\x1bA'"),
    ],
)
def test_a_row_that_is_not_as_declared_is_refused_with_its_line_and_column(
    tmp_path: Path, rows: str, said: str
) -> None:
    with pytest.raises(ReferenceDataError) as refused:
        rows_of(tmp_path, ROWS.splitlines(keepends=True)[0] + rows)
    assert said in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path / "airlines.csv"))
    assert str(refused.value).isprintable()


def test_columns_that_are_not_those_declared_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match="line 1 lacks founded, fee, joined and has 'since'"):
        rows_of(tmp_path, "carrier,name,since\nUA,United,1926\n")
    with pytest.raises(ReferenceDataError, match="line 1 lacks carrier"):
        rows_of(tmp_path, "")


def test_a_parquet_file_gives_the_same_rows_and_one_of_other_types_is_refused(tmp_path: Path) -> None:
    expected, table = rows_of(tmp_path), written(tmp_path)
    (tmp_path / "airlines.csv").unlink()
    parquet.write_table(expected, tmp_path / "airlines.parquet")
    found = read_rows(table, data_file(table))
    assert found.equals(expected)
    assert version_name(found) == version_name(expected)

    doubled = pa.concat_tables([expected, expected.slice(1)])
    parquet.write_table(doubled, tmp_path / "airlines.parquet")
    with pytest.raises(ReferenceDataError, match="row 3 has the key of row 2: carrier 'AA'"):
        read_rows(table, data_file(table))
    texts = expected.set_column(2, "founded", pa.array(["1926", "1930"]))
    parquet.write_table(texts, tmp_path / "airlines.parquet")
    with pytest.raises(ReferenceDataError, match="column founded: its values are string"):
        read_rows(table, data_file(table))
    large = expected.set_column(2, "founded", pa.array([1926, 2**40]))
    parquet.write_table(large, tmp_path / "airlines.parquet")
    with pytest.raises(ReferenceDataError, match="a value does not fit its column"):
        read_rows(table, data_file(table))


def test_a_file_that_cannot_be_read_or_has_too_many_rows_is_refused_before_it_is_read(tmp_path: Path) -> None:
    table = written(tmp_path)
    (tmp_path / "airlines.csv").unlink()
    (tmp_path / "airlines.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(ReferenceDataError, match="not a Parquet file that can be read"):
        read_rows(table, data_file(table))
    parquet.write_table(pa.table({"carrier": pa.nulls(MOST_ROWS + 1)}), tmp_path / "airlines.parquet")
    with pytest.raises(ReferenceDataError, match="has 1,000,001 rows"):
        read_rows(table, data_file(table))


def test_a_table_without_a_file_and_one_with_two_say_what_to_do(tmp_path: Path) -> None:
    table = written(tmp_path)
    (tmp_path / "airlines.parquet").write_bytes(b"")
    with pytest.raises(ReferenceDataError, match="both have the rows"):
        data_file(table)
    for path in tmp_path.glob("airlines.[cp]*"):
        path.unlink()
    with pytest.raises(ReferenceDataError, match=r"airlines\.csv is not there"):
        data_file(table)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("bigint", "-9223372036854775808", -(2**63)),
        ("bigint", "9223372036854775808", None),
        ("bigint", "1_000", None),
        ("bigint", " 1", None),
        ("double", "1e3", 1000.0),
        ("double", "nan", None),
        ("boolean", "TRUE", True),
        ("boolean", "1", None),
        ("date", "20130101", None),
        ("timestamp", "2026-11-24T10:30:00+02:00", datetime(2026, 11, 24, 8, 30)),
        ("timestamp", "2026-11-24 10:30:00.123", datetime(2026, 11, 24, 10, 30, 0, 123000)),
        ("timestamp", "2026-11-24 10:30:00.123456", None),
        ("decimal(3,1)", "99.9", Decimal("99.9")),
        ("decimal(3,1)", "100", None),
        ("decimal(3,1)", "Infinity", None),
    ],
)
def test_a_text_is_a_value_of_a_type_or_refused(kind: str, text: str, value: Any) -> None:
    if value is None:
        with pytest.raises(ValueRefusedError):
            parser(kind)(text)
    else:
        assert parser(kind)(text) == value

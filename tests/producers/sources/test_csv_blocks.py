"""Blocks of CSV that Arrow splits have the cells that the csv module gives."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.sources.csv_blocks import LONGEST_LINE, table_at_once
from producers.sources.csv_cells import Dialect
from producers.sources.definition import CsvForm

COLUMNS = ("a", "b")
QUOTED, PLAIN = CsvForm(), CsvForm(quote=False, delimiter=";")
_CELLS = st.text("ab1 \",;'\\\t#é\x1c\u2028\r\n\0\udcff", max_size=4)


def _lines(text: str) -> list[str]:
    return io.StringIO(text, newline="").readlines()


def _rows(lines: list[str], form: CsvForm) -> list[list[str]]:
    return [row for row in Dialect(form.delimiter, form.quote).split(lines, strict=True) if row]


@given(
    st.lists(st.lists(_CELLS, min_size=1, max_size=3), max_size=4),
    st.sampled_from([QUOTED, PLAIN]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_whatever_is_split_at_once_is_what_the_csv_module_gives(
    rows: list[list[str]], form: CsvForm, end: str, is_ended: bool
) -> None:
    text = end.join(form.delimiter.join(row) for row in rows) + (end if is_ended else "")
    lines = _lines(text)
    table = table_at_once(lines, COLUMNS, form)
    if table is not None:
        assert [list(row.values()) for row in table.to_pylist()] == _rows(lines, form)


@pytest.mark.parametrize("text", ["1,x\n2,\n", "1,x\r\n\r\n2,é\r\n", "1,x", " 1,NA\n,null\n"])
def test_plain_rows_are_split_at_once(text: str) -> None:
    table = table_at_once(_lines(text), COLUMNS, QUOTED)
    assert table is not None
    assert [list(row.values()) for row in table.to_pylist()] == _rows(_lines(text), QUOTED)


@pytest.mark.parametrize(
    "text",
    [
        '1,"x"\n',
        "1\n",
        "1,2,3\n",
        "1,x\r2,y\n",
        "1,\udcff\n",
        "1,\0\n",
        "\n\n",
        "",
        f"1,{'x' * LONGEST_LINE}\n",
    ],
)
def test_what_may_be_something_else_is_left_to_the_csv_module(text: str) -> None:
    assert table_at_once(_lines(text), COLUMNS, QUOTED) is None

"""Report and definition files as editors save them: with a byte-order mark, in UTF-16, in Latin-1."""

from importlib.resources import files

import pytest

from queries.commands.lint import lint
from queries.contracts import EncodingError, file_text
from queries.refresh.catalog import parse_report
from tests.shop import REPORTS, TABLES

SQL = files("queries").joinpath("sql", "orders_by_hour.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_report_is_the_same_with_a_byte_order_mark(encoding: str) -> None:
    text = file_text(SQL.encode(encoding), "r.sql")
    assert lint(text, "r.sql", TABLES) == []
    assert parse_report(text, REPORTS["orders_by_hour"].file, TABLES).report == REPORTS["orders_by_hour"]


@pytest.mark.parametrize(
    ("content", "said"),
    {
        "Latin-1": ("-- title: Besteller-Café".encode("latin-1"), "r.sql.*Latin-1.*iconv"),
        "UTF-16 without a mark": (SQL.encode("utf-16-le"), "r.sql.*UTF-16.*iconv"),
        "half of UTF-16": (SQL.encode("utf-16")[:-1], "r.sql.*UTF-16-LE"),
    }.values(),
)
def test_another_encoding_is_named_in_one_sentence(content: bytes, said: str) -> None:
    with pytest.raises(EncodingError, match=said):
        file_text(content, "r.sql")

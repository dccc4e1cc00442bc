"""A number is named by partition, keys and column; what names none is refused with what there is."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from queries.receipts.cell import Asked, literal, parse_words, row_of
from queries.receipts.errors import UnknownCellError
from tests.queries.reports import declared
from tests.shop import REPORTS

ORDERS = REPORTS["orders_by_hour"]
HOUR = "2026-03-01-10"


def test_a_row_is_named_by_its_keys_and_the_number_by_its_column() -> None:
    assert parse_words(ORDERS, HOUR, ["currency=EUR", "orders"]) == Asked(HOUR, "orders", {"currency": "EUR"})
    assert parse_words(ORDERS, HOUR, ["orders", "currency=a=b"]).keys == {"currency": "a=b"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["currency=EUR"], "No column of orders_by_hour is named. Name one of: orders, revenue_minor"),
        (["currency=EUR", "order"], "'order' is not a number of orders_by_hour. Name one of: orders,"),
        (["currency=EUR", "currency"], "'currency' is not a number of orders_by_hour."),
        (["orders"], "orders_by_hour has a row for each currency. Say which: currency=VALUE"),
        (["town=Rome", "orders"], "'town' is not a key of orders_by_hour. Its keys: currency."),
    ],
)
def test_what_names_no_number_is_refused_with_what_there_is(words: list[str], says: str) -> None:
    with pytest.raises(UnknownCellError) as refused:
        parse_words(ORDERS, HOUR, words)
    assert says in str(refused.value)


def test_a_key_that_is_not_known_is_written_as_null_and_not_taken_for_a_text() -> None:
    rows: list[dict[str, Any]] = [{"currency": None, "orders": 1}, {"currency": "EUR", "orders": 2}]
    assert row_of(ORDERS, rows, parse_words(ORDERS, HOUR, ["currency=NULL", "orders"])) == rows[0]
    assert row_of(ORDERS, rows, parse_words(ORDERS, HOUR, ["currency=USD", "orders"])) is None


def test_rows_that_no_key_tells_apart_are_refused() -> None:
    report = declared().report
    with pytest.raises(UnknownCellError, match="2 rows that are told apart by no key"):
        row_of(report, [{"events": 1}, {"events": 2}], parse_words(report, HOUR, ["events"]))


@pytest.mark.parametrize(
    ("value", "kind", "sql"),
    [
        (None, "varchar", "CAST(NULL AS varchar)"),
        ("it's", "varchar", "'it''s'"),
        (True, "boolean", "true"),
        (-5, "bigint", "-5"),
        (0.1, "double", "CAST('0.1' AS double)"),
        (Decimal("1.20"), "decimal(5,2)", "CAST('1.20' AS decimal(5,2))"),
        (date(2026, 3, 1), "date", "DATE '2026-03-01'"),
        (datetime(2026, 3, 1, 10), "timestamp", "TIMESTAMP '2026-03-01 10:00:00.000'"),
    ],
)
def test_a_key_is_an_sql_literal_of_its_type(value: Any, kind: str, sql: str) -> None:
    assert literal(value, kind) == sql

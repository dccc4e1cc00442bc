"""A number is named by partition, keys and column; what names none is refused with what there is."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

from queries.receipts.address import address_of, asked_in
from queries.receipts.cell import Asked, literal, parse_words, row_of
from queries.receipts.errors import UnknownCellError
from tests.queries.reports import declared
from tests.shop import CATALOG, REPORTS

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


HOSTILE = ["EUR", "a=b&c", "", "NULL", "ä é\u202e", "1.50", "key.x=1"]


@pytest.mark.parametrize("currency", HOSTILE)
def test_an_address_names_the_cell_that_it_was_made_for(currency: str) -> None:
    address = address_of("orders_by_hour", "2026-03-01-10", {"currency": currency}, "orders")
    query, asked = asked_in(parse_qsl(address, keep_blank_values=True), CATALOG)
    assert query.report.name == "orders_by_hour"
    assert asked == Asked("2026-03-01-10", "orders", {"currency": currency})


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "names no report"),
        ("report=orders_by_hour&column=orders", "names no partition"),
        ("report=orders_by_hour&partition=2026-03-01-10&key.currency=EUR", "names no column"),
        ("report=orders_by_hour&partition=2026-03-01-10&column=orders", "Say which: currency=VALUE"),
        ("report=orders_by_hour&partition=2026-03-01-10&key.a=b&column=orders", "'a' is not a key"),
        ("report=orders_by_hour&partition=2026-03-01-10&column=nope", "'nope' is not a number"),
    ],
)
def test_an_address_that_names_no_cell_says_what_is_missing(address: str, says: str) -> None:
    with pytest.raises(UnknownCellError, match=says):
        asked_in(parse_qsl(address), CATALOG)


@pytest.mark.parametrize(
    ("value", "said", "is_it"),
    [
        (Decimal("1.50"), "1.5", True),
        (0.1, "1e-1", True),
        (datetime(2026, 3, 1, 10), "2026-03-01 10:00:00.000", True),
        (datetime(2026, 3, 1, 10), "2026-03-01", False),
        (Decimal("1.50"), "x", False),
        (15, "15.0", False),
        ("1.50", "1.5", False),
    ],
)
def test_a_key_may_be_written_in_several_ways(value: Any, said: str, is_it: bool) -> None:
    report = CATALOG["orders_by_hour"].report
    found = row_of(report, [{"currency": value}], Asked("2026-03-01-10", "orders", {"currency": said}))
    assert (found is not None) == is_it

"""Amounts are divided by what ISO 4217 says of their currency, in what is deployed and in what is shown."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import iso4217
import pytest

from dashboards import money
from dashboards.board.payload import tiles
from dashboards.declaration import DeclarationError
from dashboards.expressions.duckdb_sql import sql
from dashboards.expressions.parse import parse
from dashboards.expressions.typing import Names
from dashboards.preview.charts import vega
from dashboards.reading import load
from dashboards.render.state import State
from tests.dashboards import rows
from tests.dashboards.conftest import board_over, resources
from tests.shop import DASHBOARDS

NAMES = Names({"amount": "number", "code": "text", "orders": "number"}, {}, {})
DECLARED = """title = "T"
about = "A"

[report.orders_by_hour]
import_mode = "direct"
stale_after = "2h"

[report.orders_by_hour.measures]
orders = { title = "Orders", expression = "sum({orders})", format = "integer" }
revenue = { title = "Revenue", minor = "revenue_minor", currency = "currency", format = "money" }

[[sheet]]
id = "one"
title = "One"

[[sheet.visual]]
id = "money"
kind = "table"
report = "orders_by_hour"
title = "Money"
x = "currency"
y = ["orders", "revenue"]
span = [18, 9]
"""


def answers(statement: str) -> list[tuple[Any, ...]]:
    """What DuckDB answers."""
    found = duckdb.sql(statement)
    assert found is not None
    return found.fetchall()


def amounts(values: str, expression: str) -> dict[str | None, float | None]:
    """What an expression gives for rows (code, amount, orders), by code."""
    text = sql(parse(expression), NAMES)
    found = answers(f"SELECT code, {text} FROM (VALUES {values}) AS t(code, amount, orders) GROUP BY code")
    return dict(found)


def test_every_currency_is_divided_by_its_own_unit() -> None:
    listed = {entry.code: entry.exponent for entry in iso4217.Currency if entry.exponent is not None}
    assert len(listed) > 150
    values = ", ".join(f"('{code}', {5_829_835 + at}, 1)" for at, code in enumerate(listed))
    wanted = {
        code: float(Decimal(5_829_835 + at).scaleb(-digits))
        for at, (code, digits) in enumerate(listed.items())
    }
    assert amounts(values, money.expression("amount", "code")) == wanted
    assert (wanted["JPY"] % 1, listed["KWD"], listed["BHD"], listed["CLF"]) == (0, 3, 3, 4)


def test_a_code_that_no_standard_lists_has_no_amount_rather_than_a_guessed_one() -> None:
    found = amounts(
        "('EUR', 150, 1), ('ABC', 150, 1), ('XAU', 150, 1), (NULL, 150, 1)",
        money.expression("amount", "code"),
    )
    assert found == {"EUR": 1.5, "ABC": None, "XAU": None, None: None}


def test_several_currencies_have_no_sum() -> None:
    text = sql(parse(money.expression("amount", "code", "sum({orders})")), NAMES)
    two = "SELECT {} FROM (VALUES ('EUR', 150, 3), ('{}', 150, 1)) AS t(code, amount, orders)"
    assert answers(two.format(text, "JPY")) == [(None,)]
    assert answers(two.format(text, "EUR")) == [(0.75,)]


def test_the_deployed_orders_dashboard_shows_each_currency_with_its_decimals(tmp_path: Path) -> None:
    found = rows.report_rows(days=2)
    hour = found["orders_by_hour"][0]["event_hour"]
    found["orders_by_hour"] = [
        {
            "event_hour": hour,
            "currency": code,
            "orders": 2,
            "revenue_minor": minor,
            "average_order_minor": 0.0,
        }
        for code, minor in (("JPY", 5_829_835), ("EUR", 5_829_830), ("KWD", 1_234_567), ("ABC", 100))
    ]
    rows.write(found, tmp_path)
    board = board_over(tmp_path)
    shown = {tile["id"]: tile for tile in tiles(board, "orders", "overview", State(), charts=vega)["tiles"]}
    assert {texts[0]: texts[2] for texts in shown["money"]["texts"]} == {
        "JPY": "5,829,835",
        "EUR": "58,298.30",
        "KWD": "1,234.567",
        "ABC": "–",
    }
    days = {tile["id"]: tile for tile in tiles(board, "orders", "days", State(), charts=vega)["tiles"]}
    assert "1,234.567" in {texts[2] for texts in days["revenue-by-day"]["texts"]}
    assert {row[0]: row[3] for row in shown["money"]["rows"]}["JPY"] == 5_829_835 / 2


def test_what_is_deployed_names_the_divisors_and_no_number_of_decimals() -> None:
    page = resources()["DashboardOrders"].properties["Definition"]
    fields = {entry["Name"]: entry["Expression"] for entry in page["CalculatedFields"]}
    assert fields["Revenue"] == money.expression("revenue_minor", "currency")
    table = next(v["TableVisual"] for v in page["Sheets"][0]["Visuals"] if "TableVisual" in v)
    revenue = table["ChartConfiguration"]["FieldWells"]["TableAggregatedFieldWells"]["Values"][1]
    assert "DecimalPlacesConfiguration" not in str(revenue)
    measures = DASHBOARDS["orders"].sources["orders_by_hour"].measures
    assert not [name for name, entry in measures.items() if "/ 100" in entry.expression]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('x = "currency"', "", 16, "Put 'currency' on 'x' or 'color'"),
        ('currency = "currency", ', "", 10, "'currency' is missing"),
        (
            'minor = "revenue_minor"',
            'minor = "revenue_minor", expression = "sum({orders})"',
            10,
            "Unknown key",
        ),
        ('format = "money"', 'format = "integer"', 10, "Use one of: money"),
    ],
)
def test_an_amount_that_would_mix_currencies_is_refused_at_its_line(
    old: str, new: str, line: int, said: str
) -> None:
    with pytest.raises(DeclarationError) as caught:
        load(DECLARED.replace(old, new, 1), "test", "test.toml")
    assert said in caught.value.message
    assert caught.value.line == line

"""The figures of docs/architectures.md are those that `penstock cost` computes."""

import re
from pathlib import Path

import pytest

from infra.cost.cost import Line, Load, monthly
from infra.cost.prices import prices
from tests.shop import SHOP

PAGE = (Path(__file__).parents[3] / "docs" / "architectures.md").read_text(encoding="utf-8")
LINES = {
    2: ("Webhooks",),
    3: ("Jobs",),
    5: ("Kinesis", "Firehose", "Transform", "S3"),
    6: ("Kinesis", "Firehose", "Transform", "S3", "Athena", "Refresh"),
    7: ("Report site",),
}
"""Architecture -> the lines of `penstock cost` that it is made of."""


def lines() -> dict[str, Line]:
    load = Load(100, collected=0.1, webhooks=0.01)
    return {line.service: line for line in monthly(load, SHOP, SHOP.default, prices())}


@pytest.mark.parametrize("number", LINES)
def test_an_architecture_costs_what_its_lines_cost_together(number: int) -> None:
    dollars = f"{sum(lines()[name].dollars for name in LINES[number]):,.2f}"
    assert re.search(rf"^\| {number} \|.*\| {re.escape(dollars)} \|$", PAGE, re.MULTILINE), dollars
    section = PAGE.split(f"\n## {number}. ")[1].split("\n## ")[0]
    assert f"${dollars}" in section


def test_the_command_that_gives_the_figures_is_the_one_that_the_page_names() -> None:
    assert "`penstock cost --collected 0.1 --webhooks 0.01`" in PAGE
    assert f"Alarms and logs (${lines()['Operations'].dollars:,.2f})" in PAGE


def test_a_million_keys_cost_a_request_an_invocation_and_a_write_each() -> None:
    rate = prices()
    fees = rate["api_gateway"]["http_requests_million"] + rate["lambda"]["requests_million"]
    assert f"${fees + rate['dynamodb']['writes_million']:.2f} for a million keys" in PAGE

"""The page of a receipt: one file without scripts, whose values are text; as Chromium shows it."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from queries.receipts.cells import CellOf, cells_page, forecast_page, refusal_page
from queries.receipts.page import comparison_page, receipt_page
from queries.receipts.text import comparison_lines, receipt_lines
from tests.dashboards.preview.viewer import Viewer, violations
from tests.queries.receipts.examples import HOSTILE, comparison, receipt

CELLS = [CellOf("2026-03-01-10", {"currency": name}, "orders", 11) for name in ("EUR", HOSTILE)]
PAGES = {
    "receipt": receipt_page(receipt()),
    "broken": receipt_page(receipt(findings=("GAP: checkout-1/1 lacks 3", "NOT TRACED: cannot be traced"))),
    "comparison": comparison_page(comparison()),
    "served": receipt_page(receipt(), address="report=orders_by_hour"),
    "cells": cells_page("Orders", "22", "orders_by_hour", CELLS, total=300, path="/_receipt"),
    "refusal": refusal_page("There is no report 'x'."),
    "forecast": forecast_page("4 statements", "report=orders_by_hour&agreed=yes"),
}
SAVED = ("receipt", "broken", "comparison")
"""Pages that are kept as files lead nowhere."""
Screen = tuple[tuple[int, int], Literal["light", "dark"]]
DESKTOP: Screen = ((1280, 800), "light")
PHONE: Screen = ((375, 700), "dark")


def test_no_value_becomes_markup_or_a_character_that_cannot_be_seen() -> None:
    for page in (
        receipt_page(receipt(key=HOSTILE)),
        comparison_page(comparison(why=HOSTILE)),
        PAGES["cells"],
    ):
        assert "<script" not in page
        assert r"&lt;script&gt;alert(1)&lt;/script&gt;\x1b[2J\u202e&quot;&#x27;&amp;" in page
        assert all(each.isprintable() or each == "\n" for each in page)


def test_a_page_loads_nothing_and_allows_its_own_style_alone() -> None:
    for name, page in PAGES.items():
        (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
        assert (
            policy == f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
        )
        assert not re.search(r"src=|url\(|@import| style=", page)
        addresses = re.findall(r'href="([^"]*)"', page)
        assert all(each.startswith(("?report=", "/_receipt?report=")) for each in addresses)
        assert bool(addresses) == (name not in (*SAVED, "refusal"))


def test_the_text_says_the_same_facts_as_the_page() -> None:
    lines = "\n".join(receipt_lines(receipt()))
    for fact in ("WHOLE: ", "copies removed: 3", "wrong_type: 2, 1 of them", "no gap up to 120", "ab" * 32):
        assert fact in lines
    assert "+ 2026-03-01T10:00:01.000Z order_placed" in "\n".join(comparison_lines(comparison()))


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_a_page_breaks_no_rule_of_wcag_and_is_as_wide_as_its_screen(
    chromium: Browser, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "receipt.html"
    file.write_text(PAGES[name], encoding="utf-8")
    page = chromium.new_page()
    viewer = Viewer(page, file.as_uri())
    page.goto(file.as_uri())
    for (width, height), scheme in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        assert violations(viewer) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).borderLeftStyle") == "solid"
    assert (viewer.errors, viewer.outside) == ([], [])
    page.close()

"""The page of a receipt: one file without scripts, whose values are text; as Chromium shows it."""

import base64
import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from queries.receipts.page import comparison_page, receipt_page
from queries.receipts.text import comparison_lines, receipt_lines
from tests.dashboards.preview.viewer import Viewer, violations
from tests.queries.receipts.examples import HOSTILE, comparison, receipt

PAGES = {
    "receipt": receipt_page(receipt()),
    "broken": receipt_page(receipt(findings=("GAP: checkout-1/1 lacks 3", "NOT TRACED: cannot be traced"))),
    "comparison": comparison_page(comparison()),
}
DESKTOP, PHONE = (1280, 800), (375, 700)


def test_no_value_becomes_markup_or_a_character_that_cannot_be_seen() -> None:
    for page in (receipt_page(receipt(key=HOSTILE)), comparison_page(comparison(why=HOSTILE))):
        assert "<script" not in page
        assert r"&lt;script&gt;alert(1)&lt;/script&gt;\x1b[2J\u202e&quot;&#x27;&amp;" in page
        assert all(each.isprintable() or each == "\n" for each in page)


def test_a_page_loads_nothing_and_allows_its_own_style_alone() -> None:
    for page in PAGES.values():
        (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
        assert (
            policy == f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
        )
        assert not re.search(r"(?:src|href)=|url\(|@import| style=", page)


def test_the_text_says_the_same_facts_as_the_page() -> None:
    lines = "\n".join(receipt_lines(receipt()))
    for fact in ("WHOLE: ", "copies removed: 3", "wrong_type: 2, 1 of them", "no gap up to 120", "ab" * 32):
        assert fact in lines
    assert "+ 2026-03-01T10:00:01.000Z order_placed" in "\n".join(comparison_lines(comparison()))


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_breaks_no_rule_of_wcag_and_is_as_wide_as_its_screen(
    chromium: Browser, tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    file = tmp_path / "receipt.html"
    file.write_text(PAGES[name], encoding="utf-8")
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]})
    viewer = Viewer(context.new_page(), file.as_uri())
    viewer.page.goto(file.as_uri())
    assert violations(viewer) == []
    width = viewer.page.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0]
    assert viewer.page.evaluate("getComputedStyle(document.querySelector('.value')).fontWeight") == "600"
    assert (viewer.errors, viewer.outside) == ([], [])
    context.close()

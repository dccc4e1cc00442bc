"""What the README says is what the product says."""

import re
from pathlib import Path

from infra.cost.cost import Load, monthly, total
from infra.cost.prices import prices
from infra.project.loading import SHOP, load

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROUNDING = 1.0


def dollars(events_per_second: float) -> float:
    """What the default deployment costs a month at this load of events of 1 KB."""
    shop = load(SHOP)
    return total(monthly(Load(events_per_second), shop, shop.default, prices()))


def test_the_costs_are_those_that_the_command_computes() -> None:
    said = re.search(r"about \$(\d+) a month idle and \$(\d+) at 100 events a second", README)
    assert said
    assert abs(float(said[1]) - dollars(0)) < ROUNDING
    assert abs(float(said[2]) - dollars(100)) < ROUNDING


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs").iterdir() if page.suffix in (".md", ".html", ".ipynb")}
    assert [page for page in sorted(pages - {"README.md"}) if f"]({page})" not in index] == []

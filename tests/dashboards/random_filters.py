"""Random choices of a viewer and random publishes, and what a page shows after them."""

import random
import re
from typing import Any

from tests.dashboards import rows
from tests.dashboards.conftest import Served

SHEETS = (("traffic", "overview"), ("traffic", "pages"), ("orders", "overview"), ("orders", "days"),
          ("health", "overview"), ("health", "hours"))  # fmt: skip
MORE_SECTIONS = 20
"""Sections beyond those of the plain rows: more than there are colors in the palette."""

SHOWN = """
() => Object.fromEntries([...document.querySelectorAll('section[data-id]')].map((tile) => {
  const text = (found) => [...tile.querySelectorAll(found)].map((each) => each.textContent);
  const looks = (mark) => [mark.getAttribute('d'), mark.getAttribute('transform'), '|', mark.getAttribute('fill'),
                           mark.getAttribute('stroke'), mark.getAttribute('stroke-dasharray')].join(' ');
  // Where a label stands is what a viewer sees: a chart that stands moves its elements and keeps their order.
  const corner = tile.getBoundingClientRect();
  const seen = (element) => {
    const at = element.getBoundingClientRect();
    return [Math.round(at.left - corner.left), Math.round(at.top - corner.top)].join(' ');
  };
  const legend = [...tile.querySelectorAll('.role-legend-entry .role-scope > g')].map((entry) => {
    const symbol = entry.querySelector('.role-legend-symbol path');
    return [seen(entry.querySelector('text')), '|', symbol?.getAttribute('fill'), symbol?.getAttribute('stroke'), entry.textContent].join(' ');
  });
  return [tile.dataset.id, {
    state: tile.dataset.state, heading: text('h2'), stands: text('.stand'), not: text('.unfiltered'),
    number: text('.figure'), lines: text('.lines li'), table: text('table th, table td'),
    axes: [...tile.querySelectorAll('.role-axis-label text')].map((label) => `${seen(label)} | ${label.textContent} ${label.getAttribute('opacity')}`).sort(),
    legend: legend.sort(),
    // Which mark was drawn first is of no interest where none hides another.
    marks: [...tile.querySelectorAll('.role-mark path')].map(looks).sort(),
  }];
}))
"""


def wide_rows(seed: int) -> rows.Rows:
    """Rows with more sections than the palette has colors, and currencies of zero and three decimals."""
    random_ = random.Random(seed)
    found = rows.report_rows()
    days = sorted({row["event_date"] for row in found["top_pages_by_day"]})
    found["top_pages_by_day"] += [
        {"event_date": day, "path": f"/section-{at:02d}/page", "page_views": views, "visitors": views // 2}
        for day in days
        for at in range(MORE_SECTIONS)
        if (views := random_.randrange(0, 40_000))
    ]
    for row in [row for row in found["orders_by_hour"] if row["currency"] in ("EUR", "USD")]:
        currency = {"EUR": "JPY", "USD": "KWD"}[row["currency"]]
        orders = random_.randrange(1, 80)
        found["orders_by_hour"].append({**row, "currency": currency, "orders": orders})
    return found


class Visitor:
    """A viewer who chooses at random on a page that stays open; `page` is a Viewer of the browser's tests."""

    def __init__(self, seed: int, page: Any, served: Served) -> None:
        self.random, self.page, self.served = random.Random(seed), page, served

    def acts(self) -> str:
        """Does one thing that changes numbers, and says what."""
        ways = [
            self._picks,
            self._picks,
            self._picks,
            self._clicks,
            self._clicks,
            self._ranges,
            self._publishes,
        ]
        for way in self.random.sample(ways, len(ways)):
            if said := way():
                return said
        raise AssertionError("nothing can be chosen on this page")

    def _picks(self) -> str:
        boxes = self.page.page.locator("details.pick input").all()
        if not boxes:
            return ""
        box = self.random.choice(boxes)
        value = box.get_attribute("value")
        self.page.after(lambda: box.evaluate("box => box.click()"))
        return f"picks {value}"

    def _clicks(self) -> str:
        """On a mark of a chart that filters or drills, or on the chip that takes one back."""
        marks = self.page.page.locator(
            ".chart.acts .mark-arc path, .chart.acts .mark-rect path, .chips button"
        )
        count = marks.count()
        if not count:
            return ""
        mark = marks.nth(self.random.randrange(count))
        if mark.evaluate("mark => mark.__data__?.datum?.c0 === 'Other'"):
            return ""
        event = "mark => mark.dispatchEvent(new MouseEvent('click', {bubbles: true, clientX: 1, clientY: 1}))"
        self.page.after(lambda: mark.evaluate(event))
        return "clicks a mark"

    def _ranges(self) -> str:
        buttons = self.page.page.locator(".presets button").all()
        button = self.random.choice(buttons)
        name = button.inner_text()
        self.page.after(lambda: button.evaluate("button => button.click()"))
        return f"sets the range {name}"

    def _publishes(self) -> str:
        report = self.random.choice(("top_pages_by_day", "orders_by_hour"))
        file = self.served.folder / f"{report}.parquet"
        wanted = wide_rows(self.random.randrange(1000))[report]
        share = {row.get("path") or row["currency"]: self.random.uniform(0.05, 5) for row in wanted}
        for row in wanted:
            for column in ("page_views", "orders"):
                if column in row:
                    row[column] = max(1, int(row[column] * share[row.get("path") or row["currency"]]))
        shows = self.page.page.url.split("/")[3].split("?")[0] == {"t": "traffic", "o": "orders"}[report[0]]
        if not shows:
            return ""
        self.page.after(lambda: rows.publish(file, wanted))
        return f"sees a publish of {report}"


def shown(page: Any) -> dict[str, Any]:
    """What the page's visuals show: order of categories, colors, numbers."""
    found: dict[str, Any] = page.evaluate(SHOWN)
    return found


def differences(standing: dict[str, Any], fresh: dict[str, Any]) -> list[str]:
    """Where two pages differ: visual, what of it, and both sides."""
    return [
        f"{visual}: {what}: {parts[what]} instead of {fresh.get(visual, {}).get(what)}"
        for visual, parts in standing.items()
        for what in parts
        if not same(parts[what], fresh.get(visual, {}).get(what), placed=what in ("axes", "legend", "marks"))
    ]


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
PIXELS = 2
"""How far a chart that was laid out anew may stand from one that was laid out once."""


def same(one: Any, other: Any, *, placed: bool) -> bool:
    """Whether two lists say the same; with `placed`, what stands in pixels may be off by few of them."""
    if one == other or not placed or other is None or len(one) != len(other):
        return bool(one == other)
    pairs = zip(sorted(map(_parted, one)), sorted(map(_parted, other)), strict=True)
    return all(
        words == others and all(abs(a - b) <= PIXELS for a, b in zip(numbers, places, strict=True))
        for (words, numbers), (others, places) in pairs
    )


def _parted(look: str) -> tuple[str, tuple[float, ...]]:
    """A label or mark as its words, with a mark at every place in pixels, and those places."""
    head, label, words = look.partition("|")
    return _NUMBER.sub("·", head) + label + words, tuple(float(each) for each in _NUMBER.findall(head))

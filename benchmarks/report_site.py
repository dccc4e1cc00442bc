"""How long somebody who is signed in waits at the report site, in Chromium, over a local cloud.

python -m benchmarks.report_site --events 1000000     after a demo of that size
python -m benchmarks.report_site --folder FOLDER      over the local cloud of a folder

First render with an empty cache and again: until what is on the screen is drawn, and until everything below
it is, too. Bytes, requests and the longest task after the first paint, until everything is drawn; a filter by
a value and a range of time, on the screen; from a publish to a new big number; query executions of all views.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.dashboard_places import filled_cloud, staged
from benchmarks.jobs_cloud import queries
from benchmarks.shop import SHOP
from infra.local.edge.opening import rule_groups
from tests.conftest import CHROMIUM_FLAGS
from tests.end_to_end.jobs_rig import World, token
from tests.end_to_end.site_visitor import Visitor, at_site

GOALS = {
    "first render: the screen, s": 1.0,
    "first render: everything, s": 1.0,
    "opened again: the screen, s": 0.4,
    "opened again: everything, s": 0.4,
    "kB, compressed": 220,
    "requests": 12,
    "longest task after first paint, ms": 200,
    "filter by a value, s": 0.3,
    "range of time, s": 0.6,
    "event to a new big number, s": 1.5,
}
DASHBOARDS = ("traffic", "orders", "health")
WIDE = "p.TimeFrom=2000-01-01T00:00:00&p.TimeTo=2100-01-01T00:00:00"
OBSERVED = """
window.longest = 0;
new PerformanceObserver((list) => {
  const painted = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0;
  for (const task of list.getEntries()) {
    if (task.startTime >= painted) longest = Math.max(longest, task.duration);
  }
}).observe({ type: 'longtask', buffered: true });
document.addEventListener('DOMContentLoaded', () => {
  const main = document.getElementById('main');
  if (!main) return; // another page than the site's
  const noted = (name, note) => new MutationObserver(note).observe(main, { attributeFilter: [name] });
  noted('data-loads', () => { window.shownAt ??= performance.now(); });
  noted('data-drawn', () => { window.drawnAt ??= performance.now(); });
});
"""
RENDERED = """
(() => {
  const asked = ['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind));
  const before = asked.filter((entry) => entry.startTime < drawnAt);
  const bytes = before.reduce((sum, entry) => sum + entry.transferSize, 0);
  return { screen: shownAt / 1000, everything: drawnAt / 1000, longest, requests: before.length, bytes };
})()
"""
"""What the page asked for until all of it was drawn; what it asks for later is news."""
CLICKED = """
(control) => new Promise((done) => {
  const started = performance.now();
  const drawn = new MutationObserver(() => {
    drawn.disconnect();
    done((performance.now() - started) / 1000);
  });
  drawn.observe(document.getElementById('main'), { attributes: true, attributeFilter: ['data-loads'] });
  control.click();
})
"""
"""Seconds from a click until its numbers are drawn. The page says it: whoever keeps asking takes its CPU."""
DRAWN = """
() => new Promise((done) => {
  const look = () => (window.drawnAt === undefined ? setTimeout(look, 20) : done());
  look();
})
"""
CHANGED = """
(before) => new Promise((done) => {
  const look = () => {
    const number = document.querySelector('[data-id="orders"] .number data');
    return number?.value === before ? setTimeout(look, 20) : done();
  };
  look();
})
"""


@contextmanager
def watched(browser: Any, place: "Place") -> Iterator[Visitor]:
    """Somebody signed in, with an empty cache."""
    with at_site(browser, place.url, place.token) as visitor:
        visitor.page.context.add_init_script(OBSERVED)
        yield visitor
        if visitor.errors or visitor.outside:
            raise RuntimeError(f"On the console, or asked outside: {visitor.errors + visitor.outside}")


@dataclass(frozen=True)
class Place:
    """The site of a cloud, and the token of a viewer."""

    world: World
    token: str

    @property
    def url(self) -> str:
        """Where."""
        return self.world.cloud.site_url


def rendered(browser: Any, place: Place, runs: int, found: dict[str, list[float]]) -> None:
    """Open dashboards with an empty cache, and again."""
    for run in range(runs):
        with watched(browser, place) as visitor:
            path = f"/#/d/{DASHBOARDS[run % len(DASHBOARDS)]}"
            visitor.page.goto(f"{visitor.url}{path}")
            first = drawn(visitor)
            visitor.page.reload()
            again = drawn(visitor)
        for name, figures in (("first render", first), ("opened again", again)):
            found[f"{name}: the screen, s"].append(figures["screen"])
            found[f"{name}: everything, s"].append(figures["everything"])
        found["kB, compressed"].append(first["bytes"] / 1000)
        found["requests"].append(first["requests"])
        found["longest task after first paint, ms"].append(max(first["longest"], again["longest"]))


def drawn(visitor: Visitor) -> dict[str, float]:
    """What a page took, once all of it is drawn."""
    visitor.page.evaluate(DRAWN)
    found: dict[str, float] = visitor.page.evaluate(RENDERED)
    return found


def chosen(browser: Any, place: Place, runs: int, found: dict[str, list[float]]) -> None:
    """Pick a value and let it go, and choose ranges of time."""
    with watched(browser, place) as visitor:
        visitor.open(f"/#/d/orders?{WIDE}")
        visitor.page.locator("details.pick summary").click()
        box = visitor.page.locator("details.pick .list input").first
        found["filter by a value, s"] += [box.evaluate(CLICKED) for _ in range(runs)]
        visitor.page.keyboard.press("Escape")
        spans = [visitor.page.get_by_role("button", name=name) for name in ("24 h", "All data")]
        for run in range(runs):
            found["range of time, s"].append(spans[run % 2].evaluate(CLICKED))


def published(browser: Any, place: Place, runs: int, found: dict[str, list[float]]) -> None:
    """Publish while somebody looks."""
    with watched(browser, place) as visitor:
        visitor.open("/#/d/orders")
        for run in range(runs):
            publish, before = staged(place.world.cloud, run + 1), visitor.number("orders")
            started = time.perf_counter()
            publish()
            visitor.page.evaluate(CHANGED, before)
            found["event to a new big number, s"].append(time.perf_counter() - started)


def measure(place: Place, runs: int) -> tuple[dict[str, list[float]], int]:
    """Figures of every run; and how many queries were executed for the views."""
    found: dict[str, list[float]] = {name: [] for name in GOALS}
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        with watched(browser, place) as visitor:
            visitor.open("/#/d/orders")  # pays for starting the renderer, and the function
        before = queries(place.world)
        rendered(browser, place, runs, found)
        chosen(browser, place, runs, found)
        executed = queries(place.world) - before
        published(browser, place, runs, found)
        browser.close()
    return found, executed


def main() -> int:
    """Measure and print a table: p50, p95 and the goal; 1 when one is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        filled_cloud(asked.folder or Path(scratch), asked.events) as cloud,
    ):
        world = World(cloud)
        # Who is in every group of the rules sees every row.
        viewer = token(world, "viewers", *rule_groups(SHOP.dashboards.values()))
        found, executed = measure(Place(world, viewer), asked.runs)
    if asked.json:
        sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.write(f"{'':36}{'p50':>9}{'p95':>9}{'goal':>8}\n")
    is_met = executed == 0
    for name, figures in found.items():
        p50, p95 = statistics.median(figures), statistics.quantiles(figures, n=20)[-1]
        is_met &= p95 <= GOALS[name]
        sys.stdout.write(f"{name:36}{p50:9.3f}{p95:9.3f}{GOALS[name]:8.1f}\n")
    sys.stdout.write(f"{'query executions of the views':36}{executed:9}{'':9}{0:8}\n")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())

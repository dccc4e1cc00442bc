"""How long a viewer of the preview waits, in Chromium: first render, filter, publish to screen, receipt.

python -m benchmarks.dashboard_preview --rows-of-days 60     over report rows of the tests, in memory
python -m benchmarks.dashboard_preview --events 1000000      over the local cloud, after a demo of that size

`--folder` takes a folder whose local cloud is up instead of starting one.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.dashboard_places import Place, over_cloud, over_rows
from tests.conftest import CHROMIUM_FLAGS

GOALS = {
    "first render": 1.0,
    "opened again": 1.0,
    "click to receipt": 2.0,
    "filter": 0.4,
    "publish to screen": 0.5,
}
DASHBOARDS = ("traffic", "orders", "health")
WIDE = "p.TimeFrom=2000-01-01T00:00:00&p.TimeTo=2100-01-01T00:00:00"


@dataclass(frozen=True)
class Window:
    """A browser's window with nothing in its cache, and what went wrong in it."""

    page: Any
    wrong: list[str]

    def timed(self, act: Callable[[], Any], *, is_new: bool = False) -> float:
        """Seconds from the act to the numbers on the page, by the page's own count of loads."""
        before = 0 if is_new else int(self.page.get_attribute("main", "data-loads"))
        started = time.perf_counter()
        act()
        while int(self.page.get_attribute("main", "data-loads") or 0) <= before:
            time.sleep(0.002)
            if time.perf_counter() - started > 60:
                raise TimeoutError(f"Nothing was drawn within a minute: {self.wrong}")
        return time.perf_counter() - started

    def until(self, act: Callable[[], Any], changed: str) -> float:
        """Seconds from the act to another number in a visual."""
        number = self.page.locator(f'[data-id="{changed}"] .number data')
        before, started = number.get_attribute("value"), time.perf_counter()
        act()
        while number.get_attribute("value") == before:
            time.sleep(0.002)
            if time.perf_counter() - started > 60:
                raise TimeoutError(f"The publish did not reach the screen: {self.wrong}")
        return time.perf_counter() - started

    def receipt(self, url: str) -> float | None:
        """Seconds from a click on a number of a table to the end of its receipt; None without receipts."""
        self.timed(lambda: self.page.goto(url), is_new=True)
        number = self.page.locator("tbody a.receipt").first
        if not number.count():
            return None
        started = time.perf_counter()
        number.click()
        self.page.wait_for_selector("footer code", timeout=60_000)
        return time.perf_counter() - started


@contextmanager
def opened(browser: Any, url: str) -> Iterator[Window]:
    """A window that notes errors on the console and requests that leave the machine's preview."""
    context, wrong = browser.new_context(viewport={"width": 1440, "height": 900}), []
    page = context.new_page()
    page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith((url, "data:", "blob:")) else wrong.append(r.url))
    yield Window(page, wrong)
    context.close()


def measure(browser: Any, place: Place, runs: int) -> dict[str, list[float]]:
    """Seconds of every run. Raises RuntimeError for an error on the console or a request that leaves."""
    found: dict[str, list[float]] = {name: [] for name in GOALS}
    wrong: list[str] = []
    for run in range(runs):
        url = f"{place.url}/{DASHBOARDS[run % len(DASHBOARDS)]}"
        with opened(browser, place.url) as window:
            found["first render"].append(window.timed(lambda: window.page.goto(url), is_new=True))  # noqa: B023
            found["opened again"].append(window.timed(lambda: window.page.goto(url), is_new=True))  # noqa: B023
            asked = window.receipt(f"{place.url}/health?sheet=hours&{WIDE}")
            found["click to receipt"] += [asked] if asked is not None else []
            wrong += window.wrong
    with opened(browser, place.url) as window:
        window.timed(lambda: window.page.goto(f"{place.url}/orders?{WIDE}"), is_new=True)
        window.page.locator("details.pick summary").click()
        box = window.page.get_by_label("EUR", exact=True)
        for run in range(runs):
            found["filter"].append(window.timed(box.uncheck if run % 2 else box.check))
        for run in range(runs):
            publish = place.staged(run + 1)
            found["publish to screen"].append(window.until(publish, "orders"))
        wrong += window.wrong
    if wrong:
        raise RuntimeError(f"On the console, or asked outside: {wrong[:5]}")
    return found


def main() -> None:
    """Measure and print a table: p50 and p95 in seconds, and the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows-of-days", type=int, default=60)
    parser.add_argument("--events", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        is_cloud = chosen.events or chosen.folder
        made = (
            over_cloud(chosen.folder or Path(scratch), chosen.events)
            if is_cloud
            else over_rows(Path(scratch), chosen.rows_of_days)
        )
        with made as place, sync_playwright() as playwright:
            program = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
            browser.new_page().goto(f"{place.url}/orders")  # pays for starting the renderer
            found = measure(browser, place, chosen.runs)
            browser.close()
            sys.stdout.write(f"{place.what}, {chosen.runs} runs, no error and no outside request\n")
    sys.stdout.write(f"{'':20}{'p50':>8}{'p95':>8}{'goal':>8}\n")
    for name, times in found.items():
        if not times:
            continue
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        sys.stdout.write(f"{name:20}{p50:8.3f}{p95:8.3f}{GOALS[name]:8.1f}\n")


if __name__ == "__main__":
    main()

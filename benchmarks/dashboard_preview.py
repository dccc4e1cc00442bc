"""How long a viewer of the preview waits, in Chromium: first render, filter, publish to screen.

python -m benchmarks.dashboard_preview [days of report rows] [runs]
"""

import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import sync_playwright

from dashboards.preview.server import Preview, Watch
from tests.conftest import CHROMIUM_FLAGS
from tests.dashboards import rows
from tests.dashboards.conftest import board_over

GOALS = {"first render": 1.0, "filter": 0.4, "publish to screen": 0.5}


def main(days: int, runs: int) -> None:
    """Measure and print a table: p50 and p95 in seconds, and the goal."""
    with tempfile.TemporaryDirectory() as folder:
        made = rows.report_rows(days)
        rows.write(made, Path(folder))
        url, stop = _serve(Path(folder))
        with sync_playwright() as playwright:
            program = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
            found = _measure(browser, url, Path(folder), made, runs)
            browser.close()
        stop()
    print(f"{sum(map(len, made.values())):,} report rows, {runs} runs")
    print(f"{'':20}{'p50':>8}{'p95':>8}{'goal':>8}")
    for name, times in found.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"{name:20}{statistics.median(times):8.3f}{p95:8.3f}{GOALS[name]:8.1f}")


def _measure(browser: Any, url: str, folder: Path, made: rows.Rows, runs: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in GOALS}
    browser.new_page().goto(f"{url}/orders")  # the first page pays for starting the renderer
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    file = folder / "orders_by_hour.parquet"
    for run in range(runs):
        found["first render"].append(_timed(page, lambda: page.goto(f"{url}/orders"), is_new=True))
        page.locator("details.pick summary").click()
        box = page.get_by_label("EUR", exact=True)
        found["filter"].append(_timed(page, box.check))
        changed = [{**row, "orders": row["orders"] + run + 1} for row in made["orders_by_hour"]]
        found["publish to screen"].append(_timed(page, partial(rows.publish, file, changed)))
    return found


def _timed(page: Any, act: Callable[[], Any], *, is_new: bool = False) -> float:
    """Seconds from the act to the numbers on the page, by the page's own count of loads."""
    before = 0 if is_new else int(page.get_attribute("main", "data-loads"))
    started = time.perf_counter()
    act()
    while int(page.get_attribute("main", "data-loads") or 0) <= before:
        time.sleep(0.002)
    return time.perf_counter() - started


def _serve(folder: Path) -> tuple[str, Callable[[], None]]:
    def versions() -> dict[str, str]:
        return {file.stem: str(file.stat().st_mtime_ns) for file in folder.glob("*.parquet")}

    app = Preview(board_over(folder), Watch(versions)).application()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)

    def stop() -> None:
        server.should_exit = True
        thread.join(5)

    return f"http://127.0.0.1:{port}", stop


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60, int(sys.argv[2]) if len(sys.argv) > 2 else 20)

"""A browser at the preview: what it shows, and which rules of WCAG it breaks."""

import contextlib
import csv
import io
import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")


RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


EMPTY = "p.TimeFrom=2020-01-01T00:00:00&p.TimeTo=2020-01-02T00:00:00"


class Viewer:
    """A page with everything that went wrong on it."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.errors: list[str] = []
        self.outside: list[str] = []
        page.on("console", lambda m: self.errors.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "request",
            lambda r: None if r.url.startswith((url, "data:", "blob:")) else self.outside.append(r.url),
        )

    def open(self, path: str) -> "Viewer":
        self.page.goto(f"{self.url}{path}")
        self.loaded(1)
        return self

    def loads(self) -> int:
        return int(self.page.get_attribute("main", "data-loads"))

    def loaded(self, at_least: int) -> None:
        deadline = time.monotonic() + 30
        while self.loads() < at_least:
            assert time.monotonic() < deadline, f"not loaded: {self.errors}"
            time.sleep(0.01)

    def after(self, act: Any) -> float:
        """Do something that loads numbers, and give the seconds until they are on the page."""
        before, started = self.loads(), time.perf_counter()
        act()
        self.loaded(before + 1)
        return time.perf_counter() - started

    def tile(self, name: str) -> Any:
        return self.page.locator(f'[data-id="{name}"]')

    def states(self) -> set[str]:
        """The states of all visuals."""
        return set(
            self.page.eval_on_selector_all("section[data-state]", "all => all.map(e => e.dataset.state)")
        )

    def number(self, name: str) -> str:
        return str(self.tile(name).locator(".number data").get_attribute("value"))


@contextlib.contextmanager
def opened(chromium: Any, url: str) -> Iterator[Viewer]:
    """A browser's page of its own at a preview."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    yield Viewer(context.new_page(), url)
    context.close()


def fetch(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return str(answer.read().decode())


def csv_rows(url: str) -> list[list[str]]:
    """The CSV's rows as the page writes values; a number keeps its value, not its spelling."""
    return list(csv.reader(io.StringIO(fetch(url))))[1:]


def violations(viewer: Viewer) -> list[str]:
    """What axe finds; its script goes in through the debugging protocol, which the page's policy does not bind."""
    viewer.page.evaluate(AXE)
    found = viewer.page.evaluate(f"axe.run(document, {json.dumps(RULES)})")
    return [
        f"{entry['id']}: {' '.join(node['html'].split())[:200]} {node['failureSummary'][:200]}"
        for entry in found["violations"]
        for node in entry["nodes"]
    ]

"""A page that has stood through filters, clicks and publishes shows what a fresh page shows."""

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from dashboards.preview.server import Watch
from tests.dashboards import rows
from tests.dashboards.conftest import Served, board_over, served_at
from tests.dashboards.preview.viewer import opened
from tests.dashboards.random_filters import SHEETS, Visitor, differences, shown, wide_rows

pytestmark = pytest.mark.browser
CASES = int(os.environ.get("PENSTOCK_TEST_FILTERS", "12"))
PER_PAGE = 5


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A preview of its own over more values than colors."""
    folder = tmp_path_factory.mktemp("wide")
    rows.write(wide_rows(1), folder)
    board, token = board_over(folder), ["1"]

    def versions() -> dict[str, dict[str, str]]:
        return {file.stem: {"all": str(file.stat().st_mtime_ns)} for file in folder.glob("*.parquet")}

    with served_at(board, Watch(versions, lambda: token[0], every=0.1)) as url:
        yield Served(url, folder, board, token)


def test_order_colors_and_numbers_after_random_filters_equal_a_fresh_pages(
    chromium: Any, wide: Served
) -> None:
    wrong: list[str] = []
    seeds = random.Random(20261125)
    with opened(chromium, wide.url) as standing, opened(chromium, wide.url) as fresh:
        for case in range(CASES):
            if case % PER_PAGE == 0:
                name, sheet = SHEETS[(case // PER_PAGE) % len(SHEETS)]
                standing.open(f"/{name}?sheet={sheet}")
                visitor, did = Visitor(seeds.randrange(10**6), standing, wide), list[str]()
            did.append(visitor.acts())
            fresh.open(standing.page.url.removeprefix(wide.url))
            if found := differences(shown(standing.page), shown(fresh.page)):
                wrong.append(f"case {case}, {name}/{sheet}, {', then '.join(did)}: {found[:3]}")
    assert not wrong, f"{len(wrong)} of {CASES} cases:\n" + "\n".join(wrong[:10])
    assert standing.errors == fresh.errors == []

"""Dashboards over history: their range does not move with time, and nothing in them gets stale."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dashboards import emit
from dashboards.board.board import Board
from dashboards.board.payload import tiles
from dashboards.lint.run import lint
from dashboards.preview.charts import vega
from dashboards.reading import load
from dashboards.render.state import State
from tests.dashboards import rows
from tests.dashboards.conftest import PLACE
from tests.dashboards.test_declaration import GOOD
from tests.shop import REPORTS

HISTORY = GOOD.replace('stale_after = "2h"', 'stale_after = "never"')
YEARS_LATER = rows.NOW + timedelta(days=3_650)


def views(folder: Path, default: str, now: datetime = rows.NOW) -> tuple[object, bool]:
    """What the dashboard's number is when its range begins so, and whether it is stale."""
    declared = load(HISTORY.replace('default = "7d"', f'default = "{default}"'), "test", "test.toml")
    resources = dict(emit.resources(REPORTS, {"test": declared}, **PLACE))
    assert [finding for finding in lint(resources, {"test": declared}, REPORTS) if not finding.is_note] == []
    stale_after = {name: source.stale_after_seconds for name, source in declared.sources.items()}
    board = Board(lambda: resources, rows.athena(folder), stale_after=stale_after, clock=lambda: now)
    assert board.rebuild(), board.error
    board.load()
    (tile,) = [
        tile for tile in tiles(board, "test", "one", State(), charts=vega)["tiles"] if tile["id"] == "views"
    ]
    return tile["rows"][0][-1], any(each.is_stale for each in board.freshness("test").values())


def test_a_range_of_everything_shows_everything_for_ever(folder: Path) -> None:
    whole, stale = views(folder, "all")
    assert views(folder, "all", YEARS_LATER) == (whole, stale) == (whole, False)
    assert whole == views(folder, "3650d")[0]
    assert views(folder, "7d", YEARS_LATER)[0] != whole


def test_a_period_of_the_calendar_holds_its_first_and_its_last_day(folder: Path) -> None:
    day, before = f"{rows.NOW:%Y-%m-%d}", f"{rows.NOW - timedelta(days=1):%Y-%m-%d}"
    both, one, other = (
        views(folder, f"{first} to {last}", YEARS_LATER)[0]
        for first, last in ((before, day), (before, before), (day, day))
    )
    assert isinstance(one, int)
    assert isinstance(other, int)
    assert one > 0
    assert other > 0
    assert both == one + other


@pytest.mark.parametrize("default", ["all", "2013-01-01 to 2013-12-31"])
def test_what_is_emitted_does_not_ask_what_time_it_is(default: str) -> None:
    declared = load(HISTORY.replace('default = "7d"', f'default = "{default}"'), "test", "test.toml")
    resources = dict(emit.resources(REPORTS, {"test": declared}, **PLACE))
    assert "now()" not in str(resources)

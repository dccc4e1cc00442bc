"""An axis of time names each day, month and year once, however few of them it spans."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import vl_convert

from dashboards.board.board import Board
from dashboards.render.state import State
from dashboards.render.tile import result
from dashboards.render.vega import spec

DAY, MONTH, YEAR = (datetime(2026, *day, tzinfo=UTC) for day in ((11, 30), (11, 1), (1, 1)))


def labels(board: Board, unit: str, begin: datetime, end: datetime) -> list[str]:
    """What the axis of a line between two times says, 560 wide."""
    view = board.view("traffic", State())
    visual = view.page.visuals["visitors-by-time"]
    outs = [replace(out, unit=unit) for out in result(view, visual)[0].outs]
    rows = [(begin, 1), (end, 2)]
    drawn = spec(visual, outs, rows, {}) | {"width": 560, "height": 200, "autosize": "pad"}
    values = [{out.alias: str(cell) for out, cell in zip(outs, row, strict=True)} for row in rows]
    svg = vl_convert.vegalite_to_svg(json.dumps(drawn | {"data": {"values": values}}))
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    return [text for text in texts if re.fullmatch(r"(\d\d )?[A-Z][a-z]{2}( \d{4})?|20\d\d", text)]


@pytest.mark.parametrize(
    ("unit", "begin", "span", "most"),
    [
        ("day", DAY, timedelta(days=1), 2), ("day", DAY, timedelta(days=2), 3),
        ("day", DAY, timedelta(days=40), 8), ("week", DAY, timedelta(days=7), 8),
        ("month", MONTH, timedelta(days=30), 2), ("month", MONTH, timedelta(days=395), 14),
        ("quarter", YEAR, timedelta(days=181), 3), ("year", YEAR, timedelta(days=730), 3),
    ],
)  # fmt: skip
def test_no_label_is_there_twice(
    board: Board, unit: str, begin: datetime, span: timedelta, most: int
) -> None:
    found = labels(board, unit, begin, begin + span)
    assert 2 <= len(found) <= most, found
    assert len(set(found)) == len(found), found


def test_an_axis_of_a_day_or_a_month_names_both_its_ends(board: Board) -> None:
    assert labels(board, "day", DAY, DAY + timedelta(days=1)) == ["30 Nov", "01 Dec"]
    assert labels(board, "month", MONTH, MONTH + timedelta(days=30)) == ["Nov 2026", "Dec 2026"]

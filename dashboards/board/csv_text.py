"""A visual's numbers as CSV, for a viewer to take away."""

import csv
import io
from typing import Any

from dashboards.render.compile import MAX_ROWS
from dashboards.render.page import VisualView
from dashboards.render.tile import tile
from dashboards.render.view import View


def csv_of(view: View, visual: VisualView) -> str:
    """The visual's rows as CSV: the numbers that the page shows, unrounded.

    Raises ValueError when it has none.
    """
    drawn = tile(view, visual)
    if drawn["state"] not in ("data", "empty"):
        raise ValueError(drawn["message"])
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column["label"] for column in drawn["columns"]])
    # A KPI with a trend and a chart share one rule: what is on the page is in the file.
    for row in drawn["rows"][:MAX_ROWS] if drawn["state"] == "data" else []:
        writer.writerow(["" if value is None else _guarded(value) for value in row])
    return out.getvalue()


def _guarded(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets a quote in front."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t"):
        return "'" + value
    return value

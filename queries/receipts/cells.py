"""What a number of a page is computed from: cells of a report, each with its address (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from queries.receipts.address import address_of
from queries.receipts.cell import shown
from queries.receipts.composing import json_value
from queries.receipts.html import Link, document, heading, table, text


@dataclass(frozen=True)
class CellOf:
    """One number of a report with its value."""

    partition: str
    keys: Mapping[str, Any]
    column: str
    value: Any


def cells_page(title: str, value: str, report: str, cells: Sequence[CellOf], *, total: int, path: str) -> str:
    """The cells that a number is computed from, each leading to its receipt below `path`.

    `total` is how many there are; `cells` may be the first of them.
    """
    keys = list(cells[0].keys) if cells else []
    rows = [
        (each.partition, *(shown(of) for of in each.keys.values()), each.column, _link(report, each, path))
        for each in cells
    ]
    more = (
        f"<p>These are the newest {len(cells):,} of them. Filter the page to see others.</p>"
        if total > len(cells)
        else ""
    )
    body = (
        heading(title, kind="plain")
        + f'<p class="value">{text(value)}</p>'
        + f"<p>It is computed from {total:,} numbers of <code>{text(report)}</code>. Each has a receipt.</p>"
        + more
        + table("Numbers", ("partition", *keys, "column", "value"), rows)
    )
    return document(f"Numbers behind: {title}", body)


def refusal_page(message: str) -> str:
    """Why there is no receipt."""
    return document("No receipt", heading(message, kind="broken"))


def forecast_page(said: str, address: str) -> str:
    """What a receipt would cost; it is made once somebody goes on."""
    onward = Link("Make the receipt", f"?{address}", "Athena is paid for it")
    body = heading(said, kind="plain") + table("Go on", ("",), [(onward,)])
    return document("What the receipt costs", body)


def _link(report: str, cell: CellOf, path: str) -> Link:
    named = " ".join([cell.partition, *(shown(of) for of in cell.keys.values()), cell.column])
    address = address_of(report, cell.partition, cell.keys, cell.column)
    return Link(shown(json_value(cell.value)), f"{path}?{address}", f"receipt of {named}")

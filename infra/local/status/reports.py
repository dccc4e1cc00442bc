"""How fresh each report is, and its rows, for the page."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.status.asking import Asking
from infra.receipts.pages import PATH
from queries.contracts import Report
from queries.ledger.dynamodb import DynamoDbLedger
from queries.ledger.state import PartitionState
from queries.receipts.address import address_of

SHOWN_PARTITIONS = {"event_hour": 96, "event_date": 14}
SHOWN_ROWS = 500
RECEIPT = "$receipt"
"""Beside a row's columns, whose names have no such sign: where its numbers' receipts are."""


@dataclass(frozen=True)
class Standing:
    """How one report's partitions stand: facts for people, and when each was published (epoch seconds)."""

    facts: dict[str, Any]
    published: tuple[float, ...]


def standings(reports: Iterable[Report], ledger: DynamoDbLedger) -> list[Standing]:
    """Each of these reports, in their order."""
    return [standing(report, ledger.report(report.name)) for report in reports]


def standing(report: Report, states: Sequence[PartitionState]) -> Standing:
    """One report: `stale` counts what is not fresh; `revision` changes whenever a partition is published."""
    counts = Counter(state.condition for state in states)
    published = [state.published for state in states if state.published is not None]
    facts = {
        "name": report.name,
        "title": report.title,
        "grain": report.grain,
        "columns": [column.name for column in report.columns],
        "keys": list(report.keys),
        "partitions": len(published),
        "rows": sum(each.rows for each in published),
        "stale": counts["stale"] + counts["running"],
        "set_aside": counts["quarantined"],
        "published_at": max((each.published_at for each in published), default=0) / 1000,
        "as_of": max((each.as_of for each in published), default=0) / 1000,
        "revision": f"{len(published)}.{sum(each.fence for each in published)}",
    }
    return Standing(facts, tuple(each.published_at / 1000 for each in published))


def _receipt(report: Report, row: dict[str, Any]) -> str:
    """The address of the receipts of a row's numbers, but for the column."""
    keys = {name: row[name] for name in report.keys}
    return f"{PATH}?{address_of(report.name, row[report.grain], keys, '')}"


def rows(asking: Asking, report: Report, ledger: DynamoDbLedger) -> dict[str, Any]:
    """The rows of the newest partitions as objects, oldest first, at most `SHOWN_ROWS`.

    Each has besides its columns `RECEIPT`, to which a column's name is appended.

    Raises QueryFailedError.
    """
    published = [state for state in ledger.report(report.name) if state.published is not None]
    shown = sorted(state.partition for state in published)[-SHOWN_PARTITIONS[report.grain] :]
    columns = [report.grain, *(column.name for column in report.columns)]
    found: list[dict[str, Any]] = []
    if shown:
        order = ", ".join([f"{report.grain} DESC", *report.keys])
        answer = asking.rows(
            f"SELECT {', '.join(columns)} FROM {report.name} "  # noqa: S608 - names of the declared report
            f"WHERE {report.grain} >= '{shown[0]}' ORDER BY {order} LIMIT {SHOWN_ROWS}"
        )
        found = [
            {**(row := dict(zip(columns, values, strict=True))), RECEIPT: _receipt(report, row)}
            for values in answer.rows
        ]
    return {
        "columns": columns,
        "rows": sorted(found, key=lambda row: str(row[report.grain])),
        "row_count": sum(state.published.rows for state in published if state.published),
        "partitions": len(published),
    }

"""How the hours of a table of hours stand, for people."""

from dataclasses import dataclass
from typing import Literal

from queries.ledger.rules import CHUNK
from queries.refresh.sealing import is_sealed
from queries.service import ReportService


@dataclass(frozen=True)
class HourStanding:
    """One hour: `reopened` is one that was sealed and has got something late since.

    `rows` are those of the last seal, each event once, and `lake_objects` what it was made from; `sealed_at`
    is in epoch milliseconds. All three are None for an hour that was never sealed.
    """

    hour: str
    condition: Literal["open", "sealed", "reopened", "set aside"]
    rows: int | None
    lake_objects: int | None
    sealed_at: int | None
    last_error: str


def sealed_hours(service: ReportService, table: str, first: str, last: str) -> list[HourStanding]:
    """Every known hour from `first` to `last` (inclusive); the catalog tells which are sealed."""
    report = service.queries[table].report
    states = [state for state in service.ledger.report(table) if first <= state.partition <= last]
    found = []
    for start in range(0, len(states), CHUNK):
        chunk = states[start : start + CHUNK]
        served = service.store.served(table, [state.partition for state in chunk])
        for state in chunk:
            version, entry = state.published, served.get(state.partition)
            condition: Literal["open", "sealed", "reopened", "set aside"] = "reopened" if version else "open"
            if entry is not None and is_sealed(report, entry):
                condition = "sealed"
            elif state.quarantined:
                condition = "set aside"
            found.append(
                HourStanding(
                    hour=state.partition,
                    condition=condition,
                    rows=version.rows if version else None,
                    lake_objects=version.input.objects if version else None,
                    sealed_at=version.published_at if version else None,
                    last_error=state.last_error,
                )
            )
    return found

"""What a demo is asked for, and what it found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from infra.accounting.reconcile import Accounting
from infra.local.status.reports import Standing
from producers.commands.feeding import Fed
from producers.contracts import Stream
from producers.simulation.simulator import Simulation
from producers.sources.definition import SourceDefinition

SPAN = timedelta(hours=3)
"""Simulated events happened in the last hours. Here and below: as `penstock produce simulate` does it."""


@dataclass(frozen=True)
class Wanted:
    """What to run: a simulation of the stream, or the lines of `file` as its events: as `source` reads them,
    if there is one.
    """

    stream: Stream
    events: int = 20_000
    seed: int = 7
    late: float = 0.01
    duplicate: float = 0.01
    malformed: float = 0.002
    file: str | None = None
    source: SourceDefinition | None = None

    def simulation(self, now: datetime) -> Simulation:
        """The traffic of the hours before `now`."""
        return Simulation(
            stream=self.stream,
            seed=self.seed,
            count=self.events,
            start=now.replace(microsecond=0) - SPAN,
            span=SPAN,
            late=self.late,
            duplicate=self.duplicate,
            malformed=self.malformed,
        )


@dataclass
class Outcome:
    """What the demo found.

    Attributes:
        accounting: of the events that this run sent.
        reports: how each report stands, over everything that the local cloud holds.
        set_aside: report partitions that could not be refreshed, and why.
        seconds: what each step took.
        tables: the lake table of each stream.
    """

    accounting: Accounting
    reports: list[Standing]
    set_aside: Mapping[str, str]
    fed: Fed
    seconds: Mapping[str, float]
    place: str
    started: bool
    simulation: Simulation | None = None
    tables: Mapping[str, str] = field(default_factory=dict)

    @property
    def events_per_second(self) -> float:
        """Through the whole chain: from the first event sent until every report had all of them."""
        took = sum(self.seconds[step] for step in ("produce", "deliver", "refresh"))
        return self.accounting.produced / took if took else 0.0

    @property
    def freshness_seconds(self) -> float:
        """From the last event in the stream until every report had it."""
        return self.seconds["deliver"] + self.seconds["refresh"]

    def to_json(self) -> dict[str, Any]:
        """The result for programs."""
        accounting = self.accounting
        return {
            **figures(accounting),
            "streams": by_stream(accounting, self.tables),
            "records_sent": self.fed.put,
            "reports": {
                each.facts["name"]: {"rows": each.facts["rows"], "partitions": each.facts["partitions"]}
                for each in self.reports
            },
            "events_per_second": round(self.events_per_second, 1),
            "freshness_seconds": round(self.freshness_seconds, 3),
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "producers": [str(line.name) for line in accounting.lines],
            "simulation": self._simulation(),
            "set_aside": dict(self.set_aside),
            "page": self.place,
        }

    def _simulation(self) -> dict[str, Any] | None:
        if self.simulation is None:
            return None
        simulated = self.simulation
        return {
            "seed": simulated.seed,
            "count": simulated.count,
            "start": simulated.start.isoformat(),
            "span_seconds": simulated.span.total_seconds(),
            "late": simulated.late,
            "duplicate": simulated.duplicate,
            "malformed": simulated.malformed,
        }


def by_stream(accounting: Accounting, tables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The identity's figures of each stream, from the lake table of each."""
    return {stream: figures(accounting.of_table(table)) for stream, table in tables.items()}


def figures(accounting: Accounting) -> dict[str, Any]:
    """The identity's figures for programs."""
    return {
        "produced": accounting.produced,
        "landed": accounting.landed,
        "failed": accounting.failed,
        "dropped": accounting.dropped,
        "in_flight": accounting.in_flight,
        "duplicates": accounting.duplicates,
        "nameless": accounting.nameless,
        "balanced": accounting.is_balanced,
    }

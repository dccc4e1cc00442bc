"""What a simulated history is made of: reports, workers, messages, readers, faults."""

from collections import Counter
from dataclasses import dataclass, field

from greenlet import greenlet  # type: ignore[import-untyped]

from benchmarks.shop import TABLES
from queries.refresh.catalog import ReportQuery, parse_report

PROTOCOL_STEPS = frozenset(
    {
        "ledger.commit",
        "ledger.committed",
        "engine.start",
        "engine.started",
        "glue.get",
        "glue.create",
        "glue.created",
        "glue.update",
        "glue.updated",
    }
)
"""Where something lasting is about to happen, or has just happened: faults strike here at their full rate."""


PROTECTIONS = ("fence", "run prefix", "lease", "dedupe", "tick")


_REPORTS = {
    "by_hour": ("event_hour", "at most every 20s"),
    "by_day": ("event_date", "debounce 5s, at most every 20s"),
}


def queries() -> dict[str, ReportQuery]:
    """Two reports over the lake table, one of each grain."""
    return {
        name: parse_report(
            f"-- report: {name}\n-- title: t\n-- owner: o\n-- source: web_events\n-- grain: {grain}\n"
            f"-- columns: event_id varchar, events bigint\n-- refresh: {refresh}\n"
            f"SELECT {grain}, event_id, count(*) AS events FROM web_events GROUP BY {grain}, event_id",
            f"{name}.sql",
            TABLES,
        )
        for name, (grain, refresh) in _REPORTS.items()
    }


QUERIES = queries()


class Killed(BaseException):
    """The worker's process is gone."""


@dataclass
class Faults:
    """Probabilities; each kind is armed in half of the schedules, so that quiet ones exist too."""

    duplicate_notification: float = 0.30
    lost_notification: float = 0.05
    duplicate_event: float = 0.02
    late_event: float = 0.03
    crash: float = 0.15
    stall: float = 0.15
    failed_query: float = 0.03
    lost_partition: float = 0.0005
    lost_files: float = 0.0005
    lost_item: float = 0.0005


@dataclass
class Worker:
    """One invocation: what it works on, when its process is dead for certain, until when it is held up."""

    greenlet: greenlet
    hard_end: int
    messages: list["Message"] = field(default_factory=list)
    resume_at: int = 0
    at: str = ""


@dataclass
class Message:
    """A message of the queue; invisible until `visible_at`."""

    name: int
    body: str
    visible_at: int


@dataclass
class Reader:
    """A query of a viewer: it looked the partition's folder up, and reads its files a while later."""

    location: str
    expected: Counter[str] | None
    reads_at: int

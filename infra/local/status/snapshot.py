"""The whole pipeline as it is at one moment: what the page draws and `penstock local status` prints."""

import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.aws.outputs import StreamOutputs
from infra.local.parts.activity import Stage
from infra.local.parts.context import LocalContext
from infra.local.status import collector
from infra.local.status.flow import SECONDS, Flow, per_second
from infra.local.status.names import Resources
from infra.local.status.reports import Standing, standings
from infra.project.project import Project

FRESH_SECONDS = 0.7
"""A snapshot that is younger is given again instead of being made anew."""

STREAM_COUNTS = ("read", "rows", "failed", "dropped", "buffered", "behind_ms", "function_errors")
"""What the page shows of each stream, where there are several."""

Depths = Mapping[str, int]


@dataclass(frozen=True)
class Seen:
    """What was looked up for one snapshot: counts by delivery stream, the queues, the reports."""

    workers: Mapping[str, Mapping[str, float]]
    queue: Depths
    dead: Depths
    reports: list[Standing]


@dataclass(frozen=True)
class Card:
    """One stage: the number that says most, and the figures beside it (name, value, is it trouble)."""

    key: str
    title: str
    unit: str
    amount: int
    stage: Stage
    figures: tuple[tuple[str, int, bool], ...]
    is_trouble: bool = False


@dataclass
class Snapshots:
    """Makes snapshots. Called from worker threads: the clients wait for the network."""

    context: LocalContext
    resources: Resources
    project: Project
    flow: Flow = field(default_factory=Flow)
    _depths: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=SECONDS * 2))
    _made: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> dict[str, Any]:
        """The newest snapshot. Raises NotDeployedError, botocore's errors, OSError."""
        with self._lock:
            now = self.context.clock()
            if not self._made or now - self._made["at"] > FRESH_SECONDS:
                self._made = self._make(now)
            return self._made

    def _make(self, now: float) -> dict[str, Any]:
        outputs = self.resources.outputs
        self.flow.take(self.context.activity.since(self.flow.newest))
        seen = Seen(
            workers=self._own("/_firehose/counts"),
            queue=self._depth(outputs.queue_url),
            dead=self._depth(outputs.dead_letter_queue_url),
            reports=standings(self.project.reports.values(), self.resources.ledger),
        )
        if not self._depths or self._depths[-1][0] != int(now):
            self._depths.append((int(now), sum(seen.queue.values())))
        return {
            "at": now,
            "place": self.context.server_url,
            "endpoint": self.context.endpoint_url,
            "stages": [self._stage(card, seen, now) for card in cards(self.flow, seen)],
            "reports": [standing.facts for standing in seen.reports],
            "streams": streams(outputs.streams.values(), seen.workers),
            "collector": collector.facts(
                collector.address(self.context), self.project.default, outputs, self._depth
            ),
            "live": self._own("/_graphql/counts"),
            "worker": together(list(seen.workers.values())),
            "queue": seen.queue,
            "dead_letter_queue": seen.dead,
            "faults": self._faults(),
        }

    def _stage(self, card: Card, seen: Seen, now: float) -> dict[str, Any]:
        last = self.flow.last.get(card.stage)
        rate = self._rate(card.stage, seen, now)
        is_flowing = any(rate[-3:])
        return {
            "key": card.key,
            "title": card.title,
            "unit": card.unit,
            "amount": card.amount,
            "figures": card.figures,
            "rate": rate,
            "state": "trouble" if card.is_trouble else "flowing" if is_flowing else "idle",
            "last": {"at": last.at, "what": last.what} if last else None,
        }

    def _rate(self, stage: Stage, seen: Seen, now: float) -> list[int]:
        if stage == "queue":
            return per_second(self._depths, now)
        if stage == "report":
            published = (moment for standing in seen.reports for moment in standing.published)
            return per_second(((int(moment), 1) for moment in published), now)
        return self.flow.rate(stage, now)

    def _depth(self, url: str) -> Depths:
        wanted = {
            "waiting": "ApproximateNumberOfMessages",
            "in flight": "ApproximateNumberOfMessagesNotVisible",
            "delayed": "ApproximateNumberOfMessagesDelayed",
        }
        answer = self.context.client("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=list(wanted.values())
        )["Attributes"]
        return {name: int(answer.get(attribute, 0)) for name, attribute in wanted.items()}

    def _faults(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "what": switch["what"],
                "is_on": switch["probability"] > 0,
                "happened": switch["happened"],
            }
            for name, switch in self._own("/_faults").items()
        ]

    def _own(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.context.ask(path, timeout=10)
        return found


def together(workers: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The counts of all delivery streams as those of one: sums, and how far behind the last one is (pure)."""
    sums: Counter[str] = Counter()
    for counts in workers:
        sums.update({**counts, "behind_ms": 0})
    behind = max((counts.get("behind_ms", 0) for counts in workers), default=0)
    return {**sums, "behind_ms": behind} if sums else {}


def streams(
    deployed: Iterable[StreamOutputs], workers: Mapping[str, Mapping[str, float]]
) -> list[dict[str, Any]]:
    """What has passed each stream, and whether its function fails (pure)."""
    return [
        {
            "name": each.name,
            "ingest": "direct" if each.is_direct else "kinesis",
            **{name: int(workers.get(each.delivery_stream, {}).get(name, 0)) for name in STREAM_COUNTS},
        }
        for each in deployed
    ]


def cards(flow: Flow, seen: Seen) -> tuple[Card, ...]:
    """The six stages in the order of the flow (pure)."""
    worker = Counter({name: int(value) for name, value in together(list(seen.workers.values())).items()})
    dead = sum(seen.dead.values())
    failed_queries = sum(
        count for (at, what), count in flow.what.items() if at == "query" and "failed" in what
    )
    served, stale, aside = (
        sum(standing.facts[name] for standing in seen.reports)
        for name in ("partitions", "stale", "set_aside")
    )

    def figure(name: str, value: int, *, bad: bool = False) -> tuple[str, int, bool]:
        return name, value, bad and value > 0

    return (
        Card("stream", "Stream", "events read", worker["read"], "firehose",
             (figure("records", worker["stream_records"]), figure("ms behind", worker["behind_ms"]))),
        Card("transform", "Transform", "invocations", worker["invocations"], "transform",
             (figure("failed", worker["failed"], bad=True), figure("dropped", worker["dropped"])),
             is_trouble=worker["function_errors"] > 0),
        Card("lake", "Lake", "rows landed", worker["rows"], "lake",
             (figure("objects", worker["objects"]), figure("buffered", worker["buffered"]))),
        Card("queue", "Queue", "messages", sum(seen.queue.values()), "queue",
             (figure("in flight", seen.queue["in flight"]), figure("dead letters", dead, bad=True)),
             is_trouble=dead > 0),
        Card("query", "Athena", "query executions", flow.total["query"], "query",
             (figure("failed", failed_queries, bad=True),
              figure("bytes scanned", flow.facts["query", "data_scanned_bytes"])),
             is_trouble=failed_queries > 0),
        Card("report", "Reports", "partitions served", served, "report",
             (figure("to refresh", stale), figure("quarantined", aside, bad=True)), is_trouble=aside > 0),
    )  # fmt: skip

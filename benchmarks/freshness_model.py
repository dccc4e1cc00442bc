"""How long an event waits for its reports, on paper: `python -m benchmarks.freshness_model`

Under steady traffic in the current hour, below Firehose's size of a buffer. The rules are the product's own
(`queries.ledger.rules`), the times those of the deployed template: Firehose's buffer, the queue's window, the
tick.
What AWS says or leaves open is in `Aws`. Nobody has measured this on an AWS account.
"""

import heapq
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.shop import REPORTS
from infra.local.deploy.assembly import PACKAGED
from infra.local.settings import LocalSettings
from queries.contracts import Report
from queries.ledger import rules
from queries.ledger.state import Input, PartitionState, Published, Run
from queries.partitions import Key

HOURS = 20
EVENTS_OF_AN_OBJECT = 20
"""Moments at which the lag is looked at, in each object."""


@dataclass(frozen=True)
class Deployed:
    """Seconds that the template sets.

    Attributes:
        buffer: after which Firehose delivers.
        window: how long notifications gather before the query function is called.
        tick: from one tick to the next.
    """

    buffer: float
    window: float
    tick: float

    @classmethod
    def read(cls) -> "Deployed":
        """From the synthesized templates."""
        (delivery,) = _resources("stream", "AWS::KinesisFirehose::DeliveryStream")
        hints = delivery["ExtendedS3DestinationConfiguration"]["BufferingHints"]
        windows = [
            each["MaximumBatchingWindowInSeconds"]
            for each in _resources("reporting", "AWS::Lambda::EventSourceMapping")
        ]
        (tick,) = (
            each["ScheduleExpression"]
            for each in _resources("reporting", "AWS::Events::Rule")
            if str(each.get("Name", "")).endswith("-tick")
        )
        assert tick == "rate(1 minute)", tick
        return cls(float(hints["IntervalInSeconds"]), float(max(windows)), 60.0)


@dataclass(frozen=True)
class Pace:
    """Ranges in seconds, each time drawn evenly; `buffer_factor` is of the buffer's interval.

    Attributes:
        buffer_factor: Firehose's page allows a batch 1.5 times its buffer.
        delivery: from the end of a buffer to S3's notification in the queue.
        query: from the start of a report's query execution to its publish.
        tick: how late a tick is.
    """

    buffer_factor: tuple[float, float] = (1.0, 1.5)
    delivery: tuple[float, float] = (1.0, 2.0)
    query: tuple[float, float] = (4.0, 9.0)
    tick: tuple[float, float] = (0.0, 5.0)


AWS = Pace()
LAPTOP = Pace(buffer_factor=(1.0, 1.2), delivery=(0.1, 0.5), query=(0.3, 2.0), tick=(0.0, 3.0))
"""The local cloud beside a load that its two cores can take."""


@dataclass(frozen=True)
class Lag:
    """Seconds from an event to the publish of the report that has it; `runs` are query executions an hour."""

    p50: float
    p95: float
    runs: float

    def __str__(self) -> str:
        return f"p50 {self.p50:.0f} s, p95 {self.p95:.0f} s, {self.runs:.0f} runs an hour"


def on_aws(report: Report, *, wakes: bool = False) -> Lag:
    """As deployed. With `wakes` as if the function were called again just when something becomes due."""
    return lag(report, Deployed.read(), AWS, wakes=wakes)


def on_laptop(report: Report) -> Lag:
    """At the local cloud's pace."""
    deployed, local = Deployed.read(), LocalSettings()
    paced = Deployed(
        deployed.buffer * local.interval_scale, deployed.window * local.interval_scale, local.tick_seconds
    )
    return lag(report, paced, LAPTOP, scale=local.debounce_scale)


def lag(
    report: Report, deployed: Deployed, pace: Pace, *, scale: float = 1.0, wakes: bool = False, seed: int = 1
) -> Lag:
    """The report's lag. `scale` multiplies its own times."""
    return _History(report, deployed, pace, scale, wakes=wakes, rng=Random(seed)).lag()


def shipped() -> dict[str, Report]:
    """A report of each grain, as shipped: those of one grain are refreshed alike."""
    by_grain: dict[str, Report] = {}
    for report in REPORTS.values():
        other = by_grain.setdefault(report.grain, report)
        times = (report.debounce_seconds, report.max_delay_seconds)
        assert times == (other.debounce_seconds, other.max_delay_seconds), (report.name, other.name)
    return by_grain


class _History:
    """One partition's, from lake object to publish. Moments are in milliseconds."""

    def __init__(
        self, report: Report, deployed: Deployed, pace: Pace, scale: float, *, wakes: bool, rng: Random
    ) -> None:
        self._deployed, self._pace, self._wakes, self._rng = deployed, pace, wakes, rng
        self._debounce = int(report.debounce_seconds * 1000 * scale)
        self._at_most = int(report.max_delay_seconds * 1000 * scale)
        self._state: PartitionState = rules.new(Key(report.name, "2026-11-24-10"))
        self._run: Run | None = None
        self._agenda: list[tuple[int, int, str, Any]] = []
        self._waiting: list[tuple[int, int]] = []
        self._read: list[tuple[int, int]] = []
        self._gathering: list[tuple[int, int]] = []
        self._lags: list[float] = []
        self._runs = 0

    def lag(self) -> Lag:
        end = HOURS * 3_600_000
        for first, last in self._objects(end):
            self._plan(last + self._draw(self._pace.delivery), "notified", (first, last))
        step = self._ms(self._deployed.tick)
        for moment in range(0, end, step):
            self._plan(moment + self._draw(self._pace.tick), "called", None)
        while self._agenda:
            now, _, what, about = heapq.heappop(self._agenda)
            getattr(self, f"_{what}")(now, about)
        self._lags.sort()
        count = len(self._lags)
        return Lag(self._lags[count // 2], self._lags[int(count * 0.95)], self._runs / HOURS)

    def _objects(self, end: int) -> Iterator[tuple[int, int]]:
        """First and last event of each lake object: Firehose begins a buffer with the next record."""
        first = 0
        while first < end:
            factor = self._rng.uniform(*self._pace.buffer_factor)
            last = first + self._ms(self._deployed.buffer * factor)
            yield first, last
            first = last

    def _notified(self, now: int, span: tuple[int, int]) -> None:
        # The first message opens the window; the function is called when it closes.
        if not self._gathering:
            self._plan(now + self._ms(self._deployed.window), "batched", None)
        self._gathering.append(span)

    def _batched(self, now: int, _: None) -> None:
        self._waiting += self._gathering
        self._gathering = []
        self._state = rules.mark(self._state, now, self._debounce, self._at_most)
        self._called(now, None)
        self._wake(now)

    def _called(self, now: int, _: None) -> None:
        if self._run is None and rules.is_claimable(self._state, now):
            self._run, (self._state,) = rules.claim(
                [self._state],
                {self._state.partition: Input(digest=str(now))},
                prefix="",
                sql_sha="",
                now=now,
                as_of=now,
                hard_end=now,
            )
            self._read, self._waiting, self._runs = self._waiting, [], self._runs + 1
            self._plan(now + self._draw(self._pace.query), "ended", None)

    def _ended(self, now: int, _: None) -> None:
        assert self._run is not None
        for first, last in self._read:
            moments = (self._rng.uniform(first, last) for _ in range(EVENTS_OF_AN_OBJECT))
            self._lags += [(now - moment) / 1000 for moment in moments]
        version = Published(location="", fence=self._state.fence, published_at=now)
        self._state, self._run = rules.complete(self._state, self._run, version, now), None
        self._called(now, None)
        self._wake(now)

    def _wake(self, now: int) -> None:
        if self._wakes and self._state.due_at is not None and self._state.due_at > now:
            self._plan(self._state.due_at, "called", None)

    def _plan(self, moment: int, what: str, about: Any) -> None:
        heapq.heappush(self._agenda, (moment, len(self._agenda) + self._rng.getrandbits(30), what, about))

    def _draw(self, between: tuple[float, float]) -> int:
        return self._ms(self._rng.uniform(*between))

    @staticmethod
    def _ms(seconds: float) -> int:
        return max(1, round(seconds * 1000))


def _resources(stack: str, kind: str) -> list[Mapping[str, Any]]:
    template = json.loads((PACKAGED / f"penstock-{stack}.template.json").read_bytes())
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]


def main() -> int:
    """Print the lags of what is shipped."""
    for grain, report in shipped().items():
        print(f"{grain}, at most every {report.max_delay_seconds} s")
        print(f"  on AWS: {on_aws(report)}")
        print(f"  on AWS, called just when due: {on_aws(report, wakes=True)}")
        print(f"  on a laptop: {on_laptop(report)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

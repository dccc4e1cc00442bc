"""Workers killed at every step of a refresh: `python -m benchmarks.report_kills`

Each trial writes a lake object into three hours, two of them published before and one new, has a worker
killed at one of the requests that its refresh makes, and then lets time pass until the worker's lease has
ended. Two ticks later every report must be right, and the query execution must have been paid once.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.report_lab import Lab, a_cloud, tick, wall_clock
from benchmarks.report_victim import LIFE_MS, QUERIES, REPORT, run
from queries.engine.port import Rows
from queries.ledger.rules import LEASE_MARGIN_MS
from queries.partitions import Key
from queries.refresh.freshness import FRESHNESS_PREFIX

START = datetime(2026, 1, 1)  # noqa: DTZ001 - lake timestamps have no zone
VIEWS = 3
"""Page views in each lake object."""
LASTING = ("dynamodb.TransactWriteItems", "athena.StartQueryExecution", "glue.Batch", "s3.PutObject")
"""Requests after which something has changed for others."""


@dataclass
class Trial:
    """What one kill led to. `ticks`: how many it took until all was right (0: never)."""

    step: str
    exit_code: int | None
    id_stored: bool
    ticks: int
    executions: int
    wrong: str = ""

    @property
    def passed(self) -> bool:
        """Killed where asked, right within two ticks, paid once."""
        return self.exit_code == -9 and 1 <= self.ticks <= 2 and self.executions == 1 and not self.wrong


@dataclass
class Kills:
    """Trials in one laboratory. Its clock runs ahead of the machine's, so that leases end without waiting."""

    lab: Lab
    ahead: int = 0
    number: int = 0
    truth: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.service = self.lab.service(self.clock)
        self.engine = self.lab.engine()

    def clock(self) -> int:
        """Epoch milliseconds, as everybody in this laboratory sees them."""
        return wall_clock() + self.ahead

    def steps(self) -> list[str]:
        """The steps of a refresh that nobody kills; also publishes the first hours."""
        self._next_hours()
        code, steps = self._victim("")
        assert code == 0, code
        self._next_hours()
        code, steps = self._victim("")
        assert code == 0, code
        return steps

    def trial(self, step: str) -> Trial:
        """Kill a worker at this step, and see what becomes of its work."""
        before = self._unloads()
        self._next_hours()
        code, _ = self._victim(step)
        stored = any(one.query_execution_id for one in self.service.ledger.runs())
        self.ahead += LIFE_MS + LEASE_MARGIN_MS
        ticks = 0
        wrong = "nothing was looked at"
        while wrong and ticks < 2:
            tick(self.service, self.clock)
            ticks += 1
            wrong = self._wrong()
        return Trial(step, code, stored, 0 if wrong else ticks, self._unloads() - before, wrong)

    def _victim(self, step: str) -> tuple[int | None, list[str]]:
        environ, settings = self.lab.cloud.environment(), self.lab.settings
        return run(environ, settings, self._hours(), step, clock_ahead=self.ahead)

    def _hours(self) -> list[str]:
        first = START + timedelta(hours=self.number)
        return [f"{first + timedelta(hours=offset):%Y-%m-%d-%H}" for offset in range(3)]

    def _next_hours(self) -> None:
        """One hour further; each of the three gets an object."""
        self.number += 1
        for hour in self._hours():
            self.lab.put(hour, f"o{self.number}", views(hour, self.number))
            self.truth[hour] = self.truth.get(hour, 0) + VIEWS

    def _wrong(self) -> str:
        """What is not as it should be; empty when all is."""
        if runs := self.service.ledger.runs():
            return f"{len(runs)} runs are left"
        states = self.service.ledger.partitions([Key(REPORT, hour) for hour in self._hours()])
        if stale := [str(key) for key, state in states.items() if state.condition != "fresh"]:
            return f"not fresh: {stale}"
        seen = {str(hour): int(count) for hour, count in self._read().rows}
        expected = {hour: self.truth[hour] for hour in self._hours()}
        if seen != expected:
            return f"readers see {seen}, the truth is {expected}"
        published = {key.partition: state.published for key, state in states.items()}
        said = self._freshness()
        if late := [
            hour for hour, one in published.items() if one and said.get(hour) != moment(one.published_at)
        ]:
            return f"report_freshness knows of older versions of {late}"
        return ""

    def _freshness(self) -> dict[str, str]:
        """When each hour was published, as the table of freshness has it."""
        s3, bucket, said = self.lab.client("s3"), self.lab.settings.reporting_bucket, {}
        for found in s3.list_objects_v2(Bucket=bucket, Prefix=FRESHNESS_PREFIX).get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            for row in map(json.loads, body.splitlines()):
                said[row["report_partition"]] = row["published_at"]
        return said

    def _read(self) -> Rows:
        named = ", ".join(f"'{hour}'" for hour in self._hours())
        return self.engine.rows(f"SELECT event_hour, page_views FROM {REPORT} WHERE event_hour IN ({named})")

    def _unloads(self) -> int:
        return sum(one["SubstatementType"] == "UNLOAD" for one in self.lab.executions())


def moment(milliseconds: int) -> str:
    """A time as the table of freshness writes it."""
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def views(hour: str, number: int) -> list[dict[str, Any]]:
    """Rows of a lake object: page views of that hour."""
    moment = datetime.strptime(hour, "%Y-%m-%d-%H")  # noqa: DTZ007 - lake timestamps have no zone
    return [
        {
            "event_id": f"{hour}-{number}-{one}",
            "event_type": "page_viewed",
            "event_time": moment,
            "arrival_time": moment,
            "producer_id": "p",
            "epoch": number,
            "seq": one + 1,
            "client_key": f"c{one}",
            "page_viewed": {"url": "/", "path": "/", "status": 200, "bytes_sent": 10},
        }
        for one in range(VIEWS)
    ]


def trials(lab: Lab, *, lasting: bool) -> Iterator[Trial]:
    """A trial for each step; with `lasting` only around requests that change something for others."""
    kills = Kills(lab)
    for step in kills.steps():
        if not lasting or any(name in step for name in LASTING):
            yield kills.trial(step)


def summary(done: Sequence[Trial]) -> str:
    """One line for all."""
    stored = [one for one in done if one.id_stored]
    return (
        f"{len(done)} kills, {sum(one.passed for one in done)} recovered within 2 ticks and paid once; "
        f"in {len(stored)} the id was stored; at most {max(one.ticks for one in done)} ticks, "
        f"at most {max(one.executions for one in done)} query executions"
    )


def main() -> int:
    """Kill, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lasting", action="store_true", help="only around requests that change something")
    asked = parser.parse_args()
    began, done = time.monotonic(), []
    with a_cloud(tick_seconds=0.0) as cloud:
        for one in trials(Lab.on(cloud, "kills", QUERIES), lasting=asked.lasting):
            done.append(one)
            mark = "" if one.passed else f"  FAILED: exit code {one.exit_code}, {one.wrong}"
            print(
                f"{one.step:44}{'stored' if one.id_stored else '-':>8}{one.ticks:>3} ticks"
                f"{one.executions:>3} executions{mark}",
                flush=True,
            )
    print(f"{summary(done)}; {time.monotonic() - began:.0f} s")
    return int(not all(one.passed for one in done))


if __name__ == "__main__":
    sys.exit(main())

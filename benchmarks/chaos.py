"""Kills, stops, fills disks and resumes, round after round, and checks every number after each.

`python -m benchmarks.chaos --rounds 50 --events 11000`. Producers are killed and started again while the
local cloud is killed, restarted, run out of disk and given every fault of delivery. After each round every
value of every report is compared with what follows from the events that producers were told are accepted:
nothing may be missing, doubled or torn. Every tenth round kills the emulator itself.

`--without checkpoint` takes one protection away (a resumed replay starts behind what was delivered): the
oracle must notice, or it is of no use. What a round does depends on the seed and its number alone:
`--first 17 --rounds 1` repeats round 17 on an empty cloud.
"""

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import chaos_actions as actions
from benchmarks.chaos_actions import Accepted
from benchmarks.chaos_oracle import Expected
from benchmarks.chaos_world import ChaosError, World

REPORTS = (
    "traffic_by_hour",
    "top_pages_by_day",
    "orders_by_hour",
    "funnel_by_day",
    "sessions_by_day",
    "health_by_hour",
)
TORN = """
SELECT event_hour, count(*) AS n, count(DISTINCT currency) AS keys,
       count(DISTINCT regexp_extract("$path", '^(.*/)[^/]*$', 1)) AS runs
FROM orders_by_hour GROUP BY event_hour
"""
SPAN = timedelta(hours=3)
KILLS_EMULATOR_EVERY = 10
OFTEN = """
from producers.commands import checkpoint
checkpoint.EVERY_SECONDS = 0.3
"""
"""Replays of a few seconds save checkpoints too, or no resume would start from one."""
PATCHES = {
    "checkpoint": """
save = checkpoint.Checkpoint.save
checkpoint.Checkpoint.save = lambda self, line, seq: save(self, line + 400, seq)
""",
}


@dataclass
class Round:
    """What one round did and found; `is_broken` when it could not be brought to its end."""

    number: int
    disturbances: list[str] = field(default_factory=list)
    accepted: int = 0
    reads: int = 0
    seconds: float = 0.0
    is_broken: bool = False
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        state = "ok" if not self.findings else f"{len(self.findings)} WRONG"
        return (
            f"{self.number:>5}  {self.accepted:>7,}  {self.reads:>5}  {self.seconds:>6.1f}  {state:<8} "
            f"{', '.join(self.disturbances)}"
        )


class Chaos:
    """A series of rounds on one local cloud."""

    def __init__(self, world: World, seed: int, events: int, now: datetime) -> None:
        self._world, self._seed, self._events = world, seed, events
        self._origin = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=36)
        self.expected = Expected()

    def round(self, number: int) -> Round:
        """One round: producers and disturbances at the same time, then everything is compared."""
        random = Random(f"{self._seed} {number}")
        done, began = Round(number), time.monotonic()
        try:
            self._disturb(random, done)
            self._settle()
            done.findings += self._compared()
        except ChaosError as error:
            done.findings.append(str(error))
            done.is_broken = True  # what was accepted is not known, so later rounds could not be validated
        done.seconds = time.monotonic() - began
        return done

    def _disturb(self, random: Random, done: Round) -> None:
        start = self._origin + timedelta(hours=random.randrange(30))
        name = f"{self._seed} {done.number}"
        accepted: list[Accepted] = []
        failed: list[BaseException] = []
        half = self._events // 2

        def produce(make: Any, kind: str) -> None:
            try:
                accepted.append(
                    make(self._world, Random(f"{name} {kind}"), f"{name} {kind}", half, start, SPAN)
                )
            except BaseException as error:
                failed.append(error)

        threads = [
            threading.Thread(target=produce, args=(actions.replay, "replay")),
            threading.Thread(target=produce, args=(actions.library, "library")),
        ]
        reading = Reading(self._world)
        for thread in (*threads, reading):
            thread.start()
        for disturbance in self._chosen(random, done.number):
            time.sleep(random.random() * 2)
            done.disturbances.append(disturbance.__name__)
            disturbance(self._world, random)
        for thread in threads:
            thread.join()
        reading.stop()
        done.reads, done.findings = reading.reads, reading.torn
        if failed:
            raise ChaosError(f"a producer gave up: {failed[0]!r}")
        for each in accepted:
            self.expected.add(each.events)
            self.expected.poison += each.poison
            done.accepted += len(each.events)

    def _chosen(self, random: Random, number: int) -> list[actions.Disturbance]:
        if number % KILLS_EMULATOR_EVERY == 0:
            return [actions.kill_emulator]
        return random.choices(list(actions.DISTURBANCES.values()), k=random.randrange(2, 5))

    def _settle(self) -> None:
        """What an operator does after an incident: start it again, replay what failed, wait for reports.

        Starting again ends the leases of workers that were killed.
        """
        world = self._world
        world.down()
        world.up()
        world.run("reconcile", "--wait", "90", codes=(0, 3))
        world.run("failed", "replay", "--json", codes=(0, 1))
        world.run("reports", "refresh", "--wait")

    def _compared(self) -> list[str]:
        world = self._world
        found = self.expected.differences({name: world.rows(f"SELECT * FROM {name}") for name in REPORTS})
        account = world.json("reconcile", codes=(0, 3))
        if account["in_flight"]:
            found.append(f"reconcile misses {account['in_flight']} events: {account.get('incomplete')}")
        if account["failed"] != self.expected.poison:
            found.append(f"{account['failed']} events failed, {self.expected.poison} lines were poison")
        return found


class Reading(threading.Thread):
    """A reader of reports beside it all: what it gets is whole, whenever it gets anything."""

    def __init__(self, world: World) -> None:
        super().__init__(daemon=True)
        self._world, self._over = world, threading.Event()
        self.reads, self.torn = 0, list[str]()

    def run(self) -> None:
        """Read until stopped."""
        while not self._over.wait(0.3):
            try:
                rows = self._world.rows(TORN)
            except Exception:
                continue
            self.reads += 1
            self.torn += [f"torn: {row}" for row in rows if row["n"] != row["keys"] or row["runs"] != 1]

    def stop(self) -> None:
        """Stop it."""
        self._over.set()
        self.join(60)


def run(
    rounds: Sequence[int], seed: int, events: int, folder: Path, without: str | None = None
) -> list[Round]:
    """The rounds of these numbers on a new local cloud in `folder`; each is printed when it is done."""
    patched = folder.with_name(f"{folder.name}-patched")
    patched.mkdir()
    (patched / "sitecustomize.py").write_text(OFTEN + PATCHES.get(without or "", ""))
    world = World(folder, patched)
    disks = "" if world.disk_is_ours else ", disks are not filled: not root"
    print(f"seed {seed}, {events:,} events a round{disks}")
    print(f"{'round':>5}  {'events':>7}  {'reads':>5}  {'s':>6}")
    done = []
    try:
        world.up()
        chaos = Chaos(world, seed, events, datetime.now(UTC))
        for number in rounds:
            done.append(chaos.round(number))
            print(done[-1], flush=True)
            for finding in done[-1].findings[:10]:
                print(f"       {finding}", flush=True)
            if done[-1].is_broken:
                break
    finally:
        world.close()
    return done


def _stopped(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    """Prints every round and the sums; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--events", type=int, default=11_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--without", choices=sorted(PATCHES))
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, _stopped)  # so that disks are unmounted
    with tempfile.TemporaryDirectory() as folder:
        numbers = range(wanted.first, wanted.first + wanted.rounds)
        done = run(numbers, wanted.seed, wanted.events, Path(folder) / "cloud", wanted.without)
    wrong = [each for each in done if each.findings]
    accepted, load = sum(each.accepted for each in done), os.getloadavg()[0]
    print(f"{len(done)} rounds, {accepted:,} events accepted, {len(wrong)} rounds wrong, load {load:.1f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

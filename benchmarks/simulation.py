"""Seeded histories of the reports' own code: `python -m benchmarks.simulation --schedules 10000`.

Each schedule is one seed: notifications are doubled, lost and delayed, events doubled and late, workers
killed and held up at any step, partitions, files and items of the ledger deleted, while several of them run
at once. At the end faults stop, ticks go on, and an independent checker compares what readers see with the
truth. `--without fence` (and so on) takes one protection away, to show that the simulation would notice.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from benchmarks.shop import TABLES
from benchmarks.simulation_ledger import SimulatedDefinitions, SimulatedLedger, SimulatedStore
from benchmarks.simulation_parts import (
    PROTECTIONS,
    PROTOCOL_STEPS,
    QUERIES,
    Faults,
    Killed,
    Message,
    Reader,
    Worker,
)
from benchmarks.simulation_removals import removed
from benchmarks.simulation_world import (
    LAKE,
    REPORTING,
    SimulatedEngine,
    SimulatedGlue,
    SimulatedLake,
    World,
    advance,
)
from queries.handler import read_batch
from queries.requests import Request
from queries.service import ReportService
from queries.settings import Settings

START = 1_779_000_000_000
HOURS = ("2026-05-17-10", "2026-05-17-11", "2026-05-18-00")
TIMEOUT_MS = 60_000
TICK_MS = 10_000
LONGEST_WAIT_MS = 20_000
"""A stale partition is due after this at the latest: `at most every 20s`, with a debounce and without."""


class Schedule:
    """One history."""

    def __init__(self, seed: int, without: str = "") -> None:
        self.rng = Random(seed)
        self.world = World(self.rng, START, in_place=without == "run prefix")
        self.without = without
        rng = self.rng
        armed = {name: value * rng.randint(0, 1) for name, value in vars(Faults()).items()}
        armed["duplicate_event"] = max(armed["duplicate_event"], 0.02)
        self.faults = Faults(**armed)
        self.most_workers = rng.randint(2, 8)
        self.workers: list[Worker] = []
        self.queue: list[Message] = []
        self.readers: list[Reader] = []
        self.glue = SimulatedGlue(self.world, self.step)
        self.ledger = SimulatedLedger(self.world, self.step)
        self.main = getcurrent()
        self.next_tick = START
        self.names = 0
        self.truth: dict[str, set[str]] = {}
        self.service = ReportService(
            Settings("db", "wg", LAKE, REPORTING, "ledger", sweep_hours=24 * 30, retry_seconds=5),
            ledger=self.ledger,
            lake=SimulatedLake(self.world, self.step),
            engine=SimulatedEngine(self.world, self.step),
            tables=TABLES,
            store=SimulatedStore(self.world, self.step, self.glue),
            definitions=SimulatedDefinitions(),
            queries=QUERIES,
            clock=lambda: self.world.now,
            sleep=self.sleep,
        )

    def step(self, name: str) -> None:
        """Called by the product's ports: gives the scheduler its chance."""
        worker = next((one for one in self.workers if one.greenlet is getcurrent()), None)
        if worker is not None:
            worker.at = name
            self.main.switch()

    def sleep(self, milliseconds: int) -> None:
        worker = next(one for one in self.workers if one.greenlet is getcurrent())
        worker.resume_at = self.world.now + milliseconds
        self.main.switch()

    def run(self, objects: int = 16) -> Counter[str]:
        """The whole history; what went wrong, counted by kind."""
        left = objects
        while left or self.queue or self.workers:
            self.world.now += self.rng.randint(1, 400)
            if left and self.rng.random() < 0.02:
                left -= 1
                self.produce()
            self.turn()
            if not left and self.world.now > START + 15 * 60_000:
                break
        self.drain()
        self.check()
        return self.world.violations

    def produce(self) -> None:
        """A lake object with some events, and its notification, if nothing goes wrong with it."""
        rng, faults = self.rng, self.faults
        late = rng.random() < faults.late_event
        hour = HOURS[0] if late else rng.choice(HOURS)
        known = sorted(self.truth.get(hour, ()))
        events = []
        for _ in range(rng.randint(1, 12)):
            if known and rng.random() < faults.duplicate_event:
                events.append(rng.choice(known))
            else:
                self.names += 1
                events.append(f"e{self.names}")
        if rng.random() < faults.duplicate_event * 5:
            events.append(events[0])
        self.truth.setdefault(hour, set()).update(events)
        self.names += 1
        body = self.world.put_object(hour, f"web_events/event_hour={hour}/o{self.names}.parquet", events)
        if rng.random() < faults.lost_notification:
            return
        self.notify(body)
        if rng.random() < faults.duplicate_notification:
            self.notify(body)

    def notify(self, body: str) -> None:
        """S3 sends a message, some time."""
        self.names += 1
        self.queue.append(Message(self.names, body, self.world.now + self.rng.randint(0, 20_000)))

    def turn(self) -> None:
        """Something happens: a worker goes on or is killed, one is started, Athena or a reader goes on."""
        rng, world = self.rng, self.world
        for worker in list(self.workers):
            if worker.hard_end <= world.now:
                self.end(worker, Killed())
        self.read()
        self.lose()
        running = [one for one in world.executions.values() if one.state == "running"]
        if running and rng.random() < 0.5:
            advance(world, rng.choice(running), fail=rng.random() < self.faults.failed_query)
        ready = [one for one in self.workers if one.resume_at <= world.now]
        if ready and rng.random() < 0.8:
            self.go_on(rng.choice(ready))
        elif len(self.workers) < self.most_workers:
            self.start_worker()

    def lose(self) -> None:
        """Somebody deletes a partition of the catalog, files that readers see, or an item of the ledger."""
        rng, faults = self.rng, self.faults
        if rng.random() < faults.lost_partition:
            self.glue.forget(rng)
        if rng.random() < faults.lost_item:
            self.ledger.forget(rng)
        # Of partitions that are in no run: what vanishes between audit and swap, nothing can notice.
        fresh = [one.published for one in self.ledger.everything()[0] if one.run_id is None and one.published]
        served = [one.location for one in fresh if one.location in self.world.files]
        if rng.random() < faults.lost_files and served:
            lost = rng.choice(served)
            del self.world.files[lost]
            # What its readers get meanwhile is not a fault of a swap.
            self.readers = [one for one in self.readers if one.location != lost]

    def go_on(self, worker: Worker) -> None:
        """One step of a worker, or its end, or a pause."""
        # Reads are many and change nothing: a worker that seldom gets past them would test little.
        rate = 1.0 if worker.at in PROTOCOL_STEPS else 0.05
        if self.rng.random() < self.faults.crash * rate:
            self.end(worker, Killed())
        elif self.rng.random() < self.faults.stall * rate:
            worker.resume_at = self.world.now + self.rng.randint(0, TIMEOUT_MS)
        else:
            worker.greenlet.switch()
            if worker.greenlet.dead:
                self.workers.remove(worker)
                self.queue = [one for one in self.queue if one not in worker.messages]

    def end(self, worker: Worker, reason: BaseException) -> None:
        """The worker is gone; its messages become visible again."""
        with suppress(Killed):
            worker.greenlet.throw(reason)
        self.workers.remove(worker)

    def start_worker(self) -> None:
        """An invocation for messages, or for a tick that is due."""
        world = self.world
        if world.now >= self.next_tick and self.without != "tick":
            self.next_tick = world.now + TICK_MS
            keep, whole = self.rng.random() < 0.2, self.rng.random() < 0.2
            self.spawn(lambda end: self.tick(end, housekeeping=keep, everything=whole), [])
            return
        batch = [one for one in self.queue if one.visible_at <= world.now][: self.rng.randint(1, 10)]
        if batch:
            for message in batch:
                message.visible_at = world.now + 6 * TIMEOUT_MS
            self.spawn(lambda end: self.receive(batch, end), batch)

    def spawn(self, work: Callable[[int], None], messages: list[Message]) -> None:
        """A worker begins at the next turn."""
        hard_end = self.world.now + TIMEOUT_MS
        self.workers.append(Worker(greenlet(lambda: work(hard_end)), hard_end, messages))

    def receive(self, batch: list[Message], hard_end: int) -> None:
        """What the handler does with messages."""
        records = (SQSRecord({"messageId": str(one.name), "body": one.body}) for one in batch)
        found = read_batch(records, LAKE, TABLES)
        self.service.notice(found.hours)
        self.service.work(stop_at=hard_end - 15_000, hard_end=hard_end, wait=False)

    def tick(self, hard_end: int, *, housekeeping: bool, everything: bool) -> None:
        """What the handler does at a tick."""
        self.service.prepare(Request("tick", everything=everything, housekeeping=housekeeping))
        self.service.work(stop_at=hard_end - 15_000, hard_end=hard_end)

    def read(self) -> None:
        """Viewers: look a partition up, read it later."""
        for reader in [one for one in self.readers if one.reads_at <= self.world.now]:
            self.readers.remove(reader)
            found = self.world.contents(reader.location)
            if found is None or (self.without != "run prefix" and found != reader.expected):
                self.world.violations["half published"] += 1
        if self.rng.random() < 0.1:
            table, partition = self.rng.choice(
                [("by_hour", self.rng.choice(HOURS)), ("by_day", HOURS[0][:10])]
            )
            location = self.glue.location(table, partition)
            if location is not None:
                later = self.world.now + self.rng.randint(0, 30_000)
                self.readers.append(Reader(location, self.world.contents(location), later))

    def drain(self) -> None:
        """Faults stop; messages are delivered; ticks go on until nothing is stale."""
        self.faults = Faults(**dict.fromkeys(vars(self.faults), 0.0))
        for message in self.queue:
            message.visible_at = 0
        for _ in range(20_000):
            states, runs = self.ledger.everything()
            busy = self.queue or self.workers or runs or any(one.is_stale for one in states)
            if not busy:
                break
            self.world.now += self.rng.randint(1, 2_000)
            self.turn()
        else:
            if self.without != "tick":
                self.world.violations["did not converge"] += 1
        if self.without == "tick":
            return
        while self.workers:
            self.end(self.workers[0], Killed())
        # Two last ticks, with nobody else about: the first finds what is lost, the second computes it when it
        # is due. Whatever is still lost then is lost for good.
        for _ in range(2):
            self.last_tick()
            self.world.now += LONGEST_WAIT_MS

    def last_tick(self) -> None:
        """A tick that nothing disturbs, to its end."""
        hard_end = self.world.now + 3_600_000
        self.spawn(lambda _: self.tick(hard_end, housekeeping=True, everything=True), [])
        worker = self.workers[0]
        worker.hard_end = hard_end
        for _ in range(20_000):
            if worker.greenlet.dead:
                break
            self.world.now += 300
            for one in self.world.executions.values():
                if one.state == "running":
                    advance(self.world, one, fail=False)
            worker.greenlet.switch()
        self.workers.clear()

    def check(self) -> None:
        """Independent of the product: what readers see against what was produced."""
        days: dict[str, set[str]] = {}
        for hour, events in self.truth.items():
            days.setdefault(hour[:10], set()).update(events)
        for table, truth in (("by_hour", self.truth), ("by_day", days)):
            for partition, events in truth.items():
                location = self.glue.location(table, partition)
                seen = self.world.contents(location) if location else Counter()
                if seen is None:
                    self.world.violations["half published"] += 1
                elif events - set(seen):
                    self.world.violations["lost"] += 1
                elif any(count > 1 for count in seen.values()):
                    self.world.violations["double counted"] += 1


def simulate(seeds: range, without: str = "", *, first: bool = False) -> dict[int, Counter[str]]:
    """The seeds whose history went wrong, and how; with `first` only the first of them."""
    wrong: dict[int, Counter[str]] = {}
    with removed(without):
        for seed in seeds:
            found = Schedule(seed, without).run()
            if found:
                wrong[seed] = found
                if first:
                    break
    return wrong


def main() -> int:
    """Run schedules, print what went wrong; non-zero when something did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=1_000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--without", choices=PROTECTIONS, default="")
    options = parser.parse_args()
    begun = time.process_time()
    seeds = range(options.first_seed, options.first_seed + options.schedules)
    wrong = simulate(seeds, options.without)
    seconds = time.process_time() - begun
    kinds: Counter[str] = Counter()
    for found in wrong.values():
        kinds.update(found.keys())
    print(f"{options.schedules} schedules, {len(wrong)} wrong, {seconds:.0f} s of CPU")
    for kind, count in sorted(kinds.items()):
        print(f"  {kind}: {count} schedules")
    for seed in list(wrong)[:10]:
        print(f"  seed {seed}: {dict(wrong[seed])}")
    return 1 if wrong and not options.without else 0


if __name__ == "__main__":
    sys.exit(main())

"""Chooses what goes into the next PutRecords request (pure: the time is passed in).

Each shard has a lane. A record that failed goes back to the head of its lane, and its lane waits; the
others go on.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from producers.packing.record import Record
from producers.sending.retry import RECORD_BACKOFF, Backoff

REQUEST_RECORDS = 500  # PutRecords takes no more


class Lane:
    """The records that wait for one shard, oldest first."""

    __slots__ = ("failures", "in_flight", "not_before", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Record] = deque()
        self.in_flight = 0
        self.failures = 0
        self.not_before = 0.0


@dataclass(frozen=True)
class BatchLimits:
    """What one request may hold, and how long a record waits for more events.

    Attributes:
        request_bytes: data and keys of one request.
        linger: seconds after its first event until a record goes out in a request that is not full.
        in_order: at most one record per shard under way, so that no event overtakes another of its key.
    """

    request_bytes: int = 4 << 20
    linger: float = 0.1
    in_order: bool = False


class Lanes:
    """Every record that is packed and not delivered."""

    def __init__(self, limits: BatchLimits, random: Random, backoff: Backoff = RECORD_BACKOFF) -> None:
        self._limits = limits
        self._random = random
        self._backoff = backoff
        self._lanes: dict[str, Lane] = {}
        self.waiting_bytes = 0
        self.waiting_records = 0

    def append(self, record: Record) -> None:
        """A record that has just been packed."""
        self._lane(record).waiting.append(record)
        self._count(record, 1)

    def take(self, now: float, hurry: bool) -> list[Record]:
        """The records of the next request; empty when none is due. `hurry`: do not wait for more events."""
        if not self.waiting_records:
            return []
        full = self.waiting_bytes >= self._limits.request_bytes or self.waiting_records >= REQUEST_RECORDS
        lanes = self._in_turn(now)
        if not (hurry or full or self._limits.in_order) and not self._is_due(lanes, now):
            return []
        batch: list[Record] = []
        size = 0
        for lane in lanes:
            while lane.waiting and len(batch) < REQUEST_RECORDS:
                record = lane.waiting[0]
                if batch and size + record.size > self._limits.request_bytes:
                    return batch
                size += record.size
                batch.append(lane.waiting.popleft())
                lane.in_flight += 1
                self._count(record, -1)
                if self._limits.in_order:
                    break
        return batch

    def delivered(self, records: Iterable[Record]) -> None:
        """These records arrived, or are settled otherwise."""
        for record in records:
            lane = self._lane(record)
            lane.in_flight -= 1
            lane.failures = 0

    def refused(self, records: list[Record], now: float) -> None:
        """The stream refused these: back to the heads of their lanes, which wait a while."""
        refusing = {id(lane): lane for lane in map(self._lane, records)}
        for lane in refusing.values():
            lane.failures += 1
            lane.not_before = now + self._backoff.wait(lane.failures, self._random)
        self.put_back(records)

    def put_back(self, records: list[Record]) -> None:
        """Not sent after all: back to the heads of their lanes, in their order."""
        for record in reversed(records):
            lane = self._lane(record)
            lane.in_flight -= 1
            lane.waiting.appendleft(record)
            self._count(record, 1)

    def wake_at(self, now: float) -> float | None:
        """The next time at which `take` may have something, None when only a new record can bring it."""
        times = [
            max(lane.not_before, lane.waiting[0].opened_at + self._limits.linger)
            for lane in self._lanes.values()
            if lane.waiting and not (self._limits.in_order and lane.in_flight)
        ]
        return max(now, min(times)) if times else None

    def drain(self) -> list[Record]:
        """Takes out everything that waits, oldest first within each shard."""
        found = [record for lane in self._lanes.values() for record in lane.waiting]
        for lane in self._lanes.values():
            lane.waiting.clear()
        self.waiting_bytes = self.waiting_records = 0
        return found

    def _in_turn(self, now: float) -> list[Lane]:
        """Lanes that may send, each time another one first, so that no shard starves."""
        lanes = list(self._lanes.values())
        first = self._random.randrange(len(lanes))
        return [
            lane
            for lane in lanes[first:] + lanes[:first]
            if lane.waiting and lane.not_before <= now and not (self._limits.in_order and lane.in_flight)
        ]

    def _is_due(self, lanes: list[Lane], now: float) -> bool:
        return any(lane.waiting[0].opened_at <= now - self._limits.linger for lane in lanes)

    def _lane(self, record: Record) -> Lane:
        name = "" if record.shard is None else record.shard.shard_id
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane()
        return lane

    def _count(self, record: Record, sign: int) -> None:
        self.waiting_bytes += sign * record.size
        self.waiting_records += sign

"""Seeded traffic of one stream as finished records, with knobs for everything that goes wrong in real life.

The same arguments give the same bytes, ids included. What a stream's traffic looks like is the stream's own
knowledge (`Stream.traffic`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import islice
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from producers.contracts import Stream
from producers.identity import event_id, producer_id
from producers.packing.codec import encode
from producers.simulation.damage import damaged
from producers.simulation.traffic import Happening, traffic_of

SOURCE = "simulator"
COPY_DISTANCE = 400  # a record that is sent again comes within so many records after its first sending


class SimulatedRecord(Struct, frozen=True, gc=False):
    """One record as a producer sends it.

    Attributes:
        data: the record's bytes.
        partition_key: what chooses its shard.
        time_ms: when it happened, in milliseconds since 1970.
        is_copy: sent before, byte for byte.
        damage: name of what was done to it (see `producers.simulation.damage`), None for a sound event.
        is_repairable: whether the event can be told from the damaged bytes.
    """

    data: bytes
    partition_key: str
    time_ms: int
    is_copy: bool = False
    damage: str | None = None
    is_repairable: bool = False


@dataclass(frozen=True)
class Simulation:
    """What to simulate.

    Attributes:
        stream: whose traffic it is; the stream declares it.
        seed: the same seed and arguments give the same records.
        count: distinct records, malformed ones included; copies come on top.
        start, span: the hours of traffic that the events are spread over.
        late: share of events whose time lies before `start`, further back than the stream's allowed lateness.
        duplicate: share of sound events that are sent a second time.
        malformed: share of `count` that are damaged.
    """

    stream: Stream
    seed: int
    count: int
    start: datetime
    span: timedelta
    late: float = 0.0
    duplicate: float = 0.0
    malformed: float = 0.0

    def __post_init__(self) -> None:
        if self.start.tzinfo is None:
            raise ValueError("start has no time zone. Pass an aware datetime, for example datetime.now(UTC).")
        if self.count < 0 or self.span <= timedelta(0):
            raise ValueError("count must be 0 or more, and span longer than nothing.")
        for name in ("late", "duplicate", "malformed"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share: a number from 0 to 1, not {getattr(self, name)}.")
        traffic_of(self.stream)

    @cached_property
    def start_ms(self) -> int:
        """The start in milliseconds since 1970."""
        return int(self.start.timestamp() * 1000)

    @cached_property
    def producer_id(self) -> str:
        """The producer that the records name; another simulation has another one."""
        arguments = (
            self.seed,
            self.count,
            self.start_ms,
            self.span,
            self.late,
            self.duplicate,
            self.malformed,
        )
        # Two streams are simulated by two producers, whose events have ids of their own.
        told = repr(arguments if self.stream.plain_names else (*arguments, self.stream.name))
        return producer_id(SOURCE, self.seed, blake2b(told.encode(), digest_size=4).hexdigest())

    @property
    def epoch(self) -> int:
        """The epoch that the records name."""
        return self.start_ms

    def records(self) -> Iterator[SimulatedRecord]:
        """The records in the order of sending. Distinct ones take `seq` 1, 2, 3 and so on to `count`."""
        return self._with_copies() if self.duplicate else self._distinct()

    def _with_copies(self) -> Iterator[SimulatedRecord]:
        waiting: list[tuple[int, SimulatedRecord]] = []
        random = Random(f"copies {self.seed}")  # noqa: S311
        for place, record in enumerate(self._distinct()):
            yield record
            if record.damage is None and random.random() < self.duplicate:
                due = place + 1 + int(COPY_DISTANCE * random.random() ** 2)
                heappush(waiting, (due * (self.count + 1) + place, replace(record, is_copy=True)))
            while waiting and waiting[0][0] <= (place + 1) * (self.count + 1):
                yield heappop(waiting)[1]
        while waiting:
            yield heappop(waiting)[1]

    def _distinct(self) -> Iterator[SimulatedRecord]:
        random = Random(f"records {self.seed}")  # noqa: S311
        producer, epoch = self.producer_id, self.epoch
        for seq, happening in enumerate(self._happenings(), start=1):
            time_ms, event_type, payload = happening.time_ms, happening.event_type, happening.payload
            if self.late and random.random() < self.late:
                time_ms = self._made_late(time_ms, random)
            event = event_type.event_class(  # type: ignore[call-arg]
                event_id=event_id(time_ms, random.getrandbits(74)),
                schema_version=event_type.version,
                event_time=datetime.fromtimestamp(time_ms / 1000, UTC),
                source=SOURCE,
                producer_id=producer,
                epoch=epoch,
                seq=seq,
                payload=payload,
            )
            record = SimulatedRecord(encode(event), getattr(payload, event_type.partition_key), time_ms)
            if self.malformed and random.random() < self.malformed:
                broken, damage = damaged(record.data, random)
                yield replace(record, data=broken, damage=damage.name, is_repairable=damage.repairable)
            else:
                yield record

    def _happenings(self) -> Iterator[Happening]:
        span_ms = self.span // timedelta(milliseconds=1)
        random = Random(f"traffic {self.seed}")  # noqa: S311
        return islice(traffic_of(self.stream)(random, max(1, self.count), self.start_ms, span_ms), self.count)

    def _made_late(self, time_ms: int, random: Random) -> int:
        behind = self.stream.allowed_lateness / timedelta(milliseconds=1)
        # Up to a day beyond the limit, and before the traffic's start: so it is late at any arrival.
        return min(time_ms, self.start_ms) - int(behind + 1 + random.random() * 86_400_000)


def simulate(
    stream: Stream,
    seed: int,
    count: int,
    start: datetime,
    span: timedelta,
    late: float = 0.0,
    duplicate: float = 0.0,
    malformed: float = 0.0,
) -> Iterator[SimulatedRecord]:
    """The records of `Simulation` with these arguments, in the order of sending."""
    return Simulation(stream, seed, count, start, span, late, duplicate, malformed).records()

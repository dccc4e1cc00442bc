"""A collector with ports in memory: a stream and a queue that can be made to refuse, a table of keys, a clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import msgspec

from producers.collector.collector import Collector
from producers.collector.delivery import Delivery, QueueUnavailableError
from producers.collector.keys import Keys, KeysUnavailableError, WriteKey, digest_of
from producers.collector.messages import Answer, Request
from producers.collector.quota import Quotas
from producers.collector.sequence import Sequence as Places
from producers.errors import StreamUnavailableError
from producers.identity import EventIds
from producers.packing.aggregation import deaggregate, is_aggregate
from producers.sinks.port import Answer as SinkAnswer
from producers.sinks.port import NotTaken, SinkRecord, StreamFacts, Taken
from tests.shop import WEB

NOW = 1_764_500_000.0
KEY = "pk_0123456789abcdef0123456789abcdef"
PAGE = {"type": "page_viewed", "payload": {"url": "/", "client_address": "10.1.2.3", "status": 200}}


@dataclass
class Stream:
    """Takes records, unless `script` says otherwise for the next call: `refuse`, `down`, or `lost` (taken, and
    the answer does not arrive).
    """

    script: list[str] = field(default_factory=list)
    taken: list[SinkRecord] = field(default_factory=list)
    calls: int = 0

    def describe(self) -> StreamFacts:
        if "down" in self.script:
            raise StreamUnavailableError("down")
        return StreamFacts(None)

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[SinkAnswer]:
        self.calls += 1
        said = self.script.pop(0) if self.script else ""
        if said == "down":
            raise StreamUnavailableError("down")
        if said == "refuse":
            return [NotTaken("ProvisionedThroughputExceededException", "slow down") for _ in records]
        self.taken += records
        if said == "lost":
            raise StreamUnavailableError("the answer was lost")
        return [Taken("shardId-0", str(len(self.taken))) for _ in records]

    def reopen(self) -> None:
        """Nothing is open."""


@dataclass
class Queue:
    """Takes messages until `room` is used up."""

    room: int = 1_000
    sent: list[tuple[str, SinkRecord]] = field(default_factory=list)

    def send(self, stream: str, record: SinkRecord) -> None:
        if len(self.sent) >= self.room:
            raise QueueUnavailableError("full")
        self.sent.append((stream, record))


@dataclass
class Table:
    """Keys and counts, and whether it answers."""

    keys: dict[str, WriteKey] = field(default_factory=dict)
    uses: dict[tuple[str, str], int] = field(default_factory=dict)
    is_down: bool = False
    looks: int = 0

    def find(self, digest: str) -> WriteKey | None:
        self.looks += 1
        if self.is_down:
            raise KeysUnavailableError("throttled")
        return self.keys.get(digest)

    def add(self, source: str, day: str, count: int, expires_at: int) -> int:
        if self.is_down:
            raise KeysUnavailableError("throttled")
        assert expires_at > NOW
        self.uses[source, day] = self.uses.get((source, day), 0) + count
        return self.uses[source, day]


class World:
    """See the module. `now` is in epoch seconds."""

    def __init__(self, **allows: object) -> None:
        self.now, self.stream, self.queue = NOW, Stream(), Queue()
        self.allow(**allows)
        random = Random(7)
        self.places = Places("collector-1", int(NOW * 1000))
        self.collector = Collector(
            streams={"web": WEB},
            keys=Keys(self.table, lambda: self.now),
            quotas=Quotas(self.table, lambda: self.now, lambda: self.now),
            delivery=Delivery(lambda _: self.stream, self.queue, self.wait, lambda: self.now, lambda: 0.5),
            places=self.places,
            ids=EventIds(lambda: int(self.now * 1000), random),
            clock=lambda: self.now,
            monotonic=lambda: self.now,
            hash_key=lambda: str(random.getrandbits(128)),
            is_ready=lambda: "down" not in self.stream.script,
        )

    def allow(self, **allows: object) -> None:
        """Make the key allow this."""
        named = {"source": "shop-pages", "streams": ("web",), **allows}
        self.table = getattr(self, "table", Table())
        self.table.keys[digest_of(KEY)] = WriteKey(**named)  # type: ignore[arg-type]

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def send(
        self,
        body: bytes | object,
        content_type: str = "application/json",
        *,
        path: str = "/v1/batch",
        method: str = "POST",
        query: dict[str, str] | None = None,
        **headers: str,
    ) -> Answer:
        """The answer to a request with the key, unless another header is given for it."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        named = {"content-type": content_type, "x-write-key": KEY, "user-agent": "tests"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(method, path, named, query or {}, raw, "192.0.2.7", "request-1")
        return self.collector.answer(request)[0]

    def events(self) -> list[dict[str, object]]:
        """What is on the stream, audits included, in order."""
        found = []
        for record in self.stream.taken:
            whole = (
                [each.data for each in deaggregate(record.data)]
                if is_aggregate(record.data)
                else [record.data]
            )
            found += [msgspec.json.decode(each) for each in whole]
        return found

    def seqs(self) -> list[tuple[int, int]]:
        """(epoch, seq) of the events on the stream, without audits."""
        return [(each["epoch"], each["seq"]) for each in self.events() if each["seq"]]  # type: ignore[misc]

"""Execution environments of the collector in this process, on the streams, queue and keys of a local cloud.

What they meet on the way can be made to fail, which a deployed function's cannot.
"""

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from infra.accounting.evidence import Places as EvidencePlaces
from infra.accounting.evidence import gather
from infra.accounting.reconcile import reconcile
from producers.collector import dynamodb, kinesis
from producers.collector.collector import Collector
from producers.collector.delivery import Delivery, QueueUnavailableError, SpillQueue
from producers.collector.keys import Keys, KeysUnavailableError, WriteKey, digest_of, new_key
from producers.collector.messages import Answer, Request
from producers.collector.quota import Quotas
from producers.collector.sequence import Sequence as Places
from producers.collector.signed_calls import SignedCalls
from producers.collector.sqs import SqsQueue
from producers.errors import StreamUnavailableError
from producers.identity import EventIds
from producers.keys.store import KeyStore
from producers.sinks.port import Answer as SinkAnswer
from producers.sinks.port import NotTaken, RecordSink, SinkRecord, StreamFacts
from tests.queries.cloud import Chain
from tests.shop import TABLE, WEB


@dataclass
class Troubled:
    """A sink that does next what `script` says: `refuse`, `take`, or `lose` (the answer); then what it should."""

    inner: RecordSink
    script: list[str] = field(default_factory=list)

    def describe(self) -> StreamFacts:
        return self.inner.describe()

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[SinkAnswer]:
        said = self.script.pop(0) if self.script else "take"
        if said == "refuse":
            return [NotTaken("ProvisionedThroughputExceededException", "slow down") for _ in records]
        answers = self.inner.put_records(records)
        if said == "lose":
            raise StreamUnavailableError("the answer was lost")
        return answers

    def reopen(self) -> None:
        self.inner.reopen()


@dataclass
class TroubledQueue:
    """A queue that may be down."""

    inner: SpillQueue
    is_down: bool = False

    def send(self, stream: str, record: SinkRecord) -> None:
        if self.is_down:
            raise QueueUnavailableError("down")
        self.inner.send(stream, record)


@dataclass
class TroubledKeys:
    """A table that may be throttled."""

    inner: dynamodb.DynamoDbKeys
    is_throttled: bool = False

    def find(self, digest: str) -> WriteKey | None:
        if self.is_throttled:
            raise KeysUnavailableError("throttled")
        return self.inner.find(digest)

    def add(self, source: str, day: str, count: int, expires_at: int) -> int:
        return self.inner.add(source, day, count, expires_at)


class Environment:
    """One execution environment, with its own name as a producer."""

    def __init__(self, chain: Chain, key: str, *, key_seconds: float = 60.0) -> None:
        environ, outputs = chain.cloud.environment(), chain.outputs
        self._calls = [
            SignedCalls(name, module.VERSION, module.PROTOCOL, environ=environ, clock=time.time)
            for name, module in (("kinesis", kinesis), ("dynamodb", dynamodb))
        ]
        self._key, random, sqs = key, Random(secrets.randbits(64)), chain.client("sqs")
        self.sink = Troubled(kinesis.SignedKinesisSink(outputs.stream_name, self._calls[0]))
        self.queue = TroubledQueue(SqsQueue(lambda: sqs, outputs.collector_queue_url))
        self.table = TroubledKeys(dynamodb.DynamoDbKeys(self._calls[1], outputs.write_keys_table))
        self.name = f"collector-{secrets.token_hex(6)}"
        self.collector = Collector(
            streams={"web": WEB},
            keys=Keys(self.table, time.monotonic, key_seconds),
            quotas=Quotas(self.table, time.time, time.monotonic),
            delivery=Delivery(lambda _: self.sink, self.queue, lambda _: None, time.monotonic, random.random),
            places=Places(self.name, int(time.time() * 1000)),
            ids=EventIds(lambda: int(time.time() * 1000), random),
            clock=time.time,
            monotonic=time.monotonic,
            hash_key=lambda: str(random.getrandbits(128)),
            is_ready=lambda: True,
        )

    def ask(self, body: bytes, content_type: str = "application/json") -> Answer:
        headers = {"content-type": content_type, "x-write-key": self._key, "user-agent": "rig"}
        request = Request("POST", "/v1/batch", headers, {}, body, "192.0.2.9", secrets.token_hex(4))
        return self.collector.answer(request)[0]

    def send(self, events: Sequence[Any]) -> tuple[int, Any]:
        """(status, document) of the answer."""
        answer = self.ask(json.dumps({"events": events}).encode())
        return answer.status, json.loads(answer.body)

    def close(self) -> None:
        for calls in self._calls:
            calls.close()


def made_key(chain: Chain, **allows: Any) -> tuple[str, str]:
    """(key, source) of a new key of the cloud."""
    key, source = new_key(secrets.token_bytes(24)), f"rig-{secrets.token_hex(4)}"
    store = KeyStore(chain.client("dynamodb"), chain.outputs.write_keys_table)
    assert store.put(digest_of(key), WriteKey(source=source, streams=("web",), **allows), is_new=True)
    return key, source


def account(chain: Chain, names: set[str]) -> dict[str, int]:
    """What became of the events that these producers say that they sent."""
    places = EvidencePlaces(
        engine=chain.engine,
        s3=chain.client("s3"),
        logs=chain.client("logs"),
        lake_bucket=chain.outputs.lake_bucket,
        transform_functions=[chain.outputs.transform_function],
        tables=[TABLE.name],
    )
    lines = [line for line in reconcile(gather(places)).lines if line.name[0] in names]
    counts = {
        part: sum(getattr(line, part) for line in lines)
        for part in ("produced", "landed", "failed", "dropped")
    }
    return {**counts, "missing": sum(len(line.missing) for line in lines)}


def until(found: Callable[[], Any], seconds: float = 240.0) -> Any:
    """What `found` gives once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(1)
    return value


def written(when: datetime) -> str:
    """As an event's time."""
    return when.astimezone(UTC).isoformat()

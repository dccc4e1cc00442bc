"""A stream in memory that keeps what it is sent, and a producer for it."""

import json
from collections.abc import Sequence
from typing import Any

from producers.contracts import Payload
from producers.errors import StreamUnavailableError
from producers.packing.aggregation import deaggregate, is_aggregate
from producers.sinks.memory import MemorySink, even_shards
from producers.sinks.port import Answer, SinkRecord
from tests.shop import STREAMS

STREAM = next(iter(STREAMS.values()))


BEAT = STREAM.latest["heartbeat"].payload


def beat(**fields: Any) -> Payload:
    return BEAT(**{"host": "web-1", "uptime_seconds": 1} | fields)


class Kept(MemorySink):
    """A sink that can be looked into, and told to misbehave."""

    def __init__(self, shards: int = 2) -> None:
        self.records: list[SinkRecord] = []
        self.is_down = False
        super().__init__(even_shards(shards), lambda _, record: self.records.append(record))

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
        if self.is_down:
            raise StreamUnavailableError("down")
        return super().put_records(records)

    def events(self) -> list[dict[str, Any]]:
        found = []
        for record in self.records:
            users = deaggregate(record.data) if is_aggregate(record.data) else [record]
            found += [json.loads(user.data) for user in users]
        return found

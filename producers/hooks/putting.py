"""Events of deliveries as records of their stream, with places that are taken when they are safe (pure)."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from producers.collector.prepared import Prepared
from producers.collector.records import RECORD_BYTES, records
from producers.collector.sequence import Sequence
from producers.contracts import AUDIT_TYPE
from producers.errors import ProducerError, StreamUnavailableError
from producers.hooks.mapping import Mapped
from producers.sinks.port import RecordSink, Taken


class StreamPutting:
    """A worker as a producer, as the collector is one: a sequence for each stream.

    `clock` gives epoch seconds, `hash_key` a random 128-bit number in decimal, `new_id` ids for audits.
    """

    def __init__(
        self,
        sinks: Callable[[str], RecordSink],
        places: Callable[[str], Sequence],
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        hash_key: Callable[[], str],
        new_id: Callable[[], str],
    ) -> None:
        self._sinks, self._places = sinks, places
        self._clock, self._monotonic = clock, monotonic
        self._hash_key, self._new_id = hash_key, new_id

    def put(self, stream: str, source: str, events: list[Mapped]) -> int:
        """How many of the events are on the stream: all of them, or so many from the beginning.

        They are tried once: the queue tries again.
        """
        prepared, places = [_prepared(event, source) for event in events], self._places(stream)
        data, keys = places.place(prepared), [event.key for event in prepared]
        audit = places.audit(prepared, self._new_id(), _written(int(self._clock() * 1000)), self._monotonic())
        if audit:  # behind the events: it must not arrive before them
            data.append(audit)
            keys.append(AUDIT_TYPE)
        safe, is_ambiguous = 0, False
        for count, record in records(data, keys, self._hash_key(), RECORD_BYTES):
            try:
                if not isinstance(self._sinks(stream).put_records([record])[0], Taken):
                    break
            except StreamUnavailableError:
                is_ambiguous = True
                break
            except ProducerError:
                break
            safe += count
        taken = min(safe, len(events))
        places.took(prepared[:taken])
        if safe < len(data):
            places.audit_lost()
        if is_ambiguous:
            places.lost_track(int(self._clock() * 1000))
        return taken


def _prepared(event: Mapped, source: str) -> Prepared:
    head = msgspec.json.encode(
        {
            "event_type": event.event_type.name,
            "event_id": event.event_id,
            "schema_version": event.event_type.version,
            "event_time": _written(event.event_ms),
            "source": source,
        }
    )
    return Prepared(head[:-1], b',"payload":' + event.data + b"}", event.key, None)


def _written(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec='milliseconds')[:23]}Z"

"""What a producer has done so far."""

from collections.abc import Sequence
from dataclasses import dataclass, fields


@dataclass
class Stats:
    """Counts of events unless they say otherwise. True at every moment:

    accepted = delivered + dead_lettered + expired + damaged + spooled + pending

    Attributes:
        accepted: taken by `put`, or found in the spool at the start.
        delivered: the stream has them.
        dead_lettered: not encodable or refused for their content, and written to the dead-letter file.
        expired: older than `record_ttl` before they could be sent.
        damaged: lost to damage of the spool's files; the bytes are quarantined beside them.
        spooled: on the disk only.
        pending: in memory, not yet delivered.
        recovered: of the accepted, those that an earlier process left in the spool.
        re_sent: sent again although the stream may have them, or has them in a foreign shard.
        strays: records that landed in another shard than foreseen.
        records, requests: Kinesis records delivered, and requests made for them.
        throttled: records that the stream refused; `failed_requests`: requests that failed as a whole.
        record_bytes: bytes of the delivered records, keys included; `refused_bytes`: of the refused ones.
        billed_kib: what an on-demand stream counts: every record rounded up to 1 KiB.
        map_refreshes: polls of the stream's shards.
        callback_errors: exceptions of `on_delivery`.
        damaged_ranges, damaged_bytes: places of the spool's files that cannot be read, and their bytes.
        buffered_bytes: memory that pending events take.
        request_seconds: time spent in requests, over all senders.
    """

    accepted: int = 0
    delivered: int = 0
    dead_lettered: int = 0
    expired: int = 0
    damaged: int = 0
    spooled: int = 0
    recovered: int = 0
    re_sent: int = 0
    strays: int = 0
    records: int = 0
    requests: int = 0
    throttled: int = 0
    failed_requests: int = 0
    record_bytes: int = 0
    refused_bytes: int = 0
    billed_kib: int = 0
    map_refreshes: int = 0
    callback_errors: int = 0
    damaged_ranges: int = 0
    damaged_bytes: int = 0
    buffered_bytes: int = 0
    request_seconds: float = 0.0

    @property
    def pending(self) -> int:
        """Accepted events that are in memory and not settled."""
        settled = self.delivered + self.dead_lettered + self.expired + self.damaged
        return self.accepted - settled - self.spooled

    def as_dict(self) -> dict[str, int | float]:
        """Every figure by name, for JSON or a metrics exporter."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"pending": self.pending}

    def count_delivered(self, events: int, size: int) -> None:
        """A record of so many events and bytes is in the stream."""
        self.delivered += events
        self.records += 1
        self.record_bytes += size
        self.billed_kib += -(-size // 1024)

    def count_request(self, seconds: float) -> None:
        """The stream answered a request."""
        self.requests += 1
        self.request_seconds += seconds

    def count_failed_request(self) -> None:
        """A request failed as a whole."""
        self.failed_requests += 1

    def count_refused(self, sizes: Sequence[int]) -> None:
        """The stream refused records of these sizes in bytes."""
        self.throttled += len(sizes)
        self.refused_bytes += sum(sizes)

    def count_re_sent(self, events: int) -> None:
        """Events will be sent again although the stream may have them."""
        self.re_sent += events

    def count_misrouted(self) -> None:
        """A record landed in another shard than foreseen."""
        self.strays += 1

    def count_map_refresh(self) -> None:
        """The stream's shards were read."""
        self.map_refreshes += 1

    def count_callback_error(self) -> None:
        """`on_delivery` raised."""
        self.callback_errors += 1

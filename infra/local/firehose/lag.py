"""How far a delivery stream's worker is behind, as Firehose reports it to CloudWatch."""

from collections.abc import Iterable, Mapping

from infra.local.firehose.checkpoints import ShardProgress

FRESHNESS, BEHIND = "DeliveryToS3.DataFreshness", "KinesisMillisBehindLatest"


def metrics(
    read_until: Mapping[str, float], progress: Iterable[ShardProgress], created_at: float, now: float
) -> dict[str, float]:
    """Values by their AWS names. All times are epoch seconds.

    `read_until` says of each shard until when its records were read: `now` at the latest that found none, or
    the arrival of the last one.
    """
    oldest = min((each.oldest_open_ms for each in progress if each.oldest_open_ms), default=0)
    reached = min(read_until.values(), default=created_at)
    return {
        FRESHNESS: max(0.0, now - oldest / 1000) if oldest else 0.0,
        BEHIND: max(0.0, (now - reached) * 1000),
    }


def direct_metrics(oldest_ms: int | None, now: float) -> dict[str, float]:
    """The same for a delivery stream without a Kinesis stream, of which `oldest_ms` is the oldest record that
    is not delivered (epoch milliseconds).
    """
    return {FRESHNESS: max(0.0, now - oldest_ms / 1000) if oldest_ms is not None else 0.0}

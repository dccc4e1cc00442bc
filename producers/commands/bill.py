"""What AWS would count of records that are sent, by the public rules of its meters (pure).

Prices are not part of it: they differ by region and change.
"""

from collections import Counter

from producers.packing.aggregation import deaggregate, is_aggregate
from producers.sinks.port import SinkRecord

KIB = 1024
ON_DEMAND_STEP = KIB  # an on-demand stream rounds every record up to 1 KiB
PUT_UNIT = 25 * KIB  # a provisioned stream counts payload units of 25 KiB
FIREHOSE_STEP = 5 * KIB  # Firehose rounds every record up to 5 KiB


class Forecast:
    """Counts records as the meters do."""

    def __init__(self) -> None:
        self.records = 0
        self.events = 0
        self.raw_bytes = 0
        self.on_demand_bytes = 0
        self.put_units = 0
        self.firehose_whole_bytes = 0
        self.firehose_split_bytes = 0
        self.by_shard: Counter[str] = Counter()

    def add(self, shard_id: str, record: SinkRecord) -> None:
        """One record that goes to a shard."""
        size = len(record.data) + len(record.partition_key.encode())
        inside = [len(user.data) for user in deaggregate(record.data)] if is_aggregate(record.data) else None
        lengths = inside or [len(record.data)]
        self.records += 1
        self.events += len(lengths)
        self.raw_bytes += sum(lengths)
        self.on_demand_bytes += _rounded(size, ON_DEMAND_STEP)
        self.put_units += -(-size // PUT_UNIT)
        self.firehose_whole_bytes += _rounded(len(record.data), FIREHOSE_STEP)
        self.firehose_split_bytes += sum(_rounded(length, FIREHOSE_STEP) for length in lengths)
        self.by_shard[shard_id] += size

    def as_dict(self) -> dict[str, object]:
        """The figures, and what they come to.

        Whether Firehose meters an aggregate before or after taking it apart is not documented; both are
        given.
        """
        return {
            "forecast_records": self.records,
            "forecast_events": self.events,
            "forecast_on_demand_gb": round(self.on_demand_bytes / KIB**3, 6),
            "forecast_on_demand_ratio": round(self.on_demand_bytes / self.raw_bytes, 4)
            if self.raw_bytes
            else 0,
            "forecast_put_units": self.put_units,
            "forecast_firehose_gb_whole": round(self.firehose_whole_bytes / KIB**3, 6),
            "forecast_firehose_gb_split": round(self.firehose_split_bytes / KIB**3, 6),
            "forecast_busiest_shard_share": round(
                max(self.by_shard.values(), default=0) / max(1, self.by_shard.total()), 4
            ),
        }


def _rounded(size: int, step: int) -> int:
    return -(-size // step) * step

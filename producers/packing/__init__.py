"""Events to Kinesis records: aggregates or lines, one open record per shard (pure)."""

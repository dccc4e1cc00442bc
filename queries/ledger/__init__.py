"""Which report partitions are stale, and who computes them: the rules, the port, DynamoDB."""

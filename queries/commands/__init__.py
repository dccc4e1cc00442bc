"""The verbs `penstock reports`, `penstock query` and `penstock dlq`."""

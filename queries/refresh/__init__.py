"""Stale partitions to published reports: claim, compute, check, publish; sweep, seal, backfill."""

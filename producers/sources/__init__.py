"""Files, pipes and access logs as events."""

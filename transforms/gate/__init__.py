"""One record's bytes to exactly one outcome: a lake row, dropped, or failed with a reason (pure)."""

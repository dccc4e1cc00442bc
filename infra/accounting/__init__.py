"""The accounting identity: what was produced, landed, failed and dropped, by name."""

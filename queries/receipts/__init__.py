"""The receipt of a number: what one cell of a report was computed from, and what changed it."""

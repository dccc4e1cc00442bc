"""Trino's functions, by family: what is listed is answered, everything else is refused by name."""

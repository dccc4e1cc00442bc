"""What Athena charges for bytes scanned."""

FLOOR_BYTES = 10_000_000
"""Athena bills each query execution that scans data for at least this much."""
DOLLARS_PER_TERABYTE = 5.0
"""Athena's price on demand in most regions, for 10^12 bytes as Athena's meter counts them."""


def billed_bytes(scanned: int, statements: int = 1) -> int:
    """Bytes on the bill for `statements` query executions that scanned `scanned` in all."""
    return max(scanned, FLOOR_BYTES * statements) if scanned else 0


def dollars(billed: int) -> float:
    """The price of billed bytes."""
    return billed / 1e12 * DOLLARS_PER_TERABYTE


def human_bytes(count: int) -> str:
    """`1.2 MB`: three digits are enough for a person."""
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.3g} {unit}"

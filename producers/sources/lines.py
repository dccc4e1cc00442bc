"""Lines of a source, none of them longer than memory allows: a line that is too large is read over."""

import io
from collections.abc import Iterator
from typing import NamedTuple

LARGEST_LINE = (1 << 20) - 8192
"""Bytes: what a Kinesis record holds by default, less room for the envelope."""
SHOWN = 1 << 10


class Refused(NamedTuple):
    """A line or a row that cannot be an event: the text that is kept of it, and why. A damaged stretch of a
    table stands for as many `rows`.
    """

    text: str
    reason: str
    rows: int = 1


def lines(content: io.BufferedReader, limit: int = LARGEST_LINE) -> Iterator[bytes | Refused]:
    """Every line with its end, in order; in place of one with more than `limit` bytes, why it is refused."""
    readline = content.readline
    while line := readline(limit + 1):
        if len(line) <= limit:
            yield line
        else:
            yield too_large(line, len(line) + _rest_of_line(content, line, limit), limit)


def too_large(start: bytes, size: int, limit: int) -> Refused:
    """What is said of a line of `size` bytes that begins like this."""
    return Refused(
        start[:SHOWN].decode("utf-8", "replace"),
        f"too large: {size:,} bytes in one line, where {limit:,} are allowed. "
        "Only its beginning is kept; the file has the rest",
    )


def _rest_of_line(content: io.BufferedReader, line: bytes, limit: int) -> int:
    size = 0
    while line and not line.endswith(b"\n"):
        line = content.readline(limit)
        size += len(line)
    return size

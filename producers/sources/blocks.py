"""Whole lines of a source, a block at a time: as much as there is, so that a pipe does not wait for more."""

import io
from collections.abc import Iterator

from producers.sources.lines import LARGEST_LINE, Refused, too_large

_BLOCK = 1 << 20


def blocks(content: io.BufferedReader, limit: int = LARGEST_LINE) -> Iterator[bytes | Refused]:
    """Bytes that end where a line ends, in order; in place of a line that is still not ended after `limit`
    bytes, why it is refused.
    """
    rest = b""
    while read := content.read1(_BLOCK):
        data = rest + read
        cut = data.rfind(b"\n") + 1
        if cut:
            rest = data[cut:]
            yield data[:cut]
        elif len(data) <= limit:
            rest = data
        else:
            size, rest = _over(content, len(data))
            yield too_large(data, size, limit)
    if rest:
        yield rest


def _over(content: io.BufferedReader, size: int) -> tuple[int, bytes]:
    """Reads over the rest of a line; its size, and what was read behind it."""
    while read := content.read1(_BLOCK):
        cut = read.find(b"\n") + 1
        if cut:
            return size + cut, read[cut:]
        size += len(read)
    return size, b""


def block_lines(content: io.BufferedReader, limit: int = LARGEST_LINE) -> Iterator[list[bytes | Refused]]:
    """The same as lists of lines without their ends."""
    for block in blocks(content, limit):
        if isinstance(block, Refused):
            yield [block]
            continue
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        yield [line if len(line) <= limit else too_large(line, len(line), limit) for line in lines]

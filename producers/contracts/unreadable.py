"""A line of a source that could not be read as an event: sent all the same, so that it is kept and counted.

It travels in a proper envelope, so it has a name (`producer_id`, `epoch`, `seq`). No stream declares this
type, so the transformation always refuses it; `penstock failed` shows the line, where it stood and why.
"""

from producers.contracts.envelope import EventType, Payload


class UnreadableLine(Payload):
    """One line as it stood in the source (undecodable bytes as U+FFFD)."""

    line: str
    position: str
    reason: str


UNREADABLE_LINE = EventType(UnreadableLine, version=1, partition_key="position")

"""A line of a source that could not be read as an event: sent all the same, so that it is kept and counted.

It travels in a proper envelope, so it has a name (`producer_id`, `epoch`, `seq`). No stream declares this
type, so the transformation always refuses it; `penstock failed` shows the line, where it stood and why.
"""

from producers.contracts.envelope import EventType, Payload


class UnreadableLine(Payload):
    """One line as it stood in the source (undecodable bytes as U+FFFD).

    A row that was read by a source file (`source_name`) is there as JSON, so that the source can read it
    again when it has been changed; `column` is the one at fault.
    """

    line: str
    position: str
    reason: str
    source_name: str | None = None
    column: str | None = None


UNREADABLE_LINE = EventType(UnreadableLine, version=1, partition_key="position")

"""What has happened on the sockets, counted since the local server started."""

from dataclasses import asdict, dataclass


@dataclass
class Counts:
    """Counted in the server's event loop alone.

    Attributes:
        connections, subscriptions: open now.
        published: results of mutations that somebody may listen to.
        sent: messages with data, to all subscribers together.
        refused: requests and sockets of callers who are not known or may not ask.
        foreign: sockets that a page of another origin tried to open.
        malformed: frames that mean nothing.
        slow: sockets closed because their messages were not read.
        silent: sockets closed because nobody was at the other end any more, or never said a word.
        crowded: sockets and subscriptions refused because there were too many.
    """

    connections: int = 0
    subscriptions: int = 0
    published: int = 0
    sent: int = 0
    refused: int = 0
    foreign: int = 0
    malformed: int = 0
    slow: int = 0
    silent: int = 0
    crowded: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)

"""One line of a web server's combined access log, before it is an event of some stream."""

from datetime import datetime
from typing import NamedTuple


class AccessLogLine(NamedTuple):
    """The fields of the combined format; None where the log has `-`.

    Attributes:
        client_address: IPv4 or IPv6 address, or the host name that the server looked up.
        time: with the zone that was logged.
        target: the request target as logged; the whole request text when it is not an HTTP request line.
    """

    client_address: str
    user: str | None
    time: datetime
    method: str | None
    target: str
    status: int
    bytes_sent: int | None
    referrer: str | None
    user_agent: str | None

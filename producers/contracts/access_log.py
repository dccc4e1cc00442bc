"""One line of a web server's access log, before it is an event of some stream."""

from datetime import datetime
from typing import NamedTuple


class AccessLogLine(NamedTuple):
    """The fields of the combined format; None where the log has `-` or an empty text.

    Attributes:
        client_address: IPv4 or IPv6 address, or the host name that the server looked up.
        time: with the zone that was logged.
        target: the request target as logged; None when the client sent no request line (nothing at all, or
            the bytes of another protocol, such as TLS on a plain port).
    """

    client_address: str
    user: str | None
    time: datetime
    method: str | None
    target: str | None
    status: int
    bytes_sent: int | None
    referrer: str | None
    user_agent: str | None

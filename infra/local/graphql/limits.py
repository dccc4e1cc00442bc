"""How much one socket may hold, and how long it may be silent."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of the real-time endpoint. Seconds, bytes and counts.

    Attributes:
        request_seconds: for the headers of a request, from the connection on.
        begin_seconds: until the first message of a new socket.
        ping_seconds: how often a socket is asked whether it is there, and how long its answer may take.
        keep_alive_seconds: how often a `ka` is sent; `timeout_ms` is what clients are told to wait for one.
        frame_bytes: of one message of a client.
        queued_messages, queued_bytes: waiting for one socket; one more and it is closed.
        malformed: frames that a socket may send before it is closed.
        subscriptions: of one socket, as on AWS.
        connections: sockets at once.
    """

    request_seconds: float = 10.0
    begin_seconds: float = 15.0
    ping_seconds: float = 20.0
    keep_alive_seconds: float = 60.0
    timeout_ms: int = 300_000
    frame_bytes: int = 256 * 1024
    queued_messages: int = 1_000
    queued_bytes: int = 1024 * 1024
    malformed: int = 10
    subscriptions: int = 100
    connections: int = 500

"""What the simulator asks of a stream: plausible things that happen, before they are events."""

from collections.abc import Callable, Iterator
from importlib import import_module
from random import Random
from typing import TypeAlias

from msgspec import Struct

from producers.contracts import EventType, Payload, Stream


class Happening(Struct, frozen=True, gc=False):
    """Something that simulated traffic brings about: an event before it has an envelope."""

    time_ms: int
    event_type: EventType
    payload: Payload


Traffic: TypeAlias = Callable[[Random, int, int, int], Iterator[Happening]]
"""(random source, how many, start, span) -> at least so many happenings, in order of time.

Start and span are in milliseconds (the start since 1970); the times of the first `how many` lie in the span.
"""


def traffic_of(stream: Stream) -> Traffic:
    """The stream's own traffic, imported from where the stream says it is.

    Raises:
        ValueError: the stream declares none.
    """
    if stream.traffic is None:
        raise ValueError(f"Stream {stream.name!r} declares no traffic to simulate.")
    module, _, function = stream.traffic.partition(":")
    found: Traffic = getattr(import_module(module), function)
    return found

"""What the simulator asks of a stream: plausible things that happen, before they are events."""

from collections.abc import Callable, Iterator
from importlib import import_module
from random import Random
from typing import TypeAlias

from msgspec import Struct

from producers.contracts import EventType, Payload, Stream


class NoTrafficError(LookupError):
    """A stream declares nothing that could be simulated."""


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

    A name with a dot in front (`._traffic:traffic`) is that of a file beside the stream's own.

    Raises:
        NoTrafficError: the stream declares none.
    """
    if stream.traffic is None:
        raise NoTrafficError(
            f"The stream {stream.name!r} has no simulator. Declare its traffic (docs/projects.md), or send "
            "events of your own: penstock produce replay FILE, penstock demo --from FILE."
        )
    module, _, function = stream.traffic.partition(":")
    beside = stream.event_types[0].payload.__module__.rpartition(".")[0]
    found: Traffic = getattr(import_module(module, beside), function)
    return found

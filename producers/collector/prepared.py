"""An event of a request between reading and sending: what it will be, but for its place (pure)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

_LONGEST_AGENT = 1024


class Fault(NamedTuple):
    """What is wrong with an event: a code for programs, the member at fault, and a sentence."""

    code: str
    field: str
    detail: str


class Prepared(NamedTuple):
    """An event that is ready but for its place in the sequence.

    Attributes:
        head, tail: its bytes before and behind the place; `tail` is empty for one that has its own place,
            which the collector does not number.
        key: its partition key.
        fault: why it will be a failed record; None when it keeps its contract.
    """

    head: bytes
    tail: bytes
    key: str
    fault: Fault | None


class At(NamedTuple):
    """Where an event stood."""

    request_id: str
    place: int


class Sender(NamedTuple):
    """What an event takes from the request that it came in, each as JSON text."""

    address: bytes
    agent: bytes


class Moment(NamedTuple):
    """The time of a request, and what follows from it for the times of its events."""

    now: datetime
    text: bytes
    oldest: datetime
    latest: datetime


def sender_of(address: str, agent: str) -> Sender:
    """As `Preparing` takes it; empty where the request says nothing."""
    return Sender(
        msgspec.json.encode(address) if address else b"",
        msgspec.json.encode(agent[:_LONGEST_AGENT]) if agent else b"",
    )


def faults_of(events: Sequence[Prepared]) -> list[dict[str, Any]]:
    """The events that are kept as failed records, as the answer lists them."""
    return [
        {"index": index, "code": event.fault.code, "field": event.fault.field, "detail": event.fault.detail}
        for index, event in enumerate(events)
        if event.fault is not None
    ]

"""Tickets that nobody wrote, for `penstock demo` and `penstock produce simulate`."""

from collections.abc import Iterator
from random import Random
from typing import Literal

from penstock.simulation import Happening

from .support import TICKET_CLOSED, TICKET_OPENED, TicketClosed, TicketOpened

MINUTE_MS = 60_000
TOPICS: tuple[Literal["account", "billing", "delivery", "other"], ...] = (
    "account",
    "billing",
    "delivery",
    "other",
)
CHANNELS: tuple[Literal["email", "chat", "phone"], ...] = ("email", "chat", "phone")


def tickets(random: Random, count: int, start_ms: int, span_ms: int) -> Iterator[Happening]:
    """`count` happenings within the span, in order of time; the same random source, the same ones."""
    for number in range(count):
        time_ms = start_ms + span_ms * number // count
        ticket_id = f"t-{start_ms // MINUTE_MS}-{number // 2}"
        topic = TOPICS[number // 2 % len(TOPICS)]
        if number % 2 == 0:
            channel = random.choice(CHANNELS)
            opened = TicketOpened(
                ticket_id=ticket_id, topic=topic, channel=channel, user_id=f"u-{number % 97}"
            )
            yield Happening(time_ms, TICKET_OPENED, opened)
        else:
            closed = TicketClosed(
                ticket_id=ticket_id,
                topic=topic,
                open_minutes=random.randint(1, 300),
                rating=random.choice((None, 2, 3, 4, 5)),
            )
            yield Happening(time_ms, TICKET_CLOSED, closed)

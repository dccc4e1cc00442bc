"""Tickets that nobody wrote, for `penstock demo` and `penstock produce simulate`."""

from collections.abc import Iterator
from random import Random

from penstock.simulation import Happening

from .support import TICKET_CLOSED, TICKET_OPENED, TicketClosed, TicketOpened

MINUTE_MS = 60_000


def tickets(random: Random, count: int, start_ms: int, span_ms: int) -> Iterator[Happening]:
    """`count` happenings within the span, in order of time; the same random source, the same ones."""
    for number in range(count):
        time_ms = start_ms + span_ms * number // count
        ticket_id = f"t-{start_ms // MINUTE_MS}-{number // 2}"
        topic = ("account", "billing", "delivery", "other")[number // 2 % 4]
        if number % 2 == 0:
            channel = random.choice(("email", "chat", "phone"))
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

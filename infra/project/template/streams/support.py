"""The `support` stream: tickets of a help desk, as its application reports them."""

from datetime import timedelta
from typing import Annotated, Literal

from msgspec import Meta

from penstock.contracts import EventType, Identifier, Payload, ShortText, Stream, UserId


class TicketOpened(Payload):
    """Somebody asked for help."""

    ticket_id: Identifier
    topic: Literal["account", "billing", "delivery", "other"]
    channel: Literal["email", "chat", "phone"]
    subject: ShortText | None = None
    user_id: UserId | None = None  # personal: the lake holds a pseudonym in its place


class TicketClosed(Payload):
    """The ticket was answered for good."""

    ticket_id: Identifier
    topic: Literal["account", "billing", "delivery", "other"]
    open_minutes: Annotated[int, Meta(ge=0, le=525_600)]
    rating: Annotated[int, Meta(ge=1, le=5)] | None = None


TICKET_OPENED = EventType(TicketOpened, version=1, partition_key="ticket_id")
TICKET_CLOSED = EventType(TicketClosed, version=1, partition_key="ticket_id")

STREAM = Stream(
    name="support",
    event_types=(TICKET_OPENED, TICKET_CLOSED),
    allowed_lateness=timedelta(hours=6),
    traffic="._simulated:tickets",
)

"""The `web` stream: what visitors of a shop do, as its web servers and pages report it."""

from datetime import timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from producers.contracts.access_log import AccessLogLine
from producers.contracts.envelope import EventType, Payload
from producers.contracts.fields import (
    ClientAddress,
    Count,
    Currency,
    HttpStatus,
    Identifier,
    Milliseconds,
    Minor,
    PageUrl,
    ShortText,
    Url,
    UserAgent,
    UserId,
)
from producers.contracts.stream import Stream


class PageViewed(Payload, kw_only=True):
    """A page or a file was requested, and answered."""

    url: PageUrl | None = None  # None where a client sent no request line, and was answered all the same
    client_address: ClientAddress
    status: HttpStatus
    referrer: Url | None = None
    user_agent: UserAgent | None = None
    user_id: UserId | None = None
    bytes_sent: Count | None = None
    duration_ms: Milliseconds | None = None


class ProductViewed(Payload):
    """A visitor looked at one product."""

    product_id: Identifier
    client_address: ClientAddress
    category: ShortText | None = None
    price_minor: Minor | None = None
    currency: Currency | None = None
    user_id: UserId | None = None


class CartUpdated(Payload):
    """A visitor changed how many of a product are in the cart."""

    cart_id: Identifier
    product_id: Identifier
    client_address: ClientAddress
    action: Literal["added", "removed"]
    quantity: Annotated[int, Meta(ge=1, le=10_000)]
    user_id: UserId | None = None


class OrderItem(Struct, kw_only=True, omit_defaults=True, gc=False):
    """One line of an order."""

    product_id: Identifier
    quantity: Annotated[int, Meta(ge=1, le=10_000)]
    price_minor: Minor


class OrderPlaced(Payload):
    """A visitor bought what was in the cart."""

    order_id: Identifier
    client_address: ClientAddress
    items: Annotated[list[OrderItem], Meta(min_length=1, max_length=500)]
    total_minor: Minor
    currency: Currency
    user_id: UserId | None = None


class Heartbeat(Payload):
    """A server is alive. Counted by the transformation, and not kept."""

    host: Identifier
    uptime_seconds: Count


PAGE_VIEWED = EventType(PageViewed, version=1, partition_key="client_address")
PRODUCT_VIEWED = EventType(ProductViewed, version=1, partition_key="client_address")
CART_UPDATED = EventType(CartUpdated, version=1, partition_key="client_address")
ORDER_PLACED = EventType(OrderPlaced, version=1, partition_key="client_address")
HEARTBEAT = EventType(Heartbeat, version=1, partition_key="host", delivered=False)


def _access_log_event(line: AccessLogLine) -> tuple[EventType, Payload]:
    """A request that a web server logged: its target, as logged, is the page."""
    page = PageViewed(
        url=line.target,
        client_address=line.client_address,
        status=line.status,
        referrer=line.referrer,
        user_agent=line.user_agent,
        user_id=line.user,
        bytes_sent=line.bytes_sent,
    )
    return PAGE_VIEWED, page


STREAM = Stream(
    name="web",
    plain_names=True,
    event_types=(PAGE_VIEWED, PRODUCT_VIEWED, CART_UPDATED, ORDER_PLACED, HEARTBEAT),
    allowed_lateness=timedelta(hours=6),
    traffic="producers.simulation.web_traffic:traffic",
    access_log_event=_access_log_event,
)

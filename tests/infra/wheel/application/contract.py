"""The stream that the service sends to, as its own module declares it."""

from datetime import timedelta

from penstock.contracts import Count, EventType, Identifier, Payload, Stream


class OrderCounted(Payload):
    """The service counted the orders of a producer."""

    producer: Identifier
    orders: Count


ORDER_COUNTED = EventType(OrderCounted, version=1, partition_key="producer")
STREAM = Stream(name="buying", event_types=(ORDER_COUNTED,), allowed_lateness=timedelta(hours=1))

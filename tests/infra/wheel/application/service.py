"""Counts the service's orders, and sends what it counted."""

from contract import OrderCounted
from queries.orders import orders

from penstock import Producer


def send(producer: Producer) -> int:
    """Send one event for each producer of the service; returns how many."""
    counted = orders()
    for name, count in counted.items():
        producer.put(OrderCounted(producer=name, orders=count))
    return len(counted)

"""The service's own tests: its packages are its own, and the events are those that Penstock would send."""

import json
from typing import Any

import queries.orders
import service
from penstock.producers.sinks.memory import MemorySink, even_shards
from penstock.producers.sinks.port import SinkRecord

from penstock import Producer


def test_the_service_sends_one_event_for_each_of_its_producers() -> None:
    sent: list[dict[str, Any]] = []

    def keep(shard: str, record: SinkRecord) -> None:
        sent.append(json.loads(record.data))

    with Producer("", sink=MemorySink(even_shards(1), keep), framing="none") as producer:
        assert service.send(producer) == 2
    counted = [event for event in sent if event["event_type"] == "order_counted"]
    assert [event["payload"]["producer"] for event in counted] == ["Sawmill", "Foundry"]


def test_the_services_packages_are_its_own() -> None:
    assert queries.orders.orders() == {"Sawmill": 1, "Foundry": 1}
    assert not hasattr(queries.orders, "Report")

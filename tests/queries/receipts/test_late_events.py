"""Late events and what they changed, for every report that ships: in the receipt, its JSON and its page."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import msgspec
import pytest

from infra.local.cloud import LocalCloud
from queries.receipts.cell import shown
from queries.receipts.page import receipt_page
from queries.receipts.text import receipt_lines
from tests.queries.receipts import traffic
from tests.queries.receipts.lab import Event, ReceiptLab
from tests.shop import CATALOG

pytestmark = pytest.mark.cloud

HOUR, DAY = "2024-11-24-10", "2024-11-24"
SOON = int(datetime(2024, 11, 24, 11, tzinfo=UTC).timestamp() * 1000)
LATER = int(datetime(2024, 11, 25, 9, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture(scope="module")
def lab(local_cloud: LocalCloud) -> Iterator[ReceiptLab]:
    """Every shipped report over an hour, published once before a third of its events came and once after."""
    made = ReceiptLab.on(local_cloud, CATALOG, "late-receipts")
    events = [each for each in traffic.shop_events(Random(7), 90) if each["event_time"][11:13] == "10"]
    made.put(HOUR, "first", events[:60], arrival_ms=SOON)
    made.publish()
    made.put(HOUR, "late", map(of_a_new_client, events[60:]), arrival_ms=LATER)
    made.publish()
    yield made


def of_a_new_client(sent: Event) -> Event:
    """Otherwise a number of visitors would stay as it was."""
    address = sent["payload"]["client_address"].replace("198.18.0.", "198.18.1.")
    return {**sent, "payload": {**sent["payload"], "client_address": address}}


def words(lab: ReceiptLab, report: str) -> list[str]:
    """The largest number of the report's first column."""
    declared = CATALOG[report].report
    column = next(each.name for each in declared.columns if each.name not in declared.keys)
    names = [*declared.keys, column]
    found = lab.lab.engine().rows(f"SELECT {', '.join(names)} FROM {report} ORDER BY {column} DESC LIMIT 1")
    (row,) = found.rows
    return [*(f"{name}={shown(value)}" for name, value in zip(declared.keys, row, strict=False)), column]


@pytest.mark.parametrize("report", CATALOG)
def test_a_receipt_tells_each_earlier_value_and_the_late_events_that_came_since(
    lab: ReceiptLab, report: str
) -> None:
    query = CATALOG[report]
    partition = HOUR if query.report.grain == "event_hour" else DAY
    asked = words(lab, report)
    receipt = lab.explain(query, partition, *asked)
    now, before = receipt.versions
    assert receipt.untraced == ""
    assert (now.came_since, now.late_since) == (0, 0)
    assert before.came_since == before.late_since == sum(each.late for each in receipt.groups) > 0
    assert now.value != before.value
    told = msgspec.json.decode(msgspec.json.encode(receipt))["versions"]
    assert [(each["value"], each["late_since"]) for each in told] == [
        (now.value, 0),
        (before.value, before.late_since),
    ]
    page = receipt_page(receipt, address="report=r")
    assert f'>{before.number}</a></td><td>{shown(before.value)}</td><td class="number">' in page
    assert f"?report=r&amp;diff={before.number}" in page
    line = f"{before.came_since} of the events came after it, {before.late_since} of them late"
    assert line in "\n".join(receipt_lines(receipt))

"""What of an hour failed or was dropped is what an independent count of the sent events says."""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from infra.accounting.evidence import Places
from infra.receipts.surroundings import TargetSurroundings
from queries.engine.port import Rows
from queries.receipts.around import Around
from tests.queries.events import event, page_viewed
from tests.shop import TABLE, TABLES
from tests.transforms.failed.memory_bucket import MemoryObjects, error_line
from transforms.function.batch import run
from transforms.function.marshal import as_dict, read_request
from transforms.gate.gate import Gate

HOURS = ("2026-11-23-23", "2026-11-24-00", "2026-11-24-01", "2026-11-24-02", "2026-11-25-00")
ARRIVAL_MS = int(datetime(2026, 11, 25, 1, tzinfo=UTC).timestamp() * 1000)
Event = dict[str, Any]


def sent(rng: Random) -> list[Event]:
    """Events of some hours: a third of them counted and not kept, a sixth with a status that is no number."""
    made = []
    for hour in HOURS:
        for number in range(1, 31):
            producer, kind = f"p-{rng.randrange(3)}", rng.random()
            if kind < 0.33:
                made.append(event("heartbeat", hour, number, producer, {"host": "h", "uptime_seconds": 5}))
            else:
                view = page_viewed(hour, number, producer=producer)
                if kind > 0.83:
                    view["payload"]["status"] = "poison"
                made.append(view)
    return made


class Logs:
    """A log of the transformation's lines."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)

    def get_paginator(self, _: str) -> "Logs":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"events": [{"message": line} for line in self.lines]}


class NoLake:
    def rows(self, sql: str, parameters: Any = ()) -> Rows:
        raise AssertionError(sql)


def transformed(batches: Iterable[list[Event]], failed: MemoryObjects) -> Iterator[str]:
    """The line of each batch, by the transformation itself; what it fails goes where Firehose puts it."""
    gate = Gate(TABLE, key_id="k1", key=bytes(32))
    for number, events in enumerate(batches):
        raws = [json.dumps(each).encode() for each in events]
        records = [
            {
                "recordId": str(at),
                "data": base64.b64encode(raw).decode(),
                "approximateArrivalTimestamp": ARRIVAL_MS,
            }
            for at, raw in enumerate(raws)
        ]
        batch, _ = run(read_request({"invocationId": "i", "records": records}), gate, as_dict())
        refused = [int(answer.recordId) for answer in batch.answers if answer.result == "ProcessingFailed"]
        body = b"\n".join(error_line(raws[at], ARRIVAL_MS) for at in refused)
        if body:
            failed.put(f"failed/processing-failed/dt=2026-11-25/{number}", body)
        yield json.dumps(batch.facts())


def looked(lines: Iterable[str], failed: MemoryObjects, start: str, hours: int) -> Around:
    places = Places(NoLake(), None, Logs(lines), "lake", ["transform"], [TABLE.name])
    found = TargetSurroundings(
        places, failed, list(TABLES.values()), {TABLE.stream.name: "transform"}, lambda: 5.0
    )
    begins = datetime.strptime(start, "%Y-%m-%d-%H").replace(tzinfo=UTC)
    return found.look([TABLE], (begins, begins + timedelta(hours=hours)), tuple)


def test_failed_and_dropped_of_hours_are_those_that_were_sent_however_often_they_came() -> None:
    rng = Random(26)
    events, failed = sent(rng), MemoryObjects()
    heartbeats = [each for each in events if each["event_type"] == "heartbeat"]
    rng.shuffle(events)
    batches = [events[at : at + 40] for at in range(0, len(events), 40)]
    lines = list(transformed([*batches, rng.sample(heartbeats, 10)], failed))
    for start, count in ((HOURS[0], 1), (HOURS[1], 1), (HOURS[1], 24)):
        found = looked(lines, failed, start, count)
        inside = [
            each
            for each in events
            if (hour := each["event_time"][:13].replace("T", "-")) == start
            or (count > 1 and hour[:10] == start[:10])
        ]
        dropped = Counter(each["event_time"][:13] for each in inside if each["event_type"] == "heartbeat")
        poison = Counter(
            each["event_time"][:13] for each in inside if each["payload"].get("status") == "poison"
        )
        told = {each.hour: (each.failed, each.dropped) for each in found.hours}
        assert told == {hour.replace("T", "-"): (poison[hour], dropped[hour]) for hour in {*dropped, *poison}}
        assert sum(each.records for each in found.refused) == poison.total() > 0
        assert (found.without_hour, found.dropped_without_hour) == (0, 0)


def test_dropped_events_of_a_log_that_tells_no_hours_are_counted_apart() -> None:
    line = json.dumps({"dropped": 3, "dropped_seqs": {"p-1/7": "3-5"}})
    found = looked([line], MemoryObjects(), HOURS[0], 1)
    assert (list(found.hours), found.dropped_without_hour) == ([], 3)

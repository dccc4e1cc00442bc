"""What goes wrong between a client and the stream, over the running cloud: every event is accounted for."""

import json
import os
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from tests.end_to_end.collector_rig import Environment, account, made_key, until, written
from tests.queries.cloud import Chain
from tests.shop import TABLE

pytestmark = pytest.mark.cloud

HOUR = (datetime.now(UTC) - timedelta(days=26)).replace(minute=7, second=0, microsecond=0)
"""No other test has events in it."""
BODIES = int(os.environ.get("PENSTOCK_TEST_BODIES", "60"))


def pages(name: str, count: int, *, url_bytes: int = 0, when: datetime = HOUR) -> list[dict[str, Any]]:
    """Page views with ids of their own, so that one that is sent again is the same event."""
    milliseconds = int(when.timestamp() * 1000)
    return [
        {
            "type": "page_viewed",
            "event_id": f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7000-8000-{Random(f'{name}{n}').getrandbits(48):012x}",
            "event_time": written(when),
            "payload": {"url": f"/{name}/{n}" + "u" * url_bytes, "status": 200, "client_address": "10.9.8.7"},
        }
        for n in range(count)
    ]  # fmt: skip


def test_every_event_is_accounted_for_whatever_refuses_ends_or_is_wrong(local_cloud: LocalCloud) -> None:
    chain = Chain.of(local_cloud)
    key, source = made_key(chain)
    first, second = Environment(chain, key), Environment(chain, key)

    # The table of keys is throttled at first: nothing is taken.
    first.table.is_throttled = True
    assert first.send(pages(f"{source}-throttled", 2))[0] == 503
    first.table.is_throttled = False
    assert first.send(pages(f"{source}-throttled", 2))[0] == 200
    # The stream refuses a request twice and recovers; then it refuses one for longer.
    first.sink.script = ["refuse", "refuse"]
    assert first.send(pages(f"{source}-recovers", 3))[0] == 200
    first.sink.script = ["refuse"] * 3
    assert first.send(pages(f"{source}-queue", 4))[0] == 200
    # It takes the first record of a large request and refuses the second.
    first.sink.script = ["take"] + ["refuse"] * 3
    assert first.send(pages(f"{source}-part", 235, url_bytes=3_900)) == (200, {"accepted": 235})
    # The queue is down too: nothing is taken, and the client sends again.
    first.sink.script, first.queue.is_down = ["refuse"] * 3, True
    down = pages(f"{source}-down", 5)
    status, told = first.send(down)
    assert (status, told["code"]) == (503, "unavailable")
    first.queue.is_down = False
    assert first.send(down)[0] == 200
    # The stream took them and its answer is lost, and the queue is down: both copies are on the stream.
    first.sink.script, first.queue.is_down = ["lose", "refuse", "refuse"], True
    lost = pages(f"{source}-lost", 6)
    assert first.send(lost)[0] == 503
    first.queue.is_down = False
    assert first.send(lost)[0] == 200
    # The environment ends between acknowledgement and answer: the client asks another one.
    ended = pages(f"{source}-ended", 7)
    assert first.send(ended)[0] == 200  # nobody sees this answer
    assert second.send(ended)[0] == 200
    # A client's clock is a day ahead.
    ahead = pages(f"{source}-ahead", 3, when=datetime.now(UTC) + timedelta(days=1))
    status, told = second.send(ahead)
    assert (status, [each["code"] for each in told["kept"]]) == (422, ["time_in_future"] * 3)
    second.send(pages(f"{source}-last", 1))
    first.close()
    second.close()

    whole = 2 + 3 + 4 + 235 + 5 + 6 + 7 + 1
    query = f"""
        SELECT count(*), count(DISTINCT event_id) FROM {TABLE.name}
        WHERE event_hour = '{HOUR:%Y-%m-%d-%H}' AND source = '{source}'
    """

    def landed() -> bool:
        chain.deliver()
        [(copies, distinct)] = chain.rows(query).rows
        return int(distinct) == whole and int(copies) >= whole + 6 + 7

    until(landed)
    names = {first.name, second.name}
    found = until(lambda: (told := account(chain, names)) and not told["missing"] and told)
    assert found["failed"] == 3
    assert found["produced"] == found["landed"] + found["failed"] + found["dropped"]


def test_whatever_bodies_are_sent_each_event_that_was_taken_landed_failed_or_was_dropped(
    local_cloud: LocalCloud,
) -> None:
    chain, random = Chain.of(local_cloud), Random(22)
    key, _ = made_key(chain)
    environment = Environment(chain, key)
    taken = 0
    for number in range(BODIES):
        body, media = _body(random, number)
        answer = environment.ask(body, media)
        assert answer.status < 500, (answer, body)
        told = json.loads(answer.body)
        if answer.status in (200, 207, 422):
            taken += told.get("accepted", 0) + len(told.get("kept", []))
    environment.close()
    assert taken > BODIES
    assert environment.collector.places.last_seq == taken

    def balanced() -> Any:
        chain.deliver()
        found = account(chain, {environment.name})
        return found if found["landed"] + found["failed"] + found["dropped"] >= _audited(found) > 0 else None

    def _audited(found: dict[str, int]) -> int:
        return found["produced"]

    found = until(balanced)
    assert found["missing"] == 0
    assert found["produced"] == found["landed"] + found["failed"] + found["dropped"] == taken
    assert min(found["landed"], found["failed"], found["dropped"]) > 0


def _body(random: Random, number: int) -> tuple[bytes, str]:
    """A body, most of them readable: events of all kinds and what is none."""
    events = [_event(random, number * 10 + n) for n in range(random.randrange(1, 6))]
    lines = b"\n".join(json.dumps(each).encode() for each in events)
    document = json.dumps({"events": events}).encode()
    kind = random.random()
    if kind < 0.05:
        return random.randbytes(random.randrange(60)), "application/json"
    if kind < 0.1:
        return document[: random.randrange(1, len(document))], "application/json"
    if kind < 0.15:
        return lines[: random.randrange(1, max(2, len(lines)))], "application/x-ndjson"
    return (
        (lines, "application/x-ndjson")
        if kind < 0.4
        else (document, random.choice(["text/plain", "application/json"]))
    )


def _event(random: Random, number: int) -> Any:
    page = {"url": f"/random/{number}", "status": 200, "client_address": "10.9.8.7"}
    when = written(HOUR + timedelta(seconds=number % 600))
    return random.choice(
        [
            {"type": "page_viewed", "event_time": when, "payload": page},
            {"type": "page_viewed", "event_time": when, "payload": page},
            {"type": "heartbeat", "event_time": when, "payload": {"host": "web-1", "uptime_seconds": number}},
            {
                "type": "page_viewed",
                "event_time": when,
                "payload": {**page, "status": random.choice([5, "x", None])},
            },
            {"type": "page_viewed", "event_time": "2001-01-01T00:00:00Z", "payload": page},
            {"type": random.choice(["nothing", 5, None]), "event_time": when, "payload": page},
            {"type": "page_viewed", "payload": page, "extra": number},
            random.choice([None, 5, "text", [], [page]]),
        ]
    )


def test_a_disabled_key_stops_when_what_is_remembered_of_it_has_expired(local_cloud: LocalCloud) -> None:
    from producers.collector.keys import WriteKey, digest_of
    from producers.keys.store import KeyStore

    chain = Chain.of(local_cloud)
    key, source = made_key(chain)
    environment = Environment(chain, key, key_seconds=0.5)
    assert environment.send(pages(f"{source}-before", 1))[0] == 200
    store = KeyStore(chain.client("dynamodb"), chain.outputs.write_keys_table)
    store.put(digest_of(key), WriteKey(source=source, streams=("web",), disabled=True), is_new=False)
    until(lambda: environment.send(pages(f"{source}-after", 1))[1].get("code") == "disabled_key", 20)
    environment.close()

"""What the collector answers, and what is then on the stream."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from producers.collector.messages import Answer
from producers.packing.aggregation import deaggregate
from tests.producers.collector.world import KEY, NOW, PAGE, World


def code(answer: Answer) -> str:
    return str(json.loads(answer.body)["code"])


def test_every_event_is_on_the_stream_before_it_is_acknowledged() -> None:
    world = World()
    answer = world.send({"events": [PAGE] * 3})
    assert (answer.status, answer.body) == (200, b'{"accepted":3}')
    *pages, audit = world.events()
    assert [event["seq"] for event in pages] == [1, 2, 3]
    assert {event["event_type"] for event in pages} == {"page_viewed"}
    assert audit["payload"] == {"producer": "collector-1", "last_seq": 3}


def test_a_request_is_one_record_with_the_hash_key_of_each_event() -> None:
    world = World()
    world.send({"events": [PAGE, {**PAGE, "payload": {**PAGE["payload"], "client_address": "10.9.9.9"}}]})  # type: ignore[dict-item]
    [record] = world.stream.taken
    inside = deaggregate(record.data)
    assert {each.explicit_hash_key for each in inside} == {record.explicit_hash_key}
    assert [each.partition_key for each in inside][:2] == ["10.1.2.3", "10.9.9.9"]


def test_what_a_payload_leaves_out_comes_from_the_request_and_what_it_says_stays() -> None:
    world = World()
    bare = {"type": "page_viewed", "payload": {"url": "/", "status": 200}}
    world.send({"events": [bare, PAGE]})
    first, second, _ = world.events()
    assert first["payload"] == {
        "url": "/",
        "status": 200,
        "client_address": "192.0.2.7",
        "user_agent": "tests",
    }
    assert second["payload"] == {**PAGE["payload"], "user_agent": "tests"}  # type: ignore[dict-item]


def test_an_event_time_comes_from_the_event_or_its_id_and_never_from_the_request() -> None:
    world = World()
    made = datetime(2025, 11, 30, 10, tzinfo=UTC)
    milliseconds = int(made.timestamp() * 1000)
    event_id = f"{milliseconds:012x}"
    event_id = f"{event_id[:8]}-{event_id[8:]}-7000-8000-000000000001"
    given = {**PAGE, "event_time": "2025-11-30T12:00:00.25+01:00"}
    world.send({"events": [{**PAGE, "event_id": event_id}, given]})
    assert [event["event_time"] for event in world.events()[:2]] == [
        "2025-11-30T10:00:00.000Z",
        "2025-11-30T11:00:00.250Z",
    ]


def test_an_envelope_passes_as_it_came_where_the_key_allows_it() -> None:
    envelope = {
        "event_type": "page_viewed", "event_id": "0193b7a0-0000-7000-8000-000000000001", "schema_version": 1,
        "event_time": "2025-11-30T10:00:00.000Z", "source": "app", "producer_id": "till-7", "epoch": 5, "seq": 42,
        "payload": PAGE["payload"],
    }  # fmt: skip
    world = World()
    assert code(world.send({"events": [envelope]})) == "envelopes_not_allowed"
    assert not world.stream.taken
    world = World(envelopes=True)
    assert world.send({"events": [envelope]}).status == 200
    assert world.events() == [envelope]
    assert world.places.last_seq == 0


def test_events_that_break_the_contract_are_kept_named_and_on_the_stream() -> None:
    world = World()
    broken: list[Any] = [{**PAGE, "payload": {"status": 99}}, 5, {**PAGE, "typ": 1}]
    answer = world.send({"events": [PAGE, *broken]})
    told = json.loads(answer.body)
    assert (answer.status, told["accepted"]) == (207, 1)
    assert [(each["index"], each["code"], each["field"]) for each in told["kept"]] == [
        (1, "invalid", "payload.status"),
        (2, "unreadable", ""),
        (3, "unknown_member", "typ"),
    ]
    page, invalid, line, member, _ = world.events()
    assert [page["seq"], invalid["seq"], line["seq"], member["seq"]] == [1, 2, 3, 4]
    assert invalid["payload"]["status"] == 99  # type: ignore[index]
    assert line["payload"]["line"] == "5"  # type: ignore[index]
    assert member["event_type"] == "unreadable_line"


def test_a_body_without_a_valid_event_is_refused_and_kept_all_the_same() -> None:
    world = World()
    answer = world.send({"events": [5]})
    assert (answer.status, code(answer)) == (422, "nothing_valid")
    assert len(world.seqs()) == 1


@pytest.mark.parametrize(("days", "expected"), [(1, "time_in_future"), (-31, "time_too_old"), (-1, None)])
def test_a_clock_that_is_wrong_is_answered_and_its_events_are_kept(days: int, expected: str | None) -> None:
    world = World()
    when = datetime.fromtimestamp(NOW, UTC) + timedelta(days=days)
    answer = world.send({"events": [PAGE, {**PAGE, "event_time": when.isoformat()}]})
    assert [each["code"] for each in json.loads(answer.body).get("kept", [])] == (
        [expected] if expected else []
    )
    assert len(world.seqs()) == 2


def test_compressed_lines_are_read_and_a_text_that_is_compressed_is_refused() -> None:
    lines = b"\n".join([json.dumps(PAGE).encode()] * 4)
    for media in ("application/x-ndjson", "application/octet-stream"):
        world = World()
        assert world.send(gzip.compress(lines), media).body == b'{"accepted":4}'
    garbled = gzip.compress(lines).decode("utf-8", "replace").encode()
    answer = World().send(garbled, "application/json")
    assert (answer.status, code(answer)) == (415, "compressed_text")


def test_a_bomb_is_refused_without_being_unpacked() -> None:
    answer = World().send(gzip.compress(b" " * 50_000_000), "application/octet-stream")
    assert (answer.status, code(answer)) == (413, "body_too_large")


def test_a_stream_that_recovers_within_two_seconds_gets_the_record_at_its_first_places() -> None:
    world = World()
    world.stream.script = ["refuse", "refuse"]
    assert world.send({"events": [PAGE]}).status == 200
    assert world.seqs() == [(int(NOW * 1000), 1)]
    assert world.stream.calls == 3
    assert not world.queue.sent


def test_what_the_stream_refuses_goes_to_the_queue_and_its_places_are_taken() -> None:
    world = World()
    world.stream.script = ["refuse"] * 3
    assert world.send({"events": [PAGE] * 2}).status == 200
    [(stream, record)] = world.queue.sent
    assert stream == "web"
    assert len(deaggregate(record.data)) == 3
    world.send({"events": [PAGE]})
    assert world.seqs() == [(int(NOW * 1000), 3)]


def test_without_stream_and_queue_nothing_is_taken_and_no_place_is_used() -> None:
    world = World()
    world.queue.room = 0
    world.stream.script = ["refuse"] * 3
    answer = world.send({"events": [PAGE] * 2})
    assert (answer.status, code(answer), answer.headers["retry-after"]) == (503, "unavailable", "5")
    world.send({"events": [PAGE] * 2})
    assert world.seqs() == [(int(NOW * 1000), 1), (int(NOW * 1000), 2)]
    assert world.events()[-1]["payload"] == {"producer": "collector-1", "last_seq": 2}


def test_after_an_answer_that_was_lost_and_a_queue_that_is_down_another_sequence_begins() -> None:
    world = World()
    world.queue.room = 0
    world.stream.script = ["lost", "down", "down"]
    assert world.send({"events": [PAGE]}).status == 503
    assert world.send({"events": [PAGE]}).status == 200
    (first, one), (second, other) = world.seqs()
    assert (one, other) == (1, 1)
    assert second > first


def test_a_queue_that_fails_amid_a_large_request_says_how_many_it_took() -> None:
    world = World()
    world.queue.room = 1
    world.stream.script = ["refuse"] * 3
    large = {**PAGE, "payload": {**PAGE["payload"], "url": "/" + "a" * 4000}}  # type: ignore[dict-item]
    answer = world.send({"events": [large] * 100})
    told = json.loads(answer.body)
    assert answer.status == 503
    assert told["accepted"] == len(deaggregate(world.queue.sent[0][1].data)) == world.places.last_seq
    world.send({"events": [large] * (100 - told["accepted"])})
    assert [seq for _, seq in world.seqs()] == list(range(told["accepted"] + 1, 101))


def test_health_is_of_the_function_and_readiness_of_the_stream() -> None:
    world = World()
    assert world.send(b"", path="/v1/health", method="GET").status == 200
    assert world.send(b"", path="/v1/ready", method="GET").status == 200
    world.stream.script = ["down"]
    assert world.send(b"", path="/v1/health", method="GET").status == 200
    assert world.send(b"", path="/v1/ready", method="GET").status == 503


def test_problems_say_what_where_and_which_request_and_quote_no_key() -> None:
    world = World()
    answer = world.send({"events": [PAGE]}, x_write_key="pk_somebody-elses")
    told = json.loads(answer.body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert told.keys() >= {"type", "title", "status", "detail", "code", "request_id"}
    assert told["request_id"] == "request-1"
    assert b"somebody" not in answer.body
    assert KEY.encode() not in answer.body


def test_a_document_that_is_written_over_many_lines_gives_events_of_one_line() -> None:
    world = World(envelopes=True)
    assert (
        world.send(json.dumps({"events": [PAGE, 5]}, indent=2).replace("\n", "\r\n").encode()).status == 207
    )
    [record] = world.stream.taken
    assert all(b"\n" not in each.data and b"\r" not in each.data for each in deaggregate(record.data))

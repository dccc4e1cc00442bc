"""What the worker makes of deliveries: events, duplicates, refusals, and what it leaves in the queue."""

import json
from dataclasses import replace
from typing import Any

import pytest

from producers.hooks.message import read_message
from producers.packing.codec import decoder
from producers.sources.repair import SourceRepair
from tests.producers.hooks.world import (
    NOW_MS,
    World,
    definitions,
    github,
    partner,
    record,
    stripe,
    text,
)
from tests.shop import WEB

ORDER = text("stripe_checkout")
PUSH = text("github_push")


def order(number: int) -> str:
    return json.dumps(json.loads(ORDER) | {"id": f"evt_{number}"})


def paid(number: int, *, message_id: str = "", **more: Any) -> dict[str, Any]:
    body = order(number)
    return record("stripe", body, stripe(body), message_id=message_id or f"m{number}", **more)


def pushed(body: str = PUSH, delivery: str = "72d3162e-cc78-11e3-81ab-4c9367dc0958") -> dict[str, Any]:
    return record("github", body, github(body), delivery=delivery, kind="push")


def test_a_paid_order_of_stripe_is_an_order_of_the_stream() -> None:
    world = World()
    outcome = world.handle(record("stripe", ORDER, stripe(ORDER)))
    assert (outcome.retry, outcome.counts["put"]) == ([], 1)
    [event] = world.events()
    assert decoder(WEB).decode(json.dumps(event).encode()).payload.total_minor == 3998
    assert (event["event_type"], event["source"], event["seq"]) == ("order_placed", "stripe", 1)
    assert event["event_time"] == "2025-11-30T10:54:20.000Z"
    assert event["payload"]["items"] == [{"product_id": "p-7", "quantity": 2, "price_minor": 1999}]


def test_a_push_of_github_keeps_its_time_and_is_named_by_its_delivery() -> None:
    world = World()
    world.handle(pushed())
    [event] = world.events()
    assert (event["payload"]["url"], event["event_time"]) == (
        "https://github.com/example/shop",
        "2025-11-30T10:55:00.000Z",
    )
    again = World()
    again.handle(pushed())
    other = World()
    other.handle(pushed(delivery="another"))
    assert again.events()[0]["event_id"] == event["event_id"] != other.events()[0]["event_id"]


def test_what_where_leaves_out_is_done_and_nothing_is_sent() -> None:
    world, ping, charge = World(), text("github_ping"), text("stripe_other")
    outcome = world.handle(
        record("github", ping, github(ping), delivery="d1", kind="ping", message_id="m1"),
        record("stripe", charge, stripe(charge), message_id="m2"),
    )
    assert (outcome.retry, outcome.counts["left_out"], world.taken) == ([], 2, [])
    assert all(claim.is_done for claim in world.claims.values())


def test_a_delivery_by_a_generic_scheme_is_taken() -> None:
    world, body = World(), '{"url":"/x","at":"2025-11-30T10:00:00Z"}'
    world.handle(record("partner", body, partner(body), delivery="42"))
    assert world.events()[0]["payload"]["url"] == "/x"


def test_copies_count_once_in_one_batch_and_in_two() -> None:
    world = World()
    outcome = world.handle(paid(1, message_id="a"), paid(1, message_id="b"), paid(2))
    assert (outcome.counts["put"], outcome.counts["duplicate"]) == (2, 1)
    assert world.handle(paid(1, message_id="c")).counts["duplicate"] == 1
    assert len(world.events()) == 2


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (record("stripe", ORDER, stripe(ORDER, secret="another")), "bad_signature"),
        (record("stripe", ORDER, ""), "bad_signature"),
        (record("stripe", ORDER + " ", stripe(ORDER)), "bad_signature"),
        (record("nobody", ORDER, stripe(ORDER)), "unknown_source"),
        (record("", ORDER, stripe(ORDER)), "not_from_the_gateway"),
        ({"messageId": "m1", "body": "{}", "attributes": {"SentTimestamp": "1"}}, "not_from_the_gateway"),
        (pushed("[1"), "unreadable_body"),
        (pushed("[]"), "unreadable_body"),
        (pushed("payload=%7B%7D"), "unreadable_body"),
        (pushed('{"a":"\\ud800"}'), "unreadable_body"),
        (pushed("[" * 100_000), "unreadable_body"),
        (pushed(delivery=""), "no_delivery_id"),
        (pushed(delivery="x" * 201), "no_delivery_id"),
        (record("stripe", "{}", stripe("{}")), "no_delivery_id"),
        (record("stripe", '{"id":null}', stripe('{"id":null}')), "no_delivery_id"),
    ],
)
def test_what_is_refused_is_kept_with_its_reason_and_leaves_the_queue(
    message: dict[str, Any], reason: str
) -> None:
    world = World()
    outcome = world.handle(message, paid(1))
    assert (outcome.retry, world.reasons(), outcome.counts[reason]) == ([], [reason], 1)
    assert world.refused[0][0].body == message["body"]
    assert len(world.events()) == 1


def test_a_body_that_the_sql_cannot_read_is_a_failed_record_that_a_changed_source_repairs() -> None:
    world = World()
    broken = json.loads(order(1))
    broken["data"]["object"]["amount_total"] = "much"
    body = json.dumps(broken)
    outcome = world.handle(record("stripe", body, stripe(body)), paid(2))
    assert (outcome.retry, outcome.counts["failed"], outcome.counts["put"]) == ([], 1, 1)
    [failed] = [each for each in world.events() if each["event_type"] == "unreadable_line"]
    assert (failed["payload"]["column"], failed["event_time"]) == ("total_minor", "2025-11-30T10:55:00.000Z")
    assert json.loads(failed["payload"]["line"])["data"] == broken["data"]
    definition = replace(
        definitions()["stripe"],
        statement=definitions()["stripe"].statement.replace("data->>'$.object.amount_total'", "0"),
    )
    repaired = SourceRepair(definition, WEB)(json.dumps(failed).encode())
    assert repaired is not None
    assert decoder(WEB).decode(repaired).payload.total_minor == 0


@pytest.mark.parametrize("said", ["refuse", "down", "lost"])
def test_what_the_stream_does_not_take_comes_again_under_the_same_id_and_time(said: str) -> None:
    world = World(script=[said])
    message = pushed(text("github_push").replace('"timestamp"', '"no_timestamp"'))
    assert world.handle(message).retry == ["m1"]
    later = {**message, "messageAttributes": {**message["messageAttributes"]}}
    later["messageAttributes"]["received_at"] = {
        "dataType": "String",
        "stringValue": f"={NOW_MS + 7_200_000}",
    }
    assert world.handle(later).counts["put"] == 1
    named = {(each["event_id"], each["event_time"]) for each in world.events()}
    assert named == {(world.events()[0]["event_id"], "2025-11-30T10:55:00.000Z")}


def test_a_worker_whose_put_is_ambiguous_gives_no_place_twice() -> None:
    world = World(script=["lost"])
    worker = world.worker()
    assert worker.handle([paid(1)]).retry == ["m1"]
    assert worker.handle([paid(1)]).retry == []
    places = [(each["producer_id"], each["epoch"], each["seq"]) for each in world.events()]
    assert len(set(places)) == 2


def test_a_table_or_queue_that_does_not_answer_leaves_messages_in_the_queue() -> None:
    world = World(is_table_down=True)
    assert world.handle(paid(1)).retry == ["m1"]
    world = World(is_queue_full=True)
    assert world.handle(record("stripe", ORDER, "")).retry == ["m1"]


def test_events_that_are_put_but_cannot_be_marked_are_not_sent_again() -> None:
    world = World()
    worker = world.worker()
    claim = world.claim

    def then_down(source: str, delivery: str, received_ms: int) -> Any:
        found = claim(source, delivery, received_ms)
        world.is_table_down = True
        return found

    world.claim = then_down  # type: ignore[method-assign]
    outcome = worker.handle([paid(1)])
    assert (outcome.retry, outcome.counts["put"], outcome.counts["not_marked"]) == ([], 1, 1)


def test_a_new_secret_is_found_when_a_signature_is_unknown_and_not_at_every_one() -> None:
    world = World()
    worker = world.worker()
    worker.handle([paid(1)])
    world.secrets["stripe"] = {"new": "whsec_new"}
    body = order(2)
    message = record("stripe", body, stripe(body, secret="whsec_new"))
    assert worker.handle([message]).counts["bad_signature"] == 1
    world.now += 10
    assert worker.handle([message]).counts["put"] == 1
    assert worker.handle([paid(3)]).counts["bad_signature"] == 1  # the old one is valid no more


def test_sql_that_does_not_fit_waits_for_a_person_and_holds_up_no_other_source() -> None:
    world = World(instead={"partner": "SELECT nothing AS url FROM file"})
    body = '{"url":"/x","at":"2025-11-30T10:00:00Z"}'
    outcome = world.handle(record("partner", body, partner(body), delivery="1", message_id="p"), paid(1))
    assert (outcome.retry, len(outcome.faults), outcome.counts["put"]) == (["p"], 1, 1)


def test_nothing_of_a_message_is_believed_that_is_longer_or_other_than_it_should_be() -> None:
    message = record("stripe", ORDER, "x", received_ms=5)
    message["messageAttributes"]["received_at"]["stringValue"] = "=" + "9" * 400
    assert read_message(message).received_ms == 5

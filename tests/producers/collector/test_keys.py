"""Who may send what, how much of it, and for how long a look at a key holds."""

import base64
import json

import pytest

from producers.collector.keys import digest_of, new_key, origin_of
from producers.collector.messages import Answer
from tests.producers.collector.world import KEY, PAGE, World

BODY = {"events": [PAGE]}


def code(answer: Answer) -> str:
    return str(json.loads(answer.body)["code"])


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"x_write_key": KEY}, {}),
        ({"x_write_key": "", "authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}, {}),
        ({"x_write_key": ""}, {"k": KEY}),
    ],
)
def test_a_key_comes_as_header_as_user_or_as_parameter(
    headers: dict[str, str], query: dict[str, str]
) -> None:
    assert World().send(BODY, query=query, **headers).status == 200


@pytest.mark.parametrize(
    ("header", "status", "expected"),
    [("", 401, "no_key"), ("pk_other", 401, "unknown_key"), ("\udcff", 401, "unknown_key")],
)
def test_without_a_known_key_nothing_is_read(header: str, status: int, expected: str) -> None:
    world = World()
    answer = world.send(b"not even JSON", x_write_key=header)
    assert (answer.status, code(answer)) == (status, expected)


def test_a_disabled_key_is_served_for_a_minute_at_most() -> None:
    world = World()
    assert world.send(BODY).status == 200
    world.allow(disabled=True)
    world.now += 59
    assert world.send(BODY).status == 200
    world.now += 1.1
    answer = world.send(BODY)
    assert (answer.status, code(answer)) == (403, "disabled_key")


def test_an_unknown_key_is_looked_up_again_after_ten_seconds() -> None:
    world = World()
    for _ in range(3):
        world.send(BODY, x_write_key="pk_new")
    assert world.table.looks == 1
    world.table.keys[digest_of("pk_new")] = world.table.keys[digest_of(KEY)]
    world.now += 10.1
    assert world.send(BODY, x_write_key="pk_new").status == 200


def test_a_table_that_does_not_answer_takes_nothing_and_asks_for_patience() -> None:
    world = World()
    world.table.is_down = True
    answer = world.send(BODY)
    assert (answer.status, code(answer), answer.headers["retry-after"]) == (503, "keys_unavailable", "2")
    assert not world.stream.taken
    world.table.is_down = False
    assert world.send(BODY).status == 200


def test_pages_of_other_origins_are_refused_when_the_key_names_some() -> None:
    world = World(origins=("https://shop.example",))
    assert world.send(BODY, origin="https://shop.example").status == 200
    for origin in ("https://shop.example.evil", "http://shop.example", "null", ""):
        assert code(world.send(BODY, origin=origin)) == "origin_not_allowed"


def test_types_and_streams_that_the_key_does_not_name_are_refused() -> None:
    world = World(types=("order_placed",))
    assert code(world.send(BODY)) == "type_not_allowed"
    world = World(streams=("web", "support"))
    assert world.send(BODY).status == 200  # only one of them is deployed
    assert code(world.send(BODY, query={"stream": "rides"})) == "no_stream"


def test_a_rate_lets_a_second_of_events_through_and_says_when_to_come_again() -> None:
    world = World(rate=10)
    assert world.send({"events": [PAGE] * 10}).status == 200
    answer = world.send({"events": [PAGE] * 5})
    assert (answer.status, code(answer), answer.headers["retry-after"]) == (429, "rate_exceeded", "1")
    world.now += 1
    assert world.send({"events": [PAGE] * 5}).status == 200


def test_a_quota_is_exceeded_by_less_than_a_thousand_events_and_a_request_in_each_environment() -> None:
    first, second = World(daily=2_000), World(daily=2_000)
    second.table.uses = first.table.uses
    taken = 0
    for _ in range(200):
        for world in (first, second):
            if world.send({"events": [PAGE] * 50}).status == 200:
                taken += 50
    assert 2_000 <= taken <= 2_000 + 2 * 1_000 + 2 * 50
    answer = first.send(BODY)
    assert code(answer) == "quota_exceeded"
    assert 0 < int(answer.headers["retry-after"]) <= 86_400
    first.now += 86_400
    assert first.send(BODY).status == 200


def test_a_quota_goes_on_while_the_table_does_not_answer() -> None:
    world = World(daily=1_000_000)
    world.send(BODY)
    world.table.is_down = True
    for _ in range(30):
        assert world.send({"events": [PAGE] * 100}).status == 200
    world.table.is_down = False
    world.now += 6
    world.send(BODY)
    assert sum(world.table.uses.values()) == 3_001


def test_a_new_key_is_random_and_an_origin_is_scheme_and_host() -> None:
    assert new_key(bytes(range(24))).startswith("pk_")
    with pytest.raises(ValueError, match="24 random bytes"):
        new_key(b"short")
    assert origin_of("HTTPS://Shop.example") == "https://shop.example"
    for wrong in ("shop.example", "https://shop.example/", "ftp://x", "*"):
        with pytest.raises(ValueError, match="not an origin"):
            origin_of(wrong)

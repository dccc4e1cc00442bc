"""Each kind of request gets the status and the problem that are written down for it, and nothing gets a 5xx."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.producers.collector.bodies import BYTES, CASES, JSON, LINES, PAGE, TEXT, Body
from tests.producers.collector.world import World


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_body_gets_exactly_its_status_and_its_problem(case: Body) -> None:
    world = World(**case.allows)
    answer = world.send(
        case.body, case.media, query=case.query, **{k.replace("-", "_"): v for k, v in case.headers.items()}
    )
    told = json.loads(answer.body)
    assert (answer.status, told.get("code", "")) == (case.status, case.code)
    assert {each["index"]: each["code"] for each in told.get("kept", [])} == case.kept
    is_taken = case.status in (200, 207, 422)
    assert bool(world.stream.taken) is is_taken
    assert (answer.headers["content-type"] == "application/problem+json") is (case.code != "")


def test_at_least_eighty_bodies_are_written_down() -> None:
    assert len(CASES) >= 80
    assert len({case.name + case.media + case.code for case in CASES}) == len(CASES)


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = st.sampled_from(
    [
        "type",
        "payload",
        "event_id",
        "event_time",
        "schema_version",
        "event_type",
        "seq",
        "epoch",
        "producer_id",
    ]
)
EVENTS = st.one_of(
    ANY_JSON,
    st.dictionaries(MEMBERS, ANY_JSON),
    st.builds(lambda changed: {**PAGE, **changed}, st.dictionaries(MEMBERS, ANY_JSON, max_size=2)),
    st.builds(
        lambda changed: {**PAGE, "payload": {**PAGE["payload"], **changed}},  # type: ignore[dict-item]
        st.dictionaries(
            st.sampled_from(["url", "status", "client_address", "user_agent", "x"]), ANY_JSON, max_size=2
        ),
    ),
)
MEDIA = st.sampled_from([JSON, TEXT, LINES, BYTES, "application/xml", ""])


@settings(max_examples=150)
@given(st.lists(EVENTS, max_size=6), MEDIA, st.booleans())
def test_whatever_events_are_sent_each_is_on_the_stream_or_the_request_is_refused_as_a_whole(
    sent: list[Any], media: str, envelopes: bool
) -> None:
    world = World(envelopes=envelopes)
    body = (
        b"\n".join(json.dumps(each).encode() for each in sent)
        if media == LINES
        else json.dumps({"events": sent}).encode()
    )
    answer = world.send(body, media)
    assert answer.status < 500
    told = json.loads(answer.body)
    events = [
        each for each in world.events() if each.get("event_type") != "producer_audited" or each.get("seq")
    ]
    if answer.status not in (200, 207, 422):
        assert not world.stream.taken
        return
    faulty = len(told.get("kept", []))
    assert told.get("accepted", 0) + faulty == len(sent)
    numbered = [each for each in events if each.get("producer_id") == "collector-1"]
    assert [each["seq"] for each in numbered] == list(range(1, len(numbered) + 1))
    assert world.places.last_seq == len(numbered)


@settings(max_examples=150)
@given(st.binary(max_size=400), MEDIA)
def test_whatever_bytes_are_sent_nobody_gets_an_error_of_the_server(body: bytes, media: str) -> None:
    assert World().send(body, media).status < 500

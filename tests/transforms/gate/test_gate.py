import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from producers.packing.codec import ContractError, StreamDecoder
from tests.golden.poison.corpus import ARRIVAL_MS, GOOD, changed, corpus, encode, paid
from tests.shop import STREAMS, TABLES, WEB
from tests.transforms.conftest import KEY
from transforms.gate.framing import LARGEST_RECORD
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted, Dropped, Failed

TABLE = TABLES["web_events"]
MUTABLE = [raw for _, raw, _ in corpus() if len(raw) < 2_000]


def row_of(gate: Gate, raw: bytes, arrival_ms: int = ARRIVAL_MS) -> dict[str, Any]:
    outcome = gate.judge(raw, arrival_ms)
    assert isinstance(outcome, Accepted), outcome
    row: dict[str, Any] = json.loads(outcome.row)
    return row


@given(raw=st.binary(max_size=400), arrival_ms=st.integers(0, 2**43))
@example(raw=b"", arrival_ms=0)
def test_any_bytes_give_an_outcome(gate: Gate, raw: bytes, arrival_ms: int) -> None:
    outcome = gate.judge(raw, arrival_ms)
    assert isinstance(outcome, Accepted | Dropped | Failed)
    assert outcome == gate.judge(raw, arrival_ms) == gate.explain(raw, arrival_ms)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    raw = bytearray(draw(st.sampled_from(MUTABLE)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(raw) - 1, 0)))
        raw[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=4))
    return bytes(raw)


@settings(max_examples=400)
@given(raw=damaged())
def test_damaged_events_give_an_outcome_and_what_is_accepted_keeps_the_producers_contract(
    gate: Gate, raw: bytes
) -> None:
    outcome = gate.judge(raw, ARRIVAL_MS)
    assert outcome == gate.explain(raw, ARRIVAL_MS)
    if isinstance(outcome, Accepted) and outcome.events == 1:
        StreamDecoder(WEB).decode(raw)
    if isinstance(outcome, Failed):
        assert outcome.reason != "internal"


@settings(max_examples=300)
@given(raw=damaged())
def test_what_keeps_the_contract_fails_for_times_names_and_bytes_only(gate: Gate, raw: bytes) -> None:
    try:
        StreamDecoder(WEB).decode(raw)
    except ContractError:
        return
    outcome = gate.judge(raw, ARRIVAL_MS)
    if isinstance(outcome, Failed):
        beyond = {
            "too_old",
            "too_new",
            "bad_time",
            "duplicate_key",
            "not_utf8",
            "reserved_sequence",
            "too_deep",
            "not_json",
        }
        assert outcome.reason in beyond


TYPES = [(stream, each) for stream in STREAMS.values() for each in stream.all_types]


def test_a_row_has_columns_of_the_lake_table_only(gate: Gate) -> None:
    row = row_of(gate, encode(GOOD))
    assert set(row) <= {column.name for column in TABLE.columns}
    struct = next(column.type for column in TABLE.columns if column.name == "page_viewed")
    assert all(f"{name}:" in struct for name in row["page_viewed"])


def test_a_row_says_when_it_arrived_and_where_it_belongs(gate: Gate) -> None:
    outcome = gate.judge(encode(GOOD), ARRIVAL_MS)
    assert isinstance(outcome, Accepted)
    row = json.loads(outcome.row)
    assert outcome.event_hour == "2026-11-24-10"
    assert row["event_time"] == "2026-11-24T10:11:12.123Z"
    assert row["arrival_time"] == "2026-11-24T10:11:15.000Z"
    assert row["is_late"] is False
    assert outcome.lag_ms == 2877


@pytest.mark.parametrize(
    ("text", "hour", "time"),
    [
        ("2026-11-24T15:41:12.123+05:30", "2026-11-24-10", "2026-11-24T10:11:12.123Z"),
        ("2026-11-23T23:59:59.999999999-10:12", "2026-11-24-10", "2026-11-24T10:12:00.000Z"),
        ("2026-11-24T10:11:12Z", "2026-11-24-10", "2026-11-24T10:11:12.000Z"),
        ("2026-11-24T10:11:12.999999Z", "2026-11-24-10", "2026-11-24T10:11:12.999Z"),
    ],
)
def test_a_time_in_any_zone_is_written_in_utc_milliseconds(
    gate: Gate, text: str, hour: str, time: str
) -> None:
    outcome = gate.judge(changed(event_time=text), ARRIVAL_MS)
    assert isinstance(outcome, Accepted)
    assert (outcome.event_hour, json.loads(outcome.row)["event_time"]) == (hour, time)


@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2026, 11, 24, 11)),
)
def test_the_hour_is_that_of_the_event_time_for_every_accepted_moment(gate: Gate, moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    outcome = gate.judge(changed(event_time=moment.isoformat(), source="replay"), ARRIVAL_MS)
    assert isinstance(outcome, Accepted)
    assert outcome.event_hour == f"{moment:%Y-%m-%d-%H}"
    assert outcome.is_late == (outcome.lag_ms > WEB.allowed_lateness / timedelta(milliseconds=1))


def test_an_old_event_is_accepted_from_a_replay_and_late(gate: Gate) -> None:
    old = changed(event_time="2015-05-17T10:05:03Z", source="replay")
    assert row_of(gate, old)["is_late"] is True
    outcome = gate.judge(changed(event_time="2015-05-17T10:05:03Z"), ARRIVAL_MS)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "too_old"


def test_what_a_producer_writes_into_our_columns_is_overwritten_or_left_out(gate: Gate) -> None:
    forged = {
        "client_key": "x",
        "user_key": "x",
        "key_id": "x",
        "arrival_time": "x",
        "is_late": True,
        "page_viewed": 1,
    }
    event = {**GOOD, **forged, "payload": {**GOOD["payload"], "path": {"deep": [1]}}}
    assert row_of(gate, encode(event)) == row_of(gate, encode(GOOD))
    del event["payload"]["user_id"], GOOD["payload"]["user_id"]
    try:
        assert "user_key" not in row_of(gate, encode(event))
    finally:
        GOOD["payload"]["user_id"] = "user-4711"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://shop.example/a/b", "/a/b"),
        ("https://shop.example/a/b?c=/d", "/a/b"),
        ("https://shop.example/a/b?e=2#f", "/a/b"),
        ("https://shop.example/a#b?c", "/a"),
        ("https://shop.example", "/"),
        ("https://shop.example?next=https://other.example/x", "/"),
        ("/a?b", "/a"),
        ("?a", "/"),
        ("/gr\u00fcn?a", "/gr\u00fcn"),
        ("/" + "a" * 1_000 + "?b", "/" + "a" * 1_000),
    ],
)
def test_a_path_is_the_same_when_it_is_remembered(gate: Gate, url: str, path: str) -> None:
    for _ in range(2):
        assert row_of(gate, paid(url=url))["page_viewed"]["path"] == path


def test_no_raw_address_user_or_agent_is_in_a_row(gate: Gate) -> None:
    outcome = gate.judge(encode(GOOD), ARRIVAL_MS)
    assert isinstance(outcome, Accepted)
    for personal in (b"203.0.113.9", b"user-4711", b"Mozilla", b"Firefox"):
        assert personal not in outcome.row


def test_pseudonyms_are_equal_under_one_key_and_differ_under_two(gate: Gate) -> None:
    other = Gate(TABLE, key_id="k2", key=b"another key of some length")
    mine, again, theirs = (
        row_of(gate, encode(GOOD)),
        row_of(gate, paid(url="/x")),
        row_of(other, encode(GOOD)),
    )
    assert mine["client_key"] == again["client_key"] != theirs["client_key"]
    assert mine["user_key"] == again["user_key"] != theirs["user_key"]
    assert (mine["key_id"], theirs["key_id"]) == ("k1", "k2")


def test_a_pseudonym_is_the_hmac_of_the_value(gate: Gate) -> None:
    expected = hmac.new(KEY, b"203.0.113.9", "sha256").hexdigest()[:32]
    assert row_of(gate, encode(GOOD))["client_key"] == expected


def test_a_heartbeat_is_dropped_and_keeps_its_name(gate: Gate) -> None:
    raw = changed(event_type="heartbeat", payload={"host": "web-1", "uptime_seconds": 5})
    assert gate.judge(raw, ARRIVAL_MS) == Dropped("heartbeat", "p-1", 1732444800000, 123, "2026-11-24-10")


def test_an_audit_event_may_have_sequence_number_0_and_its_defaults_are_written(gate: Gate) -> None:
    raw = changed(event_type="producer_audited", seq=0, payload={"producer": "p-1", "last_seq": 9})
    row = row_of(gate, raw)
    assert row["producer_audited"] == {"producer": "p-1", "last_seq": 9, "closed": False}


def test_a_duplicate_is_found_however_the_record_is_padded(gate: Gate) -> None:
    good = changed(seq=1)
    for time in (b"2026-11-24T10:11:12Z", b"2026-11-24T10:11:12.123456Z", b"2026-11-24T10:11:12.123Z"):
        for extra in (b',"seq":1', b', "seq" : 1', b',"epoch":1', b',"x":0,"x":0'):
            raw = good.replace(b"2026-11-24T10:11:12.123Z", time)[:-1] + extra + b"}"
            outcome = gate.judge(raw, ARRIVAL_MS)
            assert isinstance(outcome, Failed), raw
            assert outcome.reason == "duplicate_key"


@pytest.mark.parametrize(
    ("event_type", "payload"),
    [
        ("heartbeat", {"host": "web-1", "uptime_seconds": 5}),
        ("producer_audited", {"producer": "p-1", "last_seq": 9}),
    ],
)
def test_a_duplicate_is_found_in_events_of_the_house(
    gate: Gate, event_type: str, payload: dict[str, object]
) -> None:
    raw = changed(event_type=event_type, payload=payload, seq=1, event_time="2026-11-24T10:11:12Z")
    assert not isinstance(gate.judge(raw, ARRIVAL_MS), Failed)
    outcome = gate.judge(raw[:-1] + b',"seq":1}', ARRIVAL_MS)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "duplicate_key"


@pytest.mark.parametrize("path", ['"' * 9, "\\" * 9, "\x01" * 9, "é" * 9, "\u2028" * 9, "\x7f" * 9])
def test_a_duplicate_is_found_beside_a_derived_text_that_is_longer_in_json(gate: Gate, path: str) -> None:
    for ascii_only in (False, True):
        event = {**GOOD, "payload": {**GOOD["payload"], "url": f"https://x.example/{path}?a=1"}}
        raw = json.dumps(event, separators=(",", ":"), ensure_ascii=ascii_only).encode()
        assert isinstance(gate.judge(raw, ARRIVAL_MS), Accepted)
        outcome = gate.judge(raw[:-1] + b',"seq":1}', ARRIVAL_MS)
        assert isinstance(outcome, Failed)
        assert outcome.reason == "duplicate_key"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T10:60:00.000Z",
        "2026-11-24T10:11:60.000Z",
        "2026-11-24T10:1:122.000Z",
        "2026-11-24T10:11:1a.000Z",
        "2026-11-24T10-11-12.000Z",
        "2026-11-24T10:11:12",
        "2026-11-24T10:11",
        "2026-11-24T10",
        "2026-11-24T10:11:12.000",
        "2026-11-24T10:11:12.00aZ",
        "2026-11-24T10: 1:12.000Z",
        "2026-11-24T10:+1:12.000Z",
        "",
    ],
)
def test_a_time_of_an_hour_that_is_known_is_read_as_strictly_as_any(gate: Gate, text: str) -> None:
    assert isinstance(gate.judge(encode(GOOD), ARRIVAL_MS), Accepted)
    outcome = gate.judge(changed(event_time=text), ARRIVAL_MS)
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.place) == ("wrong_format", "$.event_time")


def test_a_record_beyond_kinesis_limit_is_too_large_whatever_it_holds(gate: Gate) -> None:
    space = b" " * LARGEST_RECORD
    for raw in (encode(GOOD) + space, changed(seq=0) + space, space + b" "):
        outcome = gate.judge(raw, ARRIVAL_MS)
        assert isinstance(outcome, Failed)
        assert outcome.reason == "too_large"
        assert gate.explain(raw, ARRIVAL_MS) == outcome


@pytest.mark.parametrize("event_type", [each for _, each in TYPES], ids=[each.name for _, each in TYPES])
def test_every_declared_type_is_decoded_and_given_its_own_column(gate: Gate, event_type: Any) -> None:
    payload = _example(msgspec.json.schema(event_type.payload))
    raw = changed(event_type=event_type.name, schema_version=event_type.version, payload=payload)
    outcome = gate.judge(raw, ARRIVAL_MS)
    if event_type.delivered:
        assert isinstance(outcome, Accepted), outcome
        assert event_type.name in json.loads(outcome.row)
    else:
        assert isinstance(outcome, Dropped), outcome


def _example(schema: dict[str, Any]) -> dict[str, Any]:
    root = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    return {name: _value(root["properties"][name], schema["$defs"]) for name in root["required"]}


def _value(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _value(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        return {name: _value(schema["properties"][name], definitions) for name in schema["required"]}
    if schema["type"] == "array":
        return [_value(schema["items"], definitions)]
    return {"integer": max(schema.get("minimum", 1), 1), "string": "EUR"}[schema["type"]]

"""Event types that somebody could declare: none of them may slip through what the present ones do not try."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Struct

from producers.contracts import EventType, Payload, Stream
from producers.contracts.fields import ClientAddress, PageUrl, UserId
from tests.golden.poison.corpus import ARRIVAL_MS, GOOD, encode
from tests.transforms.conftest import KEY
from transforms.contracts import LakeTable
from transforms.gate.enrich import pseudonymizer
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted, Dropped, Failed
from transforms.schema.declarations import findings_of


class Optional(Struct):
    a: int
    note: str | None = None


class Tagged(Struct, tag="inner"):
    a: int


class Positional(Struct, array_like=True):
    a: int
    note: str | None = None
    more: int = 1234567


class Filled(Struct, omit_defaults=True):
    a: int
    names: list[str] = msgspec.field(default_factory=lambda: ["aaaaaaa"])


class WithOptional(Payload):
    inner: Optional


class WithTagged(Payload):
    inner: Tagged


class WithPositional(Payload):
    inner: list[Positional]


class WithFilled(Payload):
    inner: Filled


class Brief(Payload):
    a: int


class WithMap(Payload):
    tags: dict[str, int]


class WithNumber(Payload):
    weight: float | None = None


class WithTime(Payload):
    at: datetime | None = None


class WithAddress(Payload):
    url: PageUrl


class WithText(Payload):
    names: list[str]
    label: str = "none yet"


SHORT = "2026-11-24T10:11:12Z"
DECLARED: list[tuple[type[Payload], str]] = [
    (WithOptional, '{"inner":{"a":1}}'),
    (WithTagged, '{"inner":{"a":1}}'),
    (WithPositional, '{"inner":[[1],[1]]}'),
    (WithFilled, '{"inner":{"a":1}}'),
    (WithNumber, '{"weight":1e8}'),
    (WithNumber, '{"weight":1}'),
    (WithTime, '{"at":"2026-11-24T10:11:12.5Z"}'),
    (WithAddress, '{"url":"/a","path":1e8}'),
    (WithAddress, '{"url":"/a"}'),
    (WithText, '{"names":["a"]}'),
]


def gate_for(*event_types: EventType) -> Gate:
    return Gate(LakeTable(stream_of(*event_types)), key_id="k1", key=KEY)


def stream_of(*event_types: EventType) -> Stream:
    return Stream("declared", event_types, timedelta(minutes=1))


def event_of(event_type: EventType, payload: str, event_time: str = SHORT) -> bytes:
    head = {**GOOD, "event_type": event_type.name, "schema_version": event_type.version}
    raw = encode({**head, "seq": 1, "event_time": event_time, "payload": 0})
    return raw.replace(b'"payload":0', b'"payload":' + payload.encode())


def doubled(raw: bytes) -> Iterator[bytes]:
    """The record with a name that stands twice, and white space behind it in every length that could hide it."""
    for spaces in range(12):
        yield raw[:-1] + b',"seq":1' + b" " * spaces + b"}"


@pytest.mark.parametrize("delivered", [True, False], ids=["delivered", "dropped"])
@pytest.mark.parametrize(
    ("payload", "text"), DECLARED, ids=[f"{each.__name__} {text}" for each, text in DECLARED]
)
def test_a_duplicate_is_found_whatever_a_row_adds(payload: type[Payload], text: str, delivered: bool) -> None:
    event_type = EventType(payload, 1, payload.__struct_fields__[0], delivered)
    gate = gate_for(event_type)
    raw = event_of(event_type, text)
    assert isinstance(gate.judge(raw, ARRIVAL_MS), Accepted if delivered else Dropped)
    for twice in doubled(raw):
        outcome = gate.judge(twice, ARRIVAL_MS)
        assert isinstance(outcome, Failed), twice
        assert outcome.reason == "duplicate_key"


class WithContact(Payload):
    mail: Annotated[str, Meta(extra={"personal": "mail_key"})]
    phone: Annotated[str, Meta(extra={"personal": "phone_key"})] | None = None


def test_every_personal_field_may_have_a_pseudonym_of_its_own() -> None:
    event_type = EventType(WithContact, 1, "mail")
    assert list(findings_of(stream_of(event_type))) == []
    gate = gate_for(event_type)
    for phone, members in (
        ("+49 30 1", '"mail":"a@example.org","phone":"+49 30 1"'),
        (None, '"mail":"a@example.org"'),
    ):
        outcome = gate.judge(event_of(event_type, f"{{{members}}}"), ARRIVAL_MS)
        assert isinstance(outcome, Accepted)
        row = msgspec.json.decode(outcome.row)
        expected = {
            name: value and pseudonymizer(KEY)(value)
            for name, value in (("mail_key", "a@example.org"), ("phone_key", phone))
        }
        assert {name: row.get(name) for name in expected} == expected
        assert b"example.org" not in outcome.row


def test_the_shortest_duplicate_there_can_be_is_found() -> None:
    event_type = EventType(Brief, 1, "a")
    gate = gate_for(event_type)
    assert isinstance(gate.judge(event_of(event_type, '{"a":1}'), ARRIVAL_MS), Accepted)
    outcome = gate.judge(event_of(event_type, '{"a":1,"a":1}'), ARRIVAL_MS)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "duplicate_key"


def test_nothing_is_accepted_from_before_the_history_floor_however_young_it_is() -> None:
    event_type = EventType(Brief, 1, "a")
    stream = Stream(
        "declared",
        (event_type,),
        timedelta(minutes=1),
        history_floor=datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC),
    )
    gate = Gate(LakeTable(stream), key_id="k1", key=KEY)
    assert isinstance(gate.judge(event_of(event_type, '{"a":1}'), ARRIVAL_MS), Accepted)
    outcome = gate.judge(event_of(event_type, '{"a":1}', "2026-11-24T10:11:11.999Z"), ARRIVAL_MS)
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.place) == ("too_old", "$.event_time")


def test_a_map_with_a_name_twice_is_refused_though_nothing_of_it_is_longer_than_five_bytes() -> None:
    event_type = EventType(WithMap, 1, "tags")
    outcome = gate_for(event_type).judge(event_of(event_type, '{"tags":{"":1,"":1}}'), ARRIVAL_MS)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "duplicate_key"


class Priced(Payload):
    sku: str
    price: int


class PricedV2(Payload):
    sku: str
    price_minor: int
    currency: str


class Counted(Payload):
    sku: str


VERSIONS = (EventType(Priced, 1, "sku"), EventType(PricedV2, 2, "sku"), EventType(Counted, 1, "sku"))
OLD, NEW = '{"sku":"a","price":7}', '{"sku":"a","price_minor":700,"currency":"EUR"}'


def test_versions_of_a_type_are_accepted_side_by_side_and_each_by_its_own_rules() -> None:
    gate = gate_for(*VERSIONS)
    first, second, _ = VERSIONS
    for event_type, payload, column in ((first, OLD, "priced"), (second, NEW, "priced_2")):
        raw = event_of(event_type, payload)
        outcome = gate.judge(raw, ARRIVAL_MS)
        assert isinstance(outcome, Accepted), outcome
        assert msgspec.json.decode(outcome.row)[column] == msgspec.json.decode(payload)
        assert gate.explain(raw, ARRIVAL_MS) == outcome
        (failed, *_) = (gate.judge(twice, ARRIVAL_MS) for twice in doubled(raw))
        assert isinstance(failed, Failed)
        assert failed.reason == "duplicate_key"


def test_what_an_old_version_lacks_is_said_of_the_old_version() -> None:
    gate = gate_for(*VERSIONS)
    first, second, _ = VERSIONS
    for event_type, payload, place in (
        (first, NEW, "$.payload.price"),
        (second, OLD, "$.payload.price_minor"),
    ):
        raw = event_of(event_type, payload)
        outcome = gate.judge(raw, ARRIVAL_MS)
        assert isinstance(outcome, Failed)
        assert (outcome.reason, outcome.place) == ("missing_field", place)
        assert gate.explain(raw, ARRIVAL_MS) == outcome


def test_a_version_that_nobody_declared_is_refused_with_those_that_are_known() -> None:
    gate = gate_for(*VERSIONS)
    raw = event_of(VERSIONS[0], OLD).replace(b'"schema_version":1', b'"schema_version":3')
    outcome = gate.judge(raw, ARRIVAL_MS)
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.detail) == ("unknown_version", "Version 3; known: 1, 2.")


def test_lines_of_old_and_new_versions_share_a_record() -> None:
    gate = gate_for(*VERSIONS)
    lines = b"\n".join((event_of(VERSIONS[0], OLD), event_of(VERSIONS[1], NEW)))
    outcome = gate.judge(lines, ARRIVAL_MS)
    assert isinstance(outcome, Accepted)
    assert outcome.events == outcome.row.count(b"\n") == 2


class Renamed(Payload):
    address: str = msgspec.field(name="adr")


class Hidden(Payload):
    visitors: list[ClientAddress]


class Visitor(Struct):
    user_id: UserId | None = None


class Deeper(Payload):
    visits: dict[str, list[Visitor]]


class Twice(Payload):
    seller: UserId
    buyer: UserId | None = None


class Keyword(Payload):
    url: Annotated[str, Meta(extra={"derive": {"class": "url_path"}})]


class Spelled(Payload):
    url: Annotated[str, Meta(extra={"derive": {"the path": "url_path"}})]


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (Renamed, "address is written as adr"),
        (Hidden, "visitors has personal or derived values inside"),
        (Deeper, "visits has personal or derived values inside"),
        (Twice, "Two fields become user_key"),
        (Keyword, "'class' is not a valid column name"),
        (Spelled, "'the path' is not a valid column name"),
    ],
)
def test_a_declaration_that_rows_could_not_keep_is_refused(payload: type[Payload], said: str) -> None:
    field = payload.__struct_fields__[0]
    (sentence, *more) = findings_of(stream_of(EventType(payload, 1, field)))
    assert said in sentence
    assert not more


@pytest.mark.parametrize("payload", [WithOptional, WithMap, WithAddress, WithText, PricedV2])
def test_a_sound_declaration_has_no_findings(payload: Any) -> None:
    assert not list(findings_of(stream_of(EventType(payload, 1, payload.__struct_fields__[0]))))

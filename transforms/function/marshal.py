"""Firehose's request in, its answer out: as bytes where the runtime lets us, else as the runtime's dicts.

See `transforms.function.runtime` for how the handler comes to be given bytes.
"""

from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Raw, Struct

from transforms.contracts import EVENT_HOUR

ANSWER_ENVELOPE = 128
"""Bytes of an answer around record id and data, at most. A test compares it with real answers."""

Written = TypeVar("Written")


class Record(Struct, gc=False):
    """One record of Firehose's request; members are spelled as Firehose spells them."""

    recordId: str  # noqa: N815
    data: bytes
    approximateArrivalTimestamp: int  # noqa: N815


class Unreadable(Struct, gc=False):
    """A record of the request whose data is not base64 or that has no arrival time.

    `data` is as it came, to go back so; empty when it has characters that JSON must escape: an answer's size
    would not be what it seems. Firehose keeps the record in any case.
    """

    recordId: str  # noqa: N815
    data: str
    approximateArrivalTimestamp: int = 0  # noqa: N815


class Request(Struct, gc=False):
    """What Firehose asks."""

    records: Sequence[Record | Unreadable]
    invocationId: str = ""  # noqa: N815


class _Readable(Struct, gc=False):
    """A request in which every record can be read."""

    records: list[Record]
    invocationId: str = ""  # noqa: N815


class Answer(Struct, gc=False, omit_defaults=True):
    """Firehose's answer for one record. `data` is bytes, or base64 text that came so and goes back so."""

    recordId: str  # noqa: N815
    result: str
    data: bytes | str | None = None
    metadata: Any = None


class _Response(Struct, gc=False):
    records: list[Answer]


_decode = msgspec.json.Decoder(_Readable).decode
_encode = msgspec.json.Encoder().encode


def read_request(event: bytes | Mapping[str, Any]) -> Request:
    """The request, from bytes or from the runtime's dict. A bad record harms no other."""
    try:
        read = _decode(event) if isinstance(event, bytes) else msgspec.convert(event, _Readable)
        return Request(read.records, read.invocationId)
    except (msgspec.ValidationError, UnicodeEncodeError):  # half of a surrogate pair is not base64 either
        return _read_one_by_one(msgspec.json.decode(event) if isinstance(event, bytes) else event)


def _read_one_by_one(event: Mapping[str, Any]) -> Request:
    records = [_record(record) for record in event["records"]]
    return Request(records, str(event.get("invocationId", "")))


def _record(record: Mapping[str, Any]) -> Record | Unreadable:
    try:
        arrival_ms = record["approximateArrivalTimestamp"]
        return Record(record["recordId"], a2b_base64(record["data"], strict_mode=True), int(arrival_ms))
    except (KeyError, TypeError, ValueError):
        data = str(record.get("data") or "")
        return Unreadable(str(record.get("recordId")), data if _is_plain(data) else "")


def _is_plain(text: str) -> bool:
    """True when the text has as many bytes in JSON as it has characters."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


class Form(NamedTuple, Generic[Written]):
    """How an answer is written.

    Attributes:
        metadata: event hour -> what stands as `metadata` in the answer for one record.
        size: bytes of JSON that the written answer has or becomes, at most. It shrinks with the data.
    """

    metadata: Mapping[str, Any]
    write: Callable[[list[Answer]], Written]
    size: Callable[[Written], int]


def as_json() -> Form[bytes]:
    """The answer as JSON."""
    return Form(_JsonMetadata(), answer_bytes, len)


def as_dict() -> Form[dict[str, Any]]:
    """The same answer as a dict, for a runtime that writes the JSON itself."""
    return Form(_DictMetadata(), answer_dict, _size_of)


class _JsonMetadata(dict[str, Raw]):
    """Event hour -> the metadata of an answer, as JSON. Forgets everything when full."""

    def __missing__(self, event_hour: str) -> Raw:
        if len(self) > 4096:
            self.clear()
        self[event_hour] = made = Raw(_encode(_metadata(event_hour)))
        return made


class _DictMetadata(dict[str, dict[str, Any]]):
    """Event hour -> the metadata of an answer, as a dict. Forgets everything when full."""

    def __missing__(self, event_hour: str) -> dict[str, Any]:
        if len(self) > 4096:
            self.clear()
        self[event_hour] = made = _metadata(event_hour)
        return made


def _metadata(event_hour: str) -> dict[str, Any]:
    return {"partitionKeys": {EVENT_HOUR: event_hour}}


def answer_bytes(answers: list[Answer]) -> bytes:
    """The answer as JSON."""
    return _encode(_Response(answers))


def answer_dict(answers: list[Answer]) -> dict[str, Any]:
    """The answer as a dict; data is base64 text."""
    answer: dict[str, Any] = msgspec.to_builtins(_Response(answers))
    return answer


def base64_size(data: bytes | str) -> int:
    """Bytes that an answer's data has in base64, which it is already when it is text."""
    return len(data) if isinstance(data, str) else (len(data) + 2) // 3 * 4


def _size_of(answer: Mapping[str, Any]) -> int:
    sizes = (len(each["recordId"]) + len(each.get("data", "")) for each in answer["records"])
    return sum(sizes) + (ANSWER_ENVELOPE + 4) * len(answer["records"])

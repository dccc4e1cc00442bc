"""Firehose's request in, its answer out: as bytes where the runtime lets us, else as the runtime's dicts.

See `transforms.runtime` for how the handler comes to be given bytes.
"""

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from transforms.contracts import EVENT_HOUR
from transforms.outcome import Accepted, Dropped, Failed, Outcome

LARGEST_ANSWER = 6_291_556 - 64_000
"""Bytes of answer that are never passed: Lambda's limit of a synchronous call, less a margin."""
ANSWER_ENVELOPE = 110
"""Bytes of an answer around record id and data, at most."""

_UNREADABLE = Failed("bad_request", "", "The record of the request has no base64 data or no arrival time.")
_FULL = Failed("answer_full", "", "The answer would have passed Lambda's limit with this record.")


class Record(Struct, gc=False):
    """One record of Firehose's request; members are spelled as Firehose spells them."""

    recordId: str  # noqa: N815
    data: bytes
    approximateArrivalTimestamp: int  # noqa: N815


class Unreadable(Struct, gc=False):
    """A record of the request whose data is not base64 or that has no arrival time."""

    recordId: str  # noqa: N815
    data: str


class Request(Struct, gc=False):
    """What Firehose asks."""

    records: Sequence[Record | Unreadable]
    invocationId: str = ""  # noqa: N815


class _Readable(Struct, gc=False):
    """A request in which every record can be read."""

    records: list[Record]
    invocationId: str = ""  # noqa: N815


class _Answer(Struct, gc=False, omit_defaults=True):
    recordId: str  # noqa: N815
    result: str
    data: bytes | str | None = None
    metadata: Raw | None = None


class _Response(Struct, gc=False):
    records: list[_Answer]


_decode = msgspec.json.Decoder(_Readable).decode
_encode = msgspec.json.Encoder().encode


def read_request(event: bytes | Mapping[str, Any]) -> Request:
    """The request, from bytes or from the runtime's dict. A bad record harms no other."""
    if isinstance(event, bytes):
        try:
            read = _decode(event)
            return Request(read.records, read.invocationId)
        except msgspec.ValidationError:
            return _read_dict(msgspec.json.decode(event))
    return _read_dict(event)


def _read_dict(event: Mapping[str, Any]) -> Request:
    records = [_record(record) for record in event["records"]]
    return Request(records, str(event.get("invocationId", "")))


def _record(record: Mapping[str, Any]) -> Record | Unreadable:
    try:
        arrival_ms = record["approximateArrivalTimestamp"]
        return Record(record["recordId"], a2b_base64(record["data"], strict_mode=True), int(arrival_ms))
    except (KeyError, TypeError, ValueError):
        return Unreadable(str(record.get("recordId")), str(record.get("data") or ""))


def judge_records(request: Request, judge: Callable[[bytes, int], Outcome]) -> list[Outcome]:
    """One outcome per record of the request, in order."""
    return [
        judge(record.data, record.approximateArrivalTimestamp) if type(record) is Record else _UNREADABLE
        for record in request.records
    ]


def answer_bytes(records: Sequence[Record | Unreadable], outcomes: list[Outcome]) -> bytes:
    """The answer as JSON, every record id once and in order. What would not fit becomes `Failed`."""
    answer = _encode(_Response(_answers(records, outcomes)))
    if len(answer) > LARGEST_ANSWER:
        _cut(records, outcomes)
        answer = _encode(_Response(_answers(records, outcomes)))
    return answer


def answer_dict(records: Sequence[Record | Unreadable], outcomes: list[Outcome]) -> dict[str, Any]:
    """The same answer as a dict, for a runtime that writes the JSON itself."""
    size = sum(_size(record, outcome) for record, outcome in zip(records, outcomes, strict=True))
    if size > LARGEST_ANSWER:
        _cut(records, outcomes)
    return {"records": [_as_dict(record, outcome) for record, outcome in zip(records, outcomes, strict=True)]}


class _Metadata(dict[str, Raw]):
    """Event hour -> the metadata of an answer, as JSON. Forgets everything when full."""

    def __missing__(self, event_hour: str) -> Raw:
        if len(self) > 4096:
            self.clear()
        self[event_hour] = made = Raw(_encode({"partitionKeys": {EVENT_HOUR: event_hour}}))
        return made


_metadata = _Metadata()


def _answers(records: Sequence[Record | Unreadable], outcomes: list[Outcome]) -> list[_Answer]:
    metadata = _metadata
    return [
        _Answer(record.recordId, "Ok", outcome.row, metadata[outcome.event_hour])
        if type(outcome) is Accepted
        else _other(record, outcome)
        for record, outcome in zip(records, outcomes, strict=True)
    ]


def _other(record: Record | Unreadable, outcome: Outcome) -> _Answer:
    if isinstance(outcome, Dropped):
        return _Answer(record.recordId, "Dropped")
    if outcome is _FULL:
        return _Answer(record.recordId, "ProcessingFailed", b"")
    return _Answer(record.recordId, "ProcessingFailed", record.data)


def _as_dict(record: Record | Unreadable, outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Accepted):
        return {
            "recordId": record.recordId,
            "result": "Ok",
            "data": b2a_base64(outcome.row, newline=False).decode("ascii"),
            "metadata": {"partitionKeys": {EVENT_HOUR: outcome.event_hour}},
        }
    answer = _other(record, outcome)
    if answer.data is None:
        return {"recordId": answer.recordId, "result": answer.result}
    data = (
        answer.data
        if isinstance(answer.data, str)
        else b2a_base64(answer.data, newline=False).decode("ascii")
    )
    return {"recordId": answer.recordId, "result": answer.result, "data": data}


def _size(record: Record | Unreadable, outcome: Outcome) -> int:
    """Bytes of answer that this record takes, rounded up."""
    if isinstance(outcome, Accepted):
        data = len(outcome.row)
    elif isinstance(outcome, Dropped) or outcome is _FULL:
        data = 0
    else:
        data = len(record.data)
    return len(record.recordId) + ANSWER_ENVELOPE + (data + 2) // 3 * 4


def _cut(records: Sequence[Record | Unreadable], outcomes: list[Outcome]) -> None:
    """Fail the records that do not fit; Firehose writes them whole to their error object."""
    full = [_size(record, _FULL) for record in records]
    taken = sum(full)
    for number, (record, outcome) in enumerate(zip(records, outcomes, strict=True)):
        more = _size(record, outcome) - full[number]
        if taken + more > LARGEST_ANSWER:
            outcomes[number] = _FULL
        else:
            taken += more

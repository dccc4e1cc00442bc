"""One event of a request: whole, given its envelope, or kept with what is wrong with it (pure).

What breaks the contract is sent on all the same, so that the transformation refuses it by its own rules and
it is kept, explained and replayed as any failed record. What would not be refused there travels as an
unreadable line.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

from producers.collector.keys import WriteKey
from producers.collector.prepared import At, Fault, Moment, Prepared, Sender
from producers.collector.problems import ProblemError
from producers.contracts import AUDIT_TYPE, HISTORY_SOURCES, UNREADABLE_LINE, EventType, Stream, UtcTime
from producers.packing.codec import ContractError, decoder, violation

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_WHOLE = msgspec.json.Decoder(int)
_TIME = msgspec.json.Decoder(UtcTime)
_SHORT_MEMBERS = frozenset({"type", "payload", "event_id", "event_time", "schema_version"})
_EVENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
REQUEST_FIELDS = ("client_address", "user_agent")
"""Of a payload: filled from the request where the payload leaves them out."""


class _Short(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An event without an envelope. What does not decode as one is read member by member, to say why."""

    type: str
    payload: msgspec.Raw
    event_id: str | msgspec.UnsetType = msgspec.UNSET
    event_time: UtcTime | msgspec.UnsetType = msgspec.UNSET
    schema_version: Annotated[int, msgspec.Meta(ge=1, le=9999)] | msgspec.UnsetType = msgspec.UNSET


_SHORT = msgspec.json.Decoder(_Short)


class _FaultError(Exception):
    def __init__(self, code: str, field: str, detail: str) -> None:
        self.fault = Fault(code, field, detail)


class Preparing:
    """Prepares the events of one stream. Made once: it holds the stream's decoders."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._whole = decoder(stream)
        self._types = {(each.name, each.version): _Type(each) for each in stream.event_types}
        self._latest = {name: each.version for name, each in stream.latest.items() if name != AUDIT_TYPE}

    def moment(self, now_ms: int) -> Moment:
        """The time of a request, in epoch milliseconds, as `prepare` takes it."""
        now, stream = datetime.fromtimestamp(now_ms / 1000, UTC), self._stream
        oldest = max(now - stream.accepted_past, stream.history_floor)
        return Moment(now, _written(now), oldest, now + stream.accepted_future)

    def prepare(
        self, raw: bytes, key: WriteKey, sender: Sender, moment: Moment, new_id: str, at: At
    ) -> Prepared:
        """The event in `raw`. `new_id` is its id unless it has one; `at` says where it stood, for people.

        Raises ProblemError for what the key does not allow.
        """
        try:
            try:
                short = _SHORT.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return self._by_members(raw, key, sender, moment, new_id)
            when = None if short.event_time is msgspec.UNSET else short.event_time
            given_id = None if short.event_id is msgspec.UNSET else short.event_id
            version = 0 if short.schema_version is msgspec.UNSET else short.schema_version
            return self._stamped(
                short.type, version, given_id, when, bytes(short.payload), key, sender, moment, new_id
            )
        except _FaultError as error:
            return _unreadable(raw, error.fault, key.source, moment, new_id, at)

    def _by_members(self, raw: bytes, key: WriteKey, sender: Sender, moment: Moment, new_id: str) -> Prepared:
        try:
            members = _MEMBERS.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _FaultError("unreadable", "", "the event is not a JSON object") from error
        if "event_type" in members:
            return self._enveloped(raw, members, key, moment)
        if unknown := members.keys() - _SHORT_MEMBERS:
            known = ", ".join(sorted(_SHORT_MEMBERS))
            raise _FaultError("unknown_member", min(unknown), f"an event has the members {known}")
        if "type" not in members:
            raise _FaultError("no_type", "type", "the event does not say its type")
        name = _text(members, "type", "no_type")
        _check_type(name, key)
        version = _version(members)
        event_id = _text(members, "event_id", "bad_id") if "event_id" in members else None
        if event_id is not None and _EVENT_ID.fullmatch(event_id) is None:
            raise _bad_id()
        when = _time(members) if "event_time" in members else None
        payload = bytes(members.get("payload", b"{}")).strip()
        return self._stamped(name, version, event_id, when, payload, key, sender, moment, new_id)

    def _enveloped(self, raw: bytes, members: Mapping[str, Any], key: WriteKey, moment: Moment) -> Prepared:
        """An event with its producer's own envelope passes as it came."""
        if not key.envelopes:
            raise ProblemError(
                "envelopes_not_allowed",
                "Send type and payload, or allow envelopes: penstock keys create --envelopes.",
            )
        name = _text(members, "event_type", "")
        if name != AUDIT_TYPE:
            _check_type(name, key)
        try:
            event = self._whole.decode(raw)
        except ContractError as error:
            return Prepared(raw, b"", name or "-", Fault("invalid", error.field, error.detail))
        kind = type(event.payload).__event_type__
        assert kind is not None
        fault = None if name == AUDIT_TYPE else self._time_fault(event.event_time, event.source, moment)
        return Prepared(raw, b"", _partition_key(event.payload, kind, event.event_id), fault)

    def _stamped(
        self,
        name: str,
        version: int,
        event_id: str | None,
        when: datetime | None,
        payload: bytes,
        key: WriteKey,
        sender: Sender,
        moment: Moment,
        new_id: str,
    ) -> Prepared:
        """An event gets its envelope. Version 0 is the newest; without an id it gets `new_id`."""
        _check_type(name, key)
        version = version or self._latest.get(name, 1)
        match = _EVENT_ID.fullmatch(event_id) if event_id is not None else None
        if event_id is None:
            event_id = new_id
        elif match is None:
            raise _bad_id()
        if when is not None:
            when = _utc(when)
            written = _written(when)
        elif match is not None:
            when = _time_of(event_id, match[1])
            written = _written(when)
        else:
            when, written = moment.now, moment.text
        kind = self._types.get((name, version))
        said = msgspec.json.encode(name) if kind is None else kind.name
        head = b'{"event_type":%b,"event_id":"%b","schema_version":%d,"event_time":"%b","source":"%b"' % (
            said, event_id.encode(), version, written, key.source.encode(),
        )  # fmt: skip
        if kind is None:
            known = ", ".join(self._latest)
            fault = Fault(
                "unknown_type", "type", f"version {version} of this type is not declared (types: {known})"
            )
            return Prepared(head, b',"payload":' + payload + b"}", event_id, fault)
        payload = kind.completed(payload, sender)
        tail = b',"payload":' + payload + b"}"
        try:
            decoded = kind.decoder.decode(payload)
        except msgspec.ValidationError as error:
            found = violation(error)
            field = f"payload.{found.field}" if found.field else "payload"
            return Prepared(head, tail, event_id, Fault("invalid", field, found.detail))
        partition_key = _partition_key(decoded, kind.declared, event_id)
        return Prepared(head, tail, partition_key, self._time_fault(when, key.source, moment))

    def _time_fault(self, when: datetime, source: str, moment: Moment) -> Fault | None:
        """As the transformation will see it, which knows the time of arrival a moment later."""
        if moment.oldest <= when <= moment.latest:
            return None
        if when > moment.latest:
            return Fault(
                "time_in_future", "event_time", "is further ahead of this server's clock than is taken"
            )
        if source in HISTORY_SOURCES and when >= self._stream.history_floor:
            return None
        return Fault("time_too_old", "event_time", "is further back than is taken")


class _Type:
    """What is known of one version of an event type."""

    def __init__(self, declared: EventType) -> None:
        self.declared = declared
        self.name = msgspec.json.encode(declared.name)
        self.decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(declared.payload)
        self._filled = [
            (place, b'"' + name.encode() + b'"')
            for place, name in enumerate(REQUEST_FIELDS)
            if name in declared.payload.__struct_fields__
        ]

    def completed(self, payload: bytes, sender: Sender) -> bytes:
        """The payload with what the request says, where the payload does not name it."""
        for place, name in self._filled:
            if name not in payload and sender[place] and payload.startswith(b"{"):
                joint = b"" if payload[1:].strip() == b"}" else b","
                payload = b"{" + name + b":" + sender[place] + joint + payload[1:]
        return payload


def _check_type(name: str, key: WriteKey) -> None:
    if key.types and name not in key.types:
        raise ProblemError(
            "type_not_allowed", f"The key may send: {', '.join(key.types)}. Nothing was taken."
        )


def _text(members: Mapping[str, msgspec.Raw], name: str, code: str) -> str:
    try:
        return _TEXT.decode(members[name])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _FaultError(code or "invalid", name, "is not a text") from error


def _version(members: Mapping[str, msgspec.Raw]) -> int:
    if "schema_version" not in members:
        return 0
    try:
        version = _WHOLE.decode(members["schema_version"])
    except msgspec.MsgspecError as error:
        raise _FaultError("bad_version", "schema_version", "is not a whole number") from error
    if not 1 <= version <= 9999:
        raise _FaultError("bad_version", "schema_version", "is not between 1 and 9999")
    return version


def _time(members: Mapping[str, msgspec.Raw]) -> datetime:
    """The time that the event gives itself."""
    try:
        return _TIME.decode(members["event_time"])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _bad_time() from error


def _utc(when: datetime) -> datetime:
    try:
        return when.astimezone(UTC)
    except OverflowError as error:
        raise _bad_time() from error


def _bad_time() -> _FaultError:
    return _FaultError("bad_time", "event_time", "is not RFC 3339 with an offset")


def _bad_id() -> _FaultError:
    return _FaultError("bad_id", "event_id", "an event id is a UUID in lower case")


def _time_of(event_id: str, uuid_version: str) -> datetime:
    """The time in an event's id. Never the request's: copies of an event must fall into one hour."""
    if uuid_version != "7":
        raise _FaultError(
            "no_time", "event_time", "is missing, and the event id is not a UUIDv7, which has one"
        )
    milliseconds = int(event_id[:8] + event_id[9:13], 16)
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError as error:
        raise _FaultError("bad_id", "event_id", "is a UUIDv7 of no time that there is") from error


def _written(when: datetime) -> bytes:
    """In UTC, cut to milliseconds: `2026-11-24T10:11:12.123Z`."""
    return when.isoformat(timespec="milliseconds")[:23].encode() + b"Z"


def _partition_key(payload: Any, kind: EventType, otherwise: str) -> str:
    value = getattr(payload, kind.partition_key)
    return str(value)[:256] if value else otherwise


def _unreadable(raw: bytes, fault: Fault, source: str, moment: Moment, new_id: str, at: At) -> Prepared:
    """The event as it came, inside an envelope that the transformation always refuses."""
    position = f"request {at.request_id} event {at.place}"
    line = {
        "line": raw.decode("utf-8", "replace"),
        "position": position,
        "reason": f"{fault.code}: {fault.detail}",
    }
    head = msgspec.json.encode(
        {
            "event_type": UNREADABLE_LINE.name,
            "event_id": new_id,
            "schema_version": UNREADABLE_LINE.version,
            "event_time": moment.text.decode(),
            "source": source,
        }
    )
    return Prepared(head[:-1], b',"payload":' + msgspec.json.encode(line) + b"}", position[:256], fault)

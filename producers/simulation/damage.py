"""Ways in which real records are broken, done to sound ones on purpose (pure).

`repairable` says whether the event can be told from the broken bytes alone, without guessing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

Document = dict[str, Any]


@dataclass(frozen=True)
class Damage:
    """One way of breaking a record.

    Attributes:
        name: short, stable, for counting.
        repairable: the event that was meant can be restored from the bytes.
        apply: (sound bytes, the same as a document, random source) -> broken bytes.
    """

    name: str
    repairable: bool
    apply: Callable[[bytes, Document, Random], bytes]


def _with(document: Document, **members: Any) -> bytes:
    return msgspec.json.encode({**document, **members})


def _truncated(data: bytes, _: Document, random: Random) -> bytes:
    # Kept beyond the event's id: broken records stay distinguishable.
    return data[: random.randrange(100, len(data) - 1)]


def _bad_bytes(data: bytes, _: Document, random: Random) -> bytes:
    # In a value that the contract declares: readers skip over members that they do not know.
    place = data.index(b'"source":"') + len(b'"source":"') + random.randrange(4)
    return data[:place] + b"\xff\xfe" + data[place:]


def _missing(_: bytes, document: Document, random: Random) -> bytes:
    name = random.choice(("event_time", "source", "producer_id", "payload"))
    return msgspec.json.encode({member: value for member, value in document.items() if member != name})


def _bad_payload_type(_: bytes, document: Document, random: Random) -> bytes:
    payload = document["payload"]
    name = random.choice(sorted(payload))
    return _with(document, payload={**payload, name: {"value": payload[name]}})


def _number_as_text(_data: bytes, document: Document, _random: Random) -> bytes:
    payload = document["payload"]
    numbers = {name: str(value) for name, value in payload.items() if type(value) is int}
    return _with(document, payload={**payload, **numbers}, schema_version=str(document["schema_version"]))


def _time_without_zone(_data: bytes, document: Document, _random: Random) -> bytes:
    return _with(document, event_time=document["event_time"].replace("T", " ").rstrip("Z"))


def _impossible_time(_data: bytes, document: Document, _random: Random) -> bytes:
    return _with(document, event_time=f"{document['event_time'][:4]}-13-45T25:61:00Z")


def _distant_time(_: bytes, document: Document, random: Random) -> bytes:
    year = random.choice(("1970", "2099"))
    return _with(document, event_time=f"{year}-01-01T00:00:00Z")


def _unknown_type(_: bytes, document: Document, random: Random) -> bytes:
    return _with(document, event_type=f"{document['event_type']}_{random.choice(('draft', 'test', 'copy'))}")


def _unknown_version(_: bytes, document: Document, random: Random) -> bytes:
    return _with(document, schema_version=document["schema_version"] + random.randrange(100, 900))


def _trailing_text(data: bytes, _: Document, random: Random) -> bytes:
    return data + random.choice((b",", b";", b"}", b"\\n"))


def _byte_order_mark(data: bytes, _document: Document, _random: Random) -> bytes:
    return b"\xef\xbb\xbf" + data


def _python_text(_data: bytes, document: Document, _random: Random) -> bytes:
    return str(document).encode()


DAMAGES = (
    Damage("truncated", repairable=False, apply=_truncated),
    Damage("bad_bytes", repairable=False, apply=_bad_bytes),
    Damage("missing_member", repairable=False, apply=_missing),
    Damage("wrong_type", repairable=False, apply=_bad_payload_type),
    Damage("impossible_time", repairable=False, apply=_impossible_time),
    Damage("distant_time", repairable=False, apply=_distant_time),
    Damage("unknown_type", repairable=False, apply=_unknown_type),
    Damage("unknown_version", repairable=False, apply=_unknown_version),
    Damage("numbers_as_text", repairable=True, apply=_number_as_text),
    Damage("time_without_zone", repairable=True, apply=_time_without_zone),
    Damage("trailing_text", repairable=True, apply=_trailing_text),
    Damage("byte_order_mark", repairable=True, apply=_byte_order_mark),
    Damage("python_text", repairable=True, apply=_python_text),
)
"""Every kind of damage that the simulator does."""


def damaged(data: bytes, random: Random) -> tuple[bytes, Damage]:
    """`data` broken in one of the ways of `DAMAGES`. `data` must be a sound event of at least 110 bytes."""
    damage = DAMAGES[int(len(DAMAGES) * random.random())]
    return damage.apply(data, msgspec.json.decode(data), random), damage

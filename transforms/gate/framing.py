"""What a record's bytes are before they are an event: refused forms, and duplicated names."""

import json
from typing import Any

from transforms.gate.outcome import Failed, RefusedError

LARGEST_RECORD = 1_048_576
"""Bytes. The default limit of a Kinesis record; nothing larger can be an event."""

_GZIP = b"\x1f\x8b"
_KPL = b"\xf3\x89\x9a\xc2"


def refused_form(raw: bytes) -> Failed | None:
    """Why these bytes are not looked into at all, or None."""
    if len(raw) > LARGEST_RECORD:
        return Failed("too_large", "", f"The record has {len(raw)} bytes; {LARGEST_RECORD} is the limit.")
    if not raw.strip():
        return Failed("empty", "", "The record holds no bytes but white space.")
    if raw.startswith(_GZIP):
        return Failed("compressed", "byte 0", "The record is gzip. Events are sent uncompressed.")
    if raw.startswith(_KPL):
        return Failed(
            "aggregated", "byte 0", "A KPL aggregate that was not taken apart before the transformation."
        )
    return None


def lines_of(raw: bytes) -> list[bytes]:
    """The record's lines that hold anything: the events of a record with lines framing."""
    return [line for line in raw.split(b"\n") if line.strip()]


def check_names(raw: bytes) -> None:
    """Raise RefusedError when an object anywhere in the document names a member twice.

    Readers differ in which of the two they believe, so such a record has no one meaning. The document must be
    JSON already; UnicodeDecodeError and RecursionError are raised for what hid in members that nobody reads.
    """
    json.loads(raw.decode(), object_pairs_hook=_unique, parse_int=_skip, parse_float=_skip)


def _unique(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise RefusedError("duplicate_key", "$", f"The name {twice[:64]!r} stands twice in one object.")


def _skip(_: str) -> None:
    """Numbers are not looked at: one of 5,000 digits must not cost anything."""

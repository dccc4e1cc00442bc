"""The rules that an event can break beyond its types, and the errors that say so.

`transforms.gate.accept` asks, and comes here only for what is new to it or wrong.
"""

import re
from datetime import timedelta

import msgspec

from producers.contracts import HISTORY_SOURCES, Stream
from transforms.gate.framing import LARGEST_RECORD
from transforms.gate.outcome import RefusedError
from transforms.gate.times import EventTime, Seconds, milliseconds

SHAPE = bytes(ord("0") if chr(each) in "0123456789abcdef" else each for each in range(256))
EVENT_ID = b"00000000-0000-0000-0000-000000000000"
"""An event id with `SHAPE` put over it: a third of what a regular expression takes."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_PRODUCERS_KEPT = 65_536


def too_large(raw: bytes) -> RefusedError:
    """The error for a record that is larger than any event. See also `framing.refused_form`."""
    return RefusedError("too_large", "", f"The record has {len(raw)} bytes; {LARGEST_RECORD} is the limit.")


def no_event_id() -> RefusedError:
    """The error for an event id of another form."""
    return RefusedError("wrong_format", "$.event_id", "Expected a UUID in lower case with hyphens.")


def reserved_sequence() -> RefusedError:
    """The error for sequence number 0 on an event that is not an audit event."""
    return RefusedError(
        "reserved_sequence", "$.seq", "Sequence number 0 is kept for producers' audit events."
    )


class KnownProducers(dict[str, str]):
    """Producers seen, each with the source that it wrote last, both well formed. Forgets all when full."""

    def add(self, producer_id: str, source: str) -> None:
        """Raise RefusedError unless both are identifiers."""
        for value, place in ((source, "$.source"), (producer_id, "$.producer_id")):
            if not _IDENTIFIER.fullmatch(value):
                raise RefusedError("wrong_format", place, "Expected letters, digits and . _ : - only.")
        if len(self) >= _PRODUCERS_KEPT:
            self.clear()
        self[producer_id] = source


class TimeRules:
    """When an event of a stream may have happened.

    Attributes:
        past_ms, early_ms, late_ms: bounds of arrival minus event time, in milliseconds.
        floor_ms: the earliest event time, in epoch milliseconds.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.past_ms, self.early_ms = _ms(stream.accepted_past), -_ms(stream.accepted_future)
        self.floor_ms = milliseconds(stream.history_floor)
        self.late_ms = _ms(stream.allowed_lateness)
        self._floor = f"{stream.history_floor:%Y-%m-%d}"

    def check(self, lag_ms: int, event_ms: int, source: str) -> None:
        """Raise RefusedError for a time that may not open a lake partition."""
        stream = self._stream
        if lag_ms < self.early_ms:
            text = f"{-lag_ms // 1000} s after arrival; {-self.early_ms // 1000} s are accepted."
            raise RefusedError("too_new", "$.event_time", text)
        if event_ms < self.floor_ms:
            text = f"Before {self._floor}, the stream's history_floor."
            raise RefusedError("too_old", "$.event_time", text)
        if lag_ms > self.past_ms and source not in HISTORY_SOURCES:
            text = (
                f"{lag_ms // 86_400_000} days before arrival; {stream.accepted_past.days} are accepted, "
                f"more only from source {', '.join(sorted(HISTORY_SOURCES))}."
            )
            raise RefusedError("too_old", "$.event_time", text)


def read_time(seconds: Seconds, text: str) -> EventTime:
    """Read a time that must be parsed. Raises RefusedError for what is none."""
    try:
        return seconds.read(text)
    except msgspec.ValidationError as error:
        raise RefusedError("wrong_format", "$.event_time", str(error)) from None
    except OverflowError:
        detail = "The time in UTC lies outside the years 1 to 9999."
        raise RefusedError("bad_time", "$.event_time", detail) from None


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)

"""The second half of judging: from a decoded event to its outcome."""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeAlias

import msgspec

from producers.contracts import HISTORY_SOURCES, Stream
from transforms.contracts import LakeTable
from transforms.framing import check_names
from transforms.outcome import Accepted, Dropped, Outcome, RefusedError
from transforms.row_builders import memories, row_builder
from transforms.rows import RowPlan
from transforms.times import MILLISECOND_OF, Arrivals, EventTime, Seconds, milliseconds

Finish: TypeAlias = Callable[[Any, bytes, int], Outcome]
"""(event, its bytes, arrival time in epoch milliseconds) -> Accepted or Dropped; raises RefusedError."""

_SHAPE = bytes(ord("0") if chr(each) in "0123456789abcdef" else each for each in range(256))
_EVENT_ID = b"00000000-0000-0000-0000-000000000000"
"""An event id with `_SHAPE` put over it: a third of what a regular expression takes."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_IDENTIFIERS_KEPT = 65_536


def finisher(table: LakeTable, plans: Iterable[RowPlan], *, key_id: str, key: bytes) -> Finish:
    """Build the function. It is one closure over local names because every look-up counts here."""
    plans = tuple(plans)
    remembered = memories(plans, key)
    of_class = {
        plan.event_class: (
            plan,
            row_builder(plan, table, remembered, key_id) if plan.event_type.delivered else None,
        )
        for plan in plans
    }
    encode = msgspec.json.Encoder().encode
    seconds, arrivals, identifiers = Seconds(), Arrivals(), _Identifiers()
    stream = table.stream
    past_ms, early_ms, floor_ms = (
        _ms(stream.accepted_past),
        -_ms(stream.accepted_future),
        milliseconds(stream.history_floor),
    )
    late_ms = _ms(stream.allowed_lateness)

    def finish(event: Any, raw: bytes, arrival_ms: int) -> Outcome:
        plan, build = of_class[type(event)]
        if not (event.source in identifiers and event.producer_id in identifiers):
            identifiers.check(event.source, "$.source")
            identifiers.check(event.producer_id, "$.producer_id")
        if event.event_id.encode().translate(_SHAPE) != _EVENT_ID:
            raise RefusedError("wrong_format", "$.event_id", "Expected a UUID in lower case with hyphens.")
        if not event.seq and not plan.is_audit:
            raise RefusedError(
                "reserved_sequence", "$.seq", "Sequence number 0 is kept for producers' audit events."
            )
        text = event.event_time
        try:
            event_hour, event_ms = seconds[text[:19]]
            event_ms += MILLISECOND_OF[text[19:]]
        except KeyError:
            event_hour, text, event_ms = _read(seconds, text)
        lag_ms = arrival_ms - event_ms
        if not early_ms <= lag_ms <= past_ms or event_ms < floor_ms:
            _check_time(stream, lag_ms, event_ms, event.source)
        if build is None:
            if plan.writes_defaults or len(raw) != len(encode(event)):
                check_names(raw)
            return Dropped(plan.event_type.name, event.producer_id, event.epoch, event.seq)
        is_late = lag_ms > late_ms
        row = build(event, raw, text, arrivals[arrival_ms], is_late)
        return Accepted(row, event_hour, is_late, lag_ms)

    return finish


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _check_time(stream: Stream, lag_ms: int, event_ms: int, source: str) -> None:
    """Raise RefusedError for a time that may not open a lake partition."""
    future_ms = _ms(stream.accepted_future)
    if lag_ms < -future_ms:
        text = f"{-lag_ms // 1000} s after arrival; {future_ms // 1000} s are accepted."
        raise RefusedError("too_new", "$.event_time", text)
    if event_ms < milliseconds(stream.history_floor):
        text = f"Before {stream.history_floor:%Y-%m-%d}; no event is that old."
        raise RefusedError("too_old", "$.event_time", text)
    if lag_ms > _ms(stream.accepted_past) and source not in HISTORY_SOURCES:
        text = (
            f"{lag_ms // 86_400_000} days before arrival; {stream.accepted_past.days} are accepted, "
            f"more only from source {', '.join(sorted(HISTORY_SOURCES))}."
        )
        raise RefusedError("too_old", "$.event_time", text)


def _read(seconds: Seconds, text: str) -> EventTime:
    try:
        return seconds.read(text)
    except msgspec.ValidationError as error:
        raise RefusedError("wrong_format", "$.event_time", str(error)) from None
    except OverflowError:
        detail = "The time in UTC lies outside the years 1 to 9999."
        raise RefusedError("bad_time", "$.event_time", detail) from None


class _Identifiers(set[str]):
    """Sources and producers seen and found well formed. Bounded: forgets everything when full."""

    def check(self, value: str, place: str) -> None:
        """Raise RefusedError unless `value` is an identifier."""
        if not _IDENTIFIER.fullmatch(value):
            raise RefusedError("wrong_format", place, "Expected letters, digits and . _ : - only.")
        if len(self) >= _IDENTIFIERS_KEPT:
            self.clear()
        self.add(value)

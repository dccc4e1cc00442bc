"""The second half of judging: from a decoded event to its outcome."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET

from producers.contracts import HISTORY_SOURCES, Stream
from transforms.contracts import LakeTable
from transforms.enrich import DERIVED, Memo, personal
from transforms.framing import check_names
from transforms.outcome import Accepted, Dropped, Outcome, RefusedError
from transforms.rows import RowPlan, Step
from transforms.times import MILLISECOND, MINUTE_SECOND, Hours, Seconds, milliseconds

Finish: TypeAlias = Callable[[Any, bytes, int], Outcome]
"""(event, its bytes, arrival time in epoch milliseconds) -> Accepted or Dropped; raises RefusedError."""

_EVENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_CAPACITY: Mapping[str, int] = {"user_agent_class": 8_192, "url_path": 16_384}
_DEFAULT_CAPACITY = 65_536
_SHORTEST_DUPLICATE = 2
"""See `_is_canonical`."""


def finisher(table: LakeTable, plans: Iterable[RowPlan], *, key_id: str, key: bytes) -> Finish:
    """Build the function. It is one closure over local names because every look-up counts here."""
    memories = _memories(key)
    of_class = {plan.event_class: (plan, _enricher(plan.steps, table, memories)) for plan in plans}
    base_growth = len(key_id)
    encode = msgspec.json.Encoder().encode
    hours, seconds, identifiers = Hours(), Seconds(), _Identifiers()
    check_time = _time_rule(table.stream)
    late_ms = round(table.stream.allowed_lateness.total_seconds() * 1000)
    is_event_id = _EVENT_ID.fullmatch

    def finish(event: Any, raw: bytes, arrival_ms: int) -> Outcome:
        plan, enrich = of_class[type(event)]
        source, producer_id = event.source, event.producer_id
        if not (source in identifiers and producer_id in identifiers):
            identifiers.check(source, "$.source")
            identifiers.check(producer_id, "$.producer_id")
        if not is_event_id(event.event_id):
            raise RefusedError("wrong_format", "$.event_id", "Expected a UUID in lower case with hyphens.")
        if not event.seq and not plan.is_audit:
            raise RefusedError(
                "reserved_sequence", "$.seq", "Sequence number 0 is kept for the audit events of a producer."
            )
        moment = event.event_time
        if moment.tzinfo is not UTC:
            moment = _to_utc(moment)
        hour = hours[moment.toordinal() * 24 + moment.hour]
        second, millisecond = moment.minute * 60 + moment.second, moment.microsecond // 1000
        event_ms = hour.start_ms + second * 1000 + millisecond
        lag_ms = arrival_ms - event_ms
        check_time(lag_ms, event_ms, source)
        if not plan.event_type.delivered:
            check_names(raw)
            return Dropped(plan.event_type.name, producer_id, event.epoch, event.seq)
        columns, growth = enrich(event.payload)
        is_late = lag_ms > late_ms
        row = encode(
            plan.row_class(
                event.event_id,
                event.schema_version,
                f"{hour.text}{MINUTE_SECOND[second]}{MILLISECOND[millisecond]}",
                source,
                producer_id,
                event.epoch,
                event.seq,
                f"{seconds[arrival_ms // 1000]}{MILLISECOND[arrival_ms % 1000]}",
                is_late,
                key_id,
                *columns,
                event.payload,
            )
        )
        if (
            len(raw) - len(row) + growth + plan.fixed_growth + base_growth + (4 if is_late else 5)
            >= _SHORTEST_DUPLICATE
        ):
            check_names(raw)
        return Accepted(row + b"\n", hour.event_hour, is_late, lag_ms)

    return finish


def _enricher(
    steps: tuple[Step, ...], table: LakeTable, memories: Mapping[str, Memo]
) -> Callable[[Any], tuple[list[str | None], int]]:
    """Replaces the payload's personal fields, adds the derived ones: (personal columns, growth in bytes)."""
    width = len(table.personal_columns)
    replaced = [
        (step.field, table.personal_columns.index(step.column), memories[step.enrichment], step.overhead)
        for step in steps
        if step.replaces
    ]
    derived = [
        (step.field, step.column, memories[step.enrichment], step.overhead)
        for step in steps
        if not step.replaces
    ]

    def enrich(payload: Any) -> tuple[list[str | None], int]:
        columns: list[str | None] = [None] * width
        growth = 0
        for field, column, memory, overhead in derived:
            value = getattr(payload, field)
            result, grown = memory[value] if value is not None else (None, -overhead)
            setattr(payload, column, result)
            growth += grown + overhead
        for field, index, memory, overhead in replaced:
            value = getattr(payload, field)
            if value is not None:
                columns[index], grown = memory[value]
                setattr(payload, field, UNSET)
                growth += grown + overhead
        return columns, growth

    return enrich


def _memories(key: bytes) -> Mapping[str, Memo]:
    return {
        name: Memo(function, capacity=_CAPACITY.get(name, _DEFAULT_CAPACITY), replaces=replaces)
        for functions, replaces in ((personal(key), True), (DERIVED, False))
        for name, function in functions.items()
    }


def _time_rule(stream: Stream) -> Callable[[int, int, str], None]:
    """Raises RefusedError for times that may not open a lake partition."""
    past_ms = round(stream.accepted_past.total_seconds() * 1000)
    future_ms = round(stream.accepted_future.total_seconds() * 1000)
    floor_ms = milliseconds(stream.history_floor)

    def check_time(lag_ms: int, event_ms: int, source: str) -> None:
        if -future_ms <= lag_ms <= past_ms and event_ms >= floor_ms:
            return
        if lag_ms < -future_ms:
            raise RefusedError(
                "too_new",
                "$.event_time",
                f"{-lag_ms // 1000} s after arrival; {future_ms // 1000} s are accepted.",
            )
        if event_ms < floor_ms:
            raise RefusedError(
                "too_old", "$.event_time", f"Before {stream.history_floor:%Y-%m-%d}; no event is that old."
            )
        if source not in HISTORY_SOURCES:
            sources = ", ".join(sorted(HISTORY_SOURCES))
            raise RefusedError(
                "too_old",
                "$.event_time",
                f"{lag_ms // 86_400_000} days before arrival; {stream.accepted_past.days} are accepted, "
                f"more only from source {sources}.",
            )

    return check_time


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise RefusedError(
            "bad_time", "$.event_time", "The time in UTC lies outside the years 1 to 9999."
        ) from None


class _Identifiers(set[str]):
    """Sources and producers seen and found well formed. Bounded: forgets everything when full."""

    def check(self, value: str, place: str) -> None:
        """Raise RefusedError unless `value` is an identifier."""
        if not _IDENTIFIER.fullmatch(value):
            raise RefusedError("wrong_format", place, "Expected letters, digits and . _ : - only.")
        if len(self) >= _DEFAULT_CAPACITY:
            self.clear()
        self.add(value)

"""The gate: one record's bytes in, exactly one outcome out, whatever the bytes are.

Pure: no clock, no network, no environment. The same bytes with the same arrival time and key give the same
outcome for ever, which is why a failed record can be explained and replayed long after it failed.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from producers.contracts import UNREADABLE_LINE
from transforms.contracts import LakeTable
from transforms.gate.accept import Accept, accepts
from transforms.gate.framing import lines_of, refused_form
from transforms.gate.outcome import Accepted, Dropped, Failed, Outcome, RefusedError
from transforms.gate.reasons import failed_by
from transforms.gate.rows import layers, row_plan
from transforms.gate.times import Arrivals

RULES_VERSION = 2
"""Raised with every change of what is accepted, or for what reason it is not. It stands in the log line."""


class _Header(Struct, gc=False):
    event_type: str
    schema_version: int


_header = msgspec.json.Decoder(_Header).decode


class Gate:
    """Validates the records of one stream and makes their rows.

    Attributes:
        key_id: names the key of pseudonyms.
        accept: the fast path, for records that hold one event of a type's newest version. What it raises
            for another record is not final; what `explain` says is.
    """

    accept: Accept

    def __init__(self, table: LakeTable, *, key_id: str, key: bytes) -> None:
        self.key_id = key_id
        layered = layers(row_plan(table, event_type) for event_type in table.stream.all_types)
        made = accepts(table, layered, key_id=key_id, key=key)
        self._accepts = {
            (plan.event_type.name, plan.event_type.version): each
            for layer, each in zip(layered, made, strict=True)
            for plan in layer
        }
        self.accept = made[0]

    def judge(self, raw: bytes, arrival_ms: int) -> Outcome:
        """What becomes of a record that arrived at these epoch milliseconds. Never raises, for any bytes."""
        return self._accepted(raw, arrival_ms, otherwise=self.explain)

    def explain(self, raw: bytes, arrival_ms: int, error: Exception | None = None) -> Outcome:
        """The same outcome as `judge`, found slowly. `error` is what `accept` has raised for the record."""
        failed = refused_form(raw)
        if failed is not None:
            return failed
        outcome = self._one(raw, arrival_ms) if error is None else self._unaccepted(raw, arrival_ms, error)
        if not (isinstance(outcome, Failed) and outcome.reason == "not_json"):
            return outcome
        lines = lines_of(raw)
        return _together([self._one(line, arrival_ms) for line in lines]) if len(lines) > 1 else outcome

    def each(self, raw: bytes, arrival_ms: int) -> list[tuple[bytes, Outcome]]:
        """The record taken apart: every event's bytes and outcome. More than one only with lines framing."""
        outcome = self.explain(raw, arrival_ms)
        if isinstance(outcome, Accepted) and outcome.events == 1:
            return [(raw, outcome)]
        judged = [(line, self._one(line, arrival_ms)) for line in lines_of(raw)]
        unreadable = all(isinstance(each, Failed) and each.reason == "not_json" for _, each in judged)
        return [(raw, outcome)] if len(judged) == 1 or unreadable else judged

    def _one(self, raw: bytes, arrival_ms: int) -> Outcome:
        """The outcome of one event."""
        return self._accepted(raw, arrival_ms, otherwise=self._unaccepted)

    def _accepted(
        self, raw: bytes, arrival_ms: int, otherwise: Callable[[bytes, int, Exception], Outcome]
    ) -> Outcome:
        try:
            return self.accept(raw, arrival_ms, Arrivals().text(arrival_ms), bytearray())
        except RefusedError as refused:
            return refused.failed
        except Exception as error:  # noqa: BLE001  what bytes can make a parser raise is a long list
            return otherwise(raw, arrival_ms, error)

    def _unaccepted(self, raw: bytes, arrival_ms: int, error: Exception) -> Outcome:
        """The outcome of one event that `accept` raised this for: it may be of an older version."""
        if not isinstance(error, msgspec.ValidationError):
            return failed_by(error)
        try:
            header = _header(raw)
            accept = self._accepts.get((header.event_type, header.schema_version))
            if accept is None:
                return self._undeclared(raw, header)
            if accept is self.accept:
                return failed_by(error)
            return accept(raw, arrival_ms, Arrivals().text(arrival_ms), bytearray())
        except RefusedError as refused:
            return refused.failed
        except Exception as further:  # noqa: BLE001  see `_accepted`
            return failed_by(further)

    def _undeclared(self, raw: bytes, header: _Header) -> Failed:
        if header.event_type == UNREADABLE_LINE.name:
            line = msgspec.json.decode(raw, type=UNREADABLE_LINE.event_class).payload
            return Failed("unreadable_line", "", f"{line.reason} ({line.position})")
        versions = [version for name, version in self._accepts if name == header.event_type]
        if versions:
            known = ", ".join(str(version) for version in sorted(versions))
            return Failed(
                "unknown_version", "$.schema_version", f"Version {header.schema_version}; known: {known}."
            )
        known = ", ".join(sorted({name for name, _ in self._accepts}))
        return Failed("unknown_type", "$.event_type", f"{header.event_type[:64]!r} is none of: {known}.")


def _together(outcomes: list[Outcome]) -> Outcome:
    """One outcome for several events in one record: all of them together, or none.

    Firehose takes one answer and one lake partition per record. What fails here is taken apart by replay.
    """
    for number, outcome in enumerate(outcomes, start=1):
        if isinstance(outcome, Failed):
            return Failed(outcome.reason, f"line {number}: {outcome.place}".rstrip(": "), outcome.detail)
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
    if len(accepted) != len(outcomes):
        kind = next(outcome.event_type for outcome in outcomes if isinstance(outcome, Dropped))
        return Failed(
            "mixed_outcomes",
            "",
            f"Events of type {kind} are dropped; they cannot share a record with others.",
        )
    hours = sorted({outcome.event_hour for outcome in accepted})
    if len(hours) > 1:
        return Failed(
            "mixed_hours", "", f"The record's events are of {len(hours)} hours, {hours[0]} to {hours[-1]}."
        )
    return Accepted(
        b"".join(outcome.row for outcome in accepted),
        hours[0],
        any(outcome.is_late for outcome in accepted),
        max(outcome.lag_ms for outcome in accepted),
        len(accepted),
    )

"""The gate: one record's bytes in, exactly one outcome out, whatever the bytes are.

Pure: no clock, no network, no environment. The same bytes with the same arrival time and key give the same
outcome for ever, which is why a failed record can be explained and replayed long after it failed.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from producers.contracts import UNREADABLE_LINE
from transforms.contracts import LakeTable
from transforms.finish import Finish, finisher
from transforms.framing import lines_of, refused_form
from transforms.outcome import Accepted, Dropped, Failed, Outcome, RefusedError
from transforms.reasons import failed_by
from transforms.rows import decoder, layers, row_plan

RULES_VERSION = 1
"""Raised with every change of what is accepted; stands in the log line, so that reasons can be recomputed."""


class _Header(Struct, gc=False):
    event_type: str
    schema_version: int


class Gate:
    """Judges the records of one stream and makes their rows.

    Attributes:
        judge: (record bytes, arrival time in epoch milliseconds) -> Outcome. Never raises for any bytes.
    """

    judge: Callable[[bytes, int], Outcome]

    def __init__(self, table: LakeTable, *, key_id: str, key: bytes) -> None:
        layered = layers(row_plan(table, event_type) for event_type in table.stream.all_types)
        decoders = [decoder(layer) for layer in layered]
        self._decoders = {
            (plan.event_type.name, plan.event_type.version): each
            for layer, each in zip(layered, decoders, strict=True)
            for plan in layer
        }
        self._finish: Finish = finisher(
            table, [plan for layer in layered for plan in layer], key_id=key_id, key=key
        )
        self.judge = self._judge(decoders[0])

    def _judge(self, newest: msgspec.json.Decoder[Struct]) -> Callable[[bytes, int], Outcome]:
        decode, finish, explain = newest.decode, self._finish, self.explain

        def judge(raw: bytes, arrival_ms: int) -> Outcome:
            try:
                return finish(decode(raw), raw, arrival_ms)
            except Exception:  # noqa: BLE001  `explain` goes the same way again, slowly, and says what it was
                return explain(raw, arrival_ms)

        return judge

    def explain(self, raw: bytes, arrival_ms: int) -> Outcome:
        """The same outcome as `judge`, found slowly: with the exact place and a sentence for failures."""
        failed = refused_form(raw)
        if failed is not None:
            return failed
        outcome = self._one(raw, arrival_ms)
        lines = lines_of(raw)
        if len(lines) == 1 or not (isinstance(outcome, Failed) and outcome.reason == "not_json"):
            return outcome
        return _together([self._one(line, arrival_ms) for line in lines])

    def each(self, raw: bytes, arrival_ms: int) -> list[tuple[bytes, Outcome]]:
        """The record taken apart: every event's bytes and outcome. More than one only with lines framing."""
        outcome = self.explain(raw, arrival_ms)
        if isinstance(outcome, Accepted) and outcome.events == 1:
            return [(raw, outcome)]
        judged = [(line, self._one(line, arrival_ms)) for line in lines_of(raw)]
        unreadable = all(isinstance(each, Failed) and each.reason == "not_json" for _, each in judged)
        return [(raw, outcome)] if len(judged) == 1 or unreadable else judged

    def _one(self, raw: bytes, arrival_ms: int) -> Outcome:
        try:
            header = msgspec.json.decode(raw, type=_Header)
            found = self._decoders.get((header.event_type, header.schema_version))
            if found is None:
                return self._undeclared(raw, header)
            return self._finish(found.decode(raw), raw, arrival_ms)
        except RefusedError as error:
            return error.failed
        except Exception as error:  # noqa: BLE001  what bytes can make a parser raise is a long list, and not ours
            return failed_by(error)

    def _undeclared(self, raw: bytes, header: _Header) -> Failed:
        if header.event_type == UNREADABLE_LINE.name:
            line = msgspec.json.decode(raw, type=UNREADABLE_LINE.event_class).payload
            return Failed("unreadable_line", "", f"{line.reason} ({line.position})")
        versions = [version for name, version in self._decoders if name == header.event_type]
        if versions:
            known = ", ".join(str(version) for version in sorted(versions))
            return Failed(
                "unknown_version", "$.schema_version", f"Version {header.schema_version}; known: {known}."
            )
        known = ", ".join(sorted({name for name, _ in self._decoders}))
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

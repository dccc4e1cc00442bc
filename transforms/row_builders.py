"""From a decoded event to its row object, by a function written out for each event type.

A loop over an event type's enrichments costs more than the enrichments themselves (most are remembered), and
the function runs for every event. So its source is put together here, from the declared steps, and compiled:
names in it come from Python identifiers of the contract only, values never.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from msgspec import UNSET
from msgspec.json import Encoder

from producers.contracts import Event
from transforms.contracts import LakeTable
from transforms.enrich import DERIVED, Memo, personal
from transforms.framing import check_names
from transforms.rows import RowPlan, Step

RowBuilder: TypeAlias = Callable[[Any, bytes, str, str, bool], bytes]
"""(event, its bytes, its time, its arrival time, is late) -> the row's line of JSON; raises RefusedError.

Replaces the payload's personal fields. On the way `growth` sums up how many bytes the row has beyond the
event, or is UNKNOWN_GROWTH when a derived text may be written with more bytes than it has characters."""

_MAY_HIDE_A_DUPLICATE = "len(raw) - len(row) + growth > 0 or BACKSLASH in raw"
"""Which records are read again to look for duplicated names: those longer than their event written compactly.

The shortest duplicate takes 6 bytes (`,"a":1`), the event time may be 4 bytes shorter in the record than in
the row, and the row has a newline more: a record with a duplicate is at least 1 byte longer.
"""


def memories(plans: Iterable[RowPlan], key: bytes) -> Mapping[Step, Memo]:
    """What the enrichments remember; equal steps of several types share it."""
    functions = personal(key)
    return {
        step: Memo(
            functions[step.enrichment] if step.replaces else DERIVED[step.enrichment].function,
            overhead=step.overhead,
            replaces=step.replaces,
        )
        for plan in plans
        for step in plan.steps
    }


def row_builder(plan: RowPlan, table: LakeTable, remembered: Mapping[Step, Memo], key_id: str) -> RowBuilder:
    """Compile the function of one event type."""
    names: dict[str, Any] = {
        "Row": plan.row_class,
        "UNSET": UNSET,
        "BACKSLASH": ord("\\"),
        "encode_lines": Encoder().encode_lines,
        "check_names": check_names,
        "key_id": key_id,
    }
    lines = ["def build(event, raw, event_time, arrival_time, is_late):", "    payload = event.payload"]
    lines += [f"    growth = {plan.fixed_growth + len(key_id)} + (4 if is_late else 5)"]
    # Derived fields first: the fields that they are made from may be personal, and are gone afterwards.
    for step in sorted(plan.steps, key=lambda step: step.replaces):
        names[f"of_{step.column}"] = remembered[step]
        lines += _replacing(step) if step.replaces else _deriving(step)
    filled = {step.column for step in plan.steps if step.replaces}
    envelope = [each for each in Event.__struct_fields__ if each != "payload"]
    arguments = [
        *("event_time" if each == "event_time" else f"event.{each}" for each in envelope),
        *("arrival_time", "is_late", "key_id"),
        *(column if column in filled else "None" for column in table.personal_columns),
        "payload",
    ]
    lines += [
        f"    row = encode_lines((Row({', '.join(arguments)}),))",
        f"    if {_MAY_HIDE_A_DUPLICATE}:",
        "        check_names(raw)",
        "    return row",
    ]
    exec(compile("\n".join(lines), f"<row of {plan.event_type.name}>", "exec"), names)  # noqa: S102  see above
    built: RowBuilder = names["build"]
    return built


def _replacing(step: Step) -> list[str]:
    made = [
        f"{step.column}, grown = of_{step.column}[value]",
        f"payload.{step.field} = UNSET",
        "growth += grown",
    ]
    return _with_value(step, made, f"{step.column} = None")


def _deriving(step: Step) -> list[str]:
    until = DERIVED[step.enrichment].until
    made = [
        f"payload.{step.column}, grown = of_{step.column}[value.partition({until!r})[0]]",
        "growth += grown",
    ]
    return _with_value(step, made, f"payload.{step.column} = None")


def _with_value(step: Step, made: Iterable[str], without: str) -> list[str]:
    taken = f"    value = payload.{step.field}"
    if not step.optional:
        return [taken, *(f"    {line}" for line in made)]
    indented = (f"        {line}" for line in made)
    return [taken, "    if value is None:", f"        {without}", "    else:", *indented]

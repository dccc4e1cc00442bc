"""From a decoded event to its row object, by a function written out for each event type.

A loop over an event type's enrichments costs more than the enrichments themselves (most are remembered), and
the function runs for every event. So its source is put together here, from the declared steps, and compiled:
names in it come from Python identifiers of the contract only, values never.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from msgspec import UNSET

from producers.contracts import Event
from transforms.contracts import LakeTable
from transforms.enrich import DERIVED, Enrichment, Memo, personal
from transforms.rows import RowPlan, Step

RowBuilder: TypeAlias = Callable[[Any, str, str, bool], tuple[Any, int]]
"""(event, its time, its arrival time, is late) -> (row object, growth).

Replaces the payload's personal fields. `growth` is how many bytes of JSON the row has beyond the event, or
UNKNOWN_GROWTH when a derived text may be written with more bytes than it has characters."""

UNKNOWN_GROWTH = 10**9

_CAPACITY = 65_536


def memories(plans: Iterable[RowPlan], key: bytes) -> Mapping[Step, Memo]:
    """What the enrichments that replace personal fields remember; equal steps of several types share it."""
    functions = personal(key)
    return {
        step: Memo(functions[step.enrichment], capacity=_CAPACITY, overhead=step.overhead)
        for plan in plans
        for step in plan.steps
        if step.replaces
    }


def row_builder(plan: RowPlan, table: LakeTable, remembered: Mapping[Step, Memo], key_id: str) -> RowBuilder:
    """Compile the function of one event type."""
    names: dict[str, Any] = {
        "Row": plan.row_class,
        "UNSET": UNSET,
        "UNKNOWN_GROWTH": UNKNOWN_GROWTH,
        "key_id": key_id,
    }
    lines = ["def build(event, event_time, arrival_time, is_late):", "    payload = event.payload"]
    lines += [f"    growth = {plan.fixed_growth + len(key_id)} + (4 if is_late else 5)"]
    # Derived fields first: the fields that they are made from may be personal, and are gone afterwards.
    for step in sorted(plan.steps, key=lambda step: step.replaces):
        lines += _replacing(step, names, remembered) if step.replaces else _deriving(step, names, DERIVED)
    filled = {step.column for step in plan.steps if step.replaces}
    envelope = [each for each in Event.__struct_fields__ if each != "payload"]
    arguments = [
        *("event_time" if each == "event_time" else f"event.{each}" for each in envelope),
        *("arrival_time", "is_late", "key_id"),
        *(column if column in filled else "None" for column in table.personal_columns),
        "payload",
    ]
    lines += [f"    return Row({', '.join(arguments)}), growth"]
    exec(compile("\n".join(lines), f"<row of {plan.event_type.name}>", "exec"), names)  # noqa: S102  see above
    built: RowBuilder = names["build"]
    return built


def _replacing(step: Step, names: dict[str, Any], remembered: Mapping[Step, Memo]) -> list[str]:
    names[f"of_{step.column}"] = remembered[step]
    return [
        f"    value = payload.{step.field}",
        "    if value is None:",
        f"        {step.column} = None",
        "    else:",
        f"        {step.column}, grown = of_{step.column}[value]",
        f"        payload.{step.field} = UNSET",
        "        growth += grown",
    ]


def _deriving(step: Step, names: dict[str, Any], functions: Mapping[str, Enrichment]) -> list[str]:
    names[f"make_{step.column}"] = functions[step.enrichment]
    return [
        f"    value = payload.{step.field}",
        "    if value is None:",
        f"        payload.{step.column} = None",
        "    else:",
        f"        payload.{step.column} = value = make_{step.column}(value)",
        f"        growth += len(value) + {step.overhead + 2} if value.isascii() else UNKNOWN_GROWTH",
    ]

"""The lines of `transforms.gate.accept` that depend on an event type: what it writes, and what that adds.

Names in them: `event`, `payload`, `raw` and the times as `accept` has them; `known_...` and `new_...` ask and
feed a memory of `transforms.gate.enrich`.
"""

from collections.abc import Iterable, Iterator
from os.path import commonprefix  # by characters, which is meant

from producers.contracts import Event
from transforms.contracts import LakeTable
from transforms.gate.enrich import DERIVED, PSEUDONYM_SIZE, is_pseudonym
from transforms.gate.rows import Address, RowPlan, Step

_UNKNOWN = 10**9
"""More bytes than any row has: stands for a growth that does not follow from the contract."""


def lines_for(plan: RowPlan, table: LakeTable, number: int, key_id: str) -> list[str]:
    """The lines for events of one type, whose row class is `Row<number>`."""
    lines = _row(plan, table, number, key_id) if plan.event_type.delivered else _dropped(plan)
    return [*_sequence(plan), *lines]


def memory_name(step: Step) -> str:
    """What the step's memory is called behind `known_` and `new_`."""
    return f"{'personal' if step.replaces else 'derived'}_{step.enrichment}"


def _sequence(plan: RowPlan) -> list[str]:
    return [] if plan.is_audit else ["if not event.seq:", "    raise reserved_sequence()"]


def _dropped(plan: RowPlan) -> list[str]:
    sure = plan.measurable and not plan.writes_defaults and not plan.steps
    looked_at = "len(raw) != len(encode(event))" if sure else "True"
    return [
        f"if {looked_at}:",
        "    check_names(raw)",
        f"return Dropped({plan.event_type.name!r}, event.producer_id, event.epoch, event.seq, event_hour)",
    ]


def _row(plan: RowPlan, table: LakeTable, number: int, key_id: str) -> Iterator[str]:
    """The lines that write the row, and sum up how many bytes it has beyond the event."""
    known = plan.fixed_growth + len(key_id) if plan.measurable else _UNKNOWN
    yield f"growth = {known} + (4 if is_late else 5)"
    # Derived fields first: the fields that they are made from may be personal, and are gone afterwards.
    for address in plan.addresses:
        yield from _cleaning(address)
    cleaned = {address.field for address in plan.addresses}
    steps = (step for step in plan.steps if step.replaces or step.field not in cleaned)
    for step in sorted(steps, key=lambda step: step.replaces):
        yield from _with_value(step, _replacing(step) if step.replaces else _deriving(step))
    filled = {step.column for step in plan.steps if step.replaces}
    at_hand = ("event_time", "source")
    arguments = [
        *(
            name if name in at_hand else f"event.{name}"
            for name in Event.__struct_fields__
            if name != "payload"
        ),
        *("arrival_time", "is_late", "key_id"),
        *(f"column_{name}" if name in filled else "None" for name in table.personal_columns),
        "payload",
    ]
    yield f"encode_into(Row{number}({', '.join(arguments)}), written)"


def _replacing(step: Step) -> list[str]:
    of_result = PSEUDONYM_SIZE if is_pseudonym(step.enrichment) else f"len(column_{step.column})"
    return [
        f"column_{step.column} = known_{memory_name(step)}(value) or new_{memory_name(step)}(value)",
        f"payload.{step.field} = UNSET",
        f"growth += {step.overhead} + {of_result} - len(value)",
    ]


def _deriving(step: Step) -> list[str]:
    return [
        f"value = value.partition({DERIVED[step.enrichment].until!r})[0]",
        f"payload.{step.column}, size = known_{memory_name(step)}(value) or new_{memory_name(step)}(value)",
        f"growth += {step.overhead} + size",
    ]


def _cleaning(address: Address) -> list[str]:
    """The lines for an address.

    What they take off `growth` is what was removed by its characters. Bytes are as many or more, so that
    `growth` is never too small.
    """
    made = _cleaning_in_parts(address) if address.derived else _cleaning_whole(address)
    taken = f"value = payload.{address.field}"
    if not address.optional:
        return [taken, *made]
    nothing = "".join(f"payload.{step.column} = " for step in address.derived)
    missing = f"{nothing}None" if nothing else "pass"
    return [taken, "if value is None:", f"    {missing}", "else:", *(f"    {line}" for line in made)]


def _cleaning_whole(address: Address) -> list[str]:
    return [
        f"kept = known_address_{address.name}(value) or new_address_{address.name}(value)",
        "if kept != value:",
        "    growth += len(kept) - len(value)",
        f"    payload.{address.field} = kept",
    ]


def _cleaning_in_parts(address: Address) -> list[str]:
    """For what more is derived from: remembered up to the query, since of that little comes again."""
    field, name = f"payload.{address.field}", address.name
    columns = ", ".join([field, *(f"payload.{step.column}" for step in address.derived)])
    overhead = sum(step.overhead for step in address.derived)
    return [
        "head, mark, query = value.partition('?')",
        f"{columns}, size = known_head_{name}(head) or new_head_{name}(head)",
        f"growth += {overhead} + size",
        "if mark:",
        "    growth -= len(query) + 1",
        f"    if {commonprefix(address.kept)!r} in query and '#' not in head:",  # noqa: RUF071
        f"        query = known_query_{name}(query) or new_query_{name}(query)",
        "        growth += len(query)",
        f"        {field} += query",
    ]


def _with_value(step: Step, made: Iterable[str]) -> list[str]:
    taken = f"value = payload.{step.field}"
    if not step.optional:
        return [taken, *made]
    column = f"column_{step.column}" if step.replaces else f"payload.{step.column}"
    return [taken, "if value is None:", f"    {column} = None", "else:", *(f"    {line}" for line in made)]

"""The fast path from a record's bytes to the row of an event, as one function generated for a stream.

It runs for every event. A loop over an event type's enrichments would cost more than the enrichments
themselves (most are remembered), and a call from one step to the next as much as many a step. So its source
is put together here, from the declared steps, and compiled: names in it come from Python identifiers of the
contract and from its annotations, which `penstock contracts check` holds to be such; values of events never.
What it does for an event that breaks a rule stands in `transforms.gate.rules`.
"""

import linecache
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from msgspec import UNSET
from msgspec.json import Encoder

from transforms.contracts import LakeTable
from transforms.gate import rules as refusals
from transforms.gate.accept_lines import lines_for, memory_name
from transforms.gate.addresses import cleaned, head_of, json_size, query_of
from transforms.gate.enrich import DERIVED, Enrichment, Memo, personal
from transforms.gate.framing import LARGEST_RECORD, check_names
from transforms.gate.outcome import Accepted, Dropped, Outcome
from transforms.gate.rows import Address, RowPlan, Step, decoder
from transforms.gate.times import MILLISECOND_OF, Seconds

Accept: TypeAlias = Callable[[bytes, int, str, bytearray], Outcome]
"""(record bytes, arrival time in epoch milliseconds, the same as text, memory) -> Accepted or Dropped.

Raises RefusedError for an event that a rule refuses, and whatever the decoder does for what is not an event.
The memory is one bytearray for many records: each row goes where the last one was, and copied out, which
costs less than to take new memory for each and to give back what is too much.
"""

_CHECKS = """
def accept(raw, arrival_ms, arrival_time, written):
    if len(raw) > LARGEST_RECORD:
        raise too_large(raw)
    event = decode(raw)
    source = event.source
    if source_of(event.producer_id) != source:
        add_producer(event.producer_id, source)
    if event.event_id.encode().translate(SHAPE) != EVENT_ID:
        raise no_event_id()
    event_time = event.event_time
    try:
        event_hour, event_ms = seconds[event_time[TO_SECOND]]
        event_ms += MILLISECOND_OF[event_time[FRACTION]]
    except KeyError:
        event_hour, event_time, event_ms = read_time(event_time)
    lag_ms = arrival_ms - event_ms
    if lag_ms > past_ms or lag_ms < early_ms or event_ms < floor_ms:
        check_time(lag_ms, event_ms, source)
    is_late = lag_ms > late_ms
    payload = event.payload
    kind = type(event)
"""

# The shortest duplicate of a name takes 6 bytes (`,"a":1`), the event time may be 4 bytes shorter in the
# record than in the row, and the row has a newline more: a record with a duplicate is at least 1 byte longer
# than its event written compactly, which is the row less what `growth` sums up.
_END = """
    row = join((written, NEWLINE))
    if len(raw) - len(row) + growth > 0:
        check_names(raw)
    return Accepted(row, event_hour, is_late, lag_ms)
"""


def accepts(
    table: LakeTable, layered: Sequence[Sequence[RowPlan]], *, key_id: str, key: bytes
) -> list[Accept]:
    """Write the function for the events of each layer; they share what they remember."""
    seconds, producers, times = Seconds(), refusals.KnownProducers(), refusals.TimeRules(table.stream)
    names: dict[str, Any] = {
        **{name: getattr(refusals, name) for name in ("SHAPE", "EVENT_ID", "too_large", "no_event_id")},
        **{name: getattr(times, name) for name in ("past_ms", "early_ms", "floor_ms", "late_ms")},
        "LARGEST_RECORD": LARGEST_RECORD,
        "MILLISECOND_OF": MILLISECOND_OF,
        "TO_SECOND": slice(len("2026-11-24T10:11:12")),
        "FRACTION": slice(len("2026-11-24T10:11:12"), None),
        "UNSET": UNSET,
        "NEWLINE": b"\n",
        "join": b"".join,
        "Accepted": Accepted,
        "Dropped": Dropped,
        "source_of": producers.get,
        "add_producer": producers.add,
        "seconds": seconds,
        "read_time": partial(refusals.read_time, seconds),
        "check_time": times.check,
        "reserved_sequence": refusals.reserved_sequence,
        "check_names": check_names,
        "key_id": key_id,
        "encode": Encoder().encode,
        "encode_into": Encoder().encode_into,
        **_memories((step for layer in layered for plan in layer for step in plan.steps), key),
        **_address_memories(address for layer in layered for plan in layer for address in plan.addresses),
    }
    return [_compiled(table, layer, names) for layer in layered]


def _memories(steps: Iterable[Step], key: bytes) -> Mapping[str, Any]:
    """What the enrichments remember, by the names that the source has for asking and for adding."""
    found: dict[str, Any] = {}
    for step in steps:
        memo: Memo[Any] = (
            Memo(personal(step.enrichment, key))
            if step.replaces
            else Memo(_measured(DERIVED[step.enrichment].function))
        )
        found.setdefault(f"known_{memory_name(step)}", memo.get)
        found.setdefault(f"new_{memory_name(step)}", memo.add)
    return found


def _address_memories(addresses: Iterable[Address]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for address in addresses:
        kept = frozenset(address.kept)
        memories: Mapping[str, Memo[Any]] = {
            "address": Memo(partial(cleaned, kept=kept)),
            "head": Memo(_measured_head(address)),
            "query": Memo(partial(query_of, kept=kept)),
        }
        for name, memory in memories.items():
            found[f"known_{name}_{address.name}"] = memory.get
            found[f"new_{name}_{address.name}"] = memory.add
    return found


def _measured_head(address: Address) -> Callable[[str], tuple[Any, ...]]:
    """What stands before the query, as it is kept, what is derived from it, and how many bytes that adds."""
    derivations = [DERIVED[step.enrichment].function for step in address.derived]

    def head(value: str) -> tuple[Any, ...]:
        kept = head_of(value)
        derived = [derive(kept) for derive in derivations]
        return kept, *derived, sum(map(json_size, (kept, *derived))) - json_size(value)

    return head


def _measured(derive: Enrichment) -> Callable[[str], tuple[str, int]]:
    """The enrichment, with how many bytes its text has in JSON."""

    def derived(value: str) -> tuple[str, int]:
        text = derive(value)
        return text, json_size(text)

    return derived


def _compiled(table: LakeTable, layer: Sequence[RowPlan], shared: Mapping[str, Any]) -> Accept:
    names = {**shared, "decode": decoder(layer).decode}
    source = _CHECKS
    for number, plan in enumerate(layer):
        names[f"Event{number}"], names[f"Row{number}"] = plan.event_class, plan.row_class
        source += f"    {'elif' if number else 'if'} kind is Event{number}:\n"
        source += "".join(f"        {line}\n" for line in lines_for(plan, table, number, names["key_id"]))
    source, name = source + _END, f"<accept {table.name} {layer[0].event_class.__name__}>"
    # As attrs does for what it writes: so that tracebacks and debuggers have its lines.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), names)  # noqa: S102  see above
    accept: Accept = names["accept"]
    return accept

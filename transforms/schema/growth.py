"""How much an event may grow on its way through the transformation, and what that means for Lambda's 6 MB.

Firehose sends batches of about the buffer hint (raw bytes, as a hint) and gets back rows. An event grows by
columns of a fixed size, and by derived texts that are at most as long as the field that they come from.
So the largest answer to a batch follows from the contract alone, and is checked when contracts are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from producers.contracts import EventType
from transforms.contracts import LakeTable
from transforms.function.batch import LARGEST_ANSWER
from transforms.function.marshal import ANSWER_ENVELOPE
from transforms.gate.enrich import PSEUDONYM_SIZE
from transforms.gate.rows import row_plan

BUFFER_HINT = 1_048_576
"""Bytes of the Lambda buffer hint that the bound is made for: Firehose's default, 1 MB."""

_LONGEST_RECORD_ID = 64
_LONGEST_KEY_ID = 16


@dataclass(frozen=True)
class Growth:
    """Of one event type: rows have at most `fixed` bytes more than events, and `share` of their size."""

    fixed: int
    share: float
    smallest: int
    """Bytes of the smallest event of the type."""


def growth_of(table: LakeTable, event_type: EventType) -> Growth:
    """The bound of one delivered event type."""
    plan = row_plan(table, event_type)
    fixed = plan.fixed_growth + _LONGEST_KEY_ID + len("false") + len("\n")
    fixed += sum(step.overhead + PSEUDONYM_SIZE for step in plan.steps if step.replaces)
    derived = [step for step in plan.steps if not step.replaces]
    fixed += sum(step.overhead for step in derived)
    return Growth(fixed, float(len(derived)), _smallest(event_type))


def largest_answer(table: LakeTable, buffer_hint: int = BUFFER_HINT) -> int:
    """Bytes of the largest answer to a batch of `buffer_hint` bytes of accepted events: the bound."""
    largest = 0
    for event_type in table.delivered:
        growth = growth_of(table, event_type)
        records = buffer_hint // growth.smallest
        rows = buffer_hint * (1 + growth.share) + records * growth.fixed
        largest = max(largest, int(rows * 4 / 3) + records * (ANSWER_ENVELOPE + _LONGEST_RECORD_ID + 4))
    return largest


def growth_findings(table: LakeTable) -> Iterator[str]:
    """A sentence when a batch of the buffer hint's size could pass Lambda's limit."""
    largest = largest_answer(table)
    if largest > LARGEST_ANSWER:
        yield (
            f"{table.name}: {BUFFER_HINT} bytes of events could make an answer of {largest} bytes; "
            f"{LARGEST_ANSWER} are allowed. Take back an added column, or lower the Lambda buffer hint."
        )


def _smallest(event_type: EventType) -> int:
    """Bytes of an event with required members only, each as short as it may be."""
    envelope = (
        '{"event_type":"","event_id":"01927f2e-7b1c-7abc-8def-0123456789ab","schema_version":1,'
        '"event_time":"2026-11-24T10:11:12Z","source":"a","producer_id":"a","epoch":0,"seq":1,"payload":{}}'
    )
    required = [each.name for each in msgspec.structs.fields(event_type.payload) if each.required]
    # A member takes its name, two quotes, a colon, a comma between, and one byte of value at the least.
    return len(envelope) + len(event_type.name) + sum(len(name) + 4 for name in required)

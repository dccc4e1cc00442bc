"""What becomes of one record: it is accepted as a row, dropped on purpose, or failed with a reason."""

from typing import Literal, TypeAlias

from msgspec import Struct

Reason: TypeAlias = Literal[
    "empty",
    "too_large",
    "compressed",
    "aggregated",
    "bad_request",
    "not_utf8",
    "not_json",
    "too_deep",
    "duplicate_key",
    "unknown_type",
    "unknown_version",
    "unreadable_line",
    "missing_field",
    "unknown_field",
    "wrong_type",
    "wrong_format",
    "wrong_length",
    "out_of_range",
    "not_allowed",
    "reserved_sequence",
    "bad_time",
    "too_old",
    "too_new",
    "mixed_hours",
    "mixed_outcomes",
    "answer_full",
    "internal",
]
"""Why a record failed. The set is closed: a reason is a metric's name and a filter of `penstock failed`."""


class Accepted(Struct, frozen=True, gc=False):
    """The record is one event (or, with lines framing, several of one hour), and here is its row.

    Attributes:
        row: JSON of the lake row, ended by a newline; one line per event.
        event_hour: the lake partition, `2026-11-24-10`.
        is_late: arrived later than the stream's allowed lateness.
        lag_ms: arrival minus event time.
        events: how many rows `row` holds.
    """

    row: bytes
    event_hour: str
    is_late: bool
    lag_ms: int
    events: int = 1


class Dropped(Struct, frozen=True, gc=False):
    """The event is one that is counted and not kept. (producer_id, epoch, seq) keeps it in the books."""

    event_type: str
    producer_id: str
    epoch: int
    seq: int
    event_hour: str


class Failed(Struct, frozen=True, gc=False):
    """The record cannot become a row.

    Attributes:
        reason: one of the closed set.
        place: where, in names of the contract only: `$.payload.url`, `byte 17`, `line 3: $.seq`.
        detail: a sentence for whoever repairs it. It may quote the record, so no log or listing has it.
    """

    reason: Reason
    place: str = ""
    detail: str = ""


Outcome: TypeAlias = Accepted | Dropped | Failed


class RefusedError(Exception):
    """A rule says no. Raised and caught inside this stage only; becomes `Failed`."""

    def __init__(self, reason: Reason, place: str, detail: str) -> None:
        super().__init__(reason)
        self.failed = Failed(reason, place, detail)

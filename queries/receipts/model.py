"""What a receipt holds. Times are epoch milliseconds; `value` is a JSON value."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Version(Struct, frozen=True, kw_only=True):
    """One version of the partition; `value` is the cell's in it, `has_row` False where it has no such row.

    `value_is_kept` is False where its files are gone. `came_since` are the events behind the served number
    that the version had not yet, `late_since` those of them that are late; None where that is not known.
    """

    number: int
    is_served: bool
    value: Any
    has_row: bool
    value_is_kept: bool
    published_at: int
    data_as_of: int
    run: str
    query_execution_id: str
    bytes_scanned: int
    dollars: float
    sql_sha: str
    sql: str | None
    input_objects: int
    input_bytes: int
    input_digest: str
    came_since: int | None = None
    late_since: int | None = None


class LakeObject(Struct, frozen=True):
    """An object that the version read, when it was written, and how many of the events lie in it."""

    url: str
    bytes: int
    arrived_at: int
    events: int


class EventGroup(Struct, frozen=True):
    """Events of one type and source: how many, how many of them late, how many further copies they have."""

    event_type: str
    source: str
    events: int
    late: int
    copies: int


class Sample(Struct, frozen=True):
    """One event by its names; nothing of its payload."""

    event_id: str
    event_type: str
    event_time: str
    arrival_time: str
    is_late: bool
    source: str
    producer_id: str
    epoch: int
    seq: int
    object: str


class ProducerRun(Struct, frozen=True, kw_only=True):
    """One run of a producer that events came from: its numbers here, and its whole sequence.

    `known` is the last number that is known of it; `missing` are those in no place, like `17,44-46`.
    """

    producer_id: str
    epoch: int
    events: int
    first_seq: int
    last_seq: int
    known: int = 0
    is_audited: bool = False
    has_ended: bool = False
    landed: int = 0
    failed: int = 0
    dropped: int = 0
    missing: str = ""
    missing_count: int = 0


class Refused(Struct, frozen=True):
    """Failed records of the partition's hours with one reason; `replayed` of them are in the lake today."""

    reason: str
    records: int
    replayed: int


class NotLanded(Struct, frozen=True):
    """What of one hour of event time failed or was dropped; `replayed`: the failed in the lake today."""

    hour: str
    failed: int
    replayed: int
    dropped: int


class Receipt(Struct, frozen=True, kw_only=True):
    """What is known of one number.

    Attributes:
        headline: the first line: whether anything is lost, and which number it is.
        findings: what keeps it from being whole; empty when nothing does.
        untraced: why its events cannot be listed; empty when they are.
        unknown: what was not looked at, with the reason.
        refused, hours: what of the partition's hours failed or was dropped, by reason and by hour.
        without_hour, dropped_without_hour: failed records and dropped events whose time is not known.
        delivered_until: until when all that was on the stream is in the lake; None: not known.
        statement: SQL that lists every event.
        digest: over the cell, its inputs and its SQL; equal for receipts of the same number.
    """

    headline: str
    report: str
    title: str
    partition: str
    keys: Mapping[str, Any]
    column: str
    type: str
    value: Any
    condition: str
    findings: tuple[str, ...]
    untraced: str
    unknown: tuple[str, ...]
    versions: tuple[Version, ...]
    objects: tuple[LakeObject, ...]
    newer_objects: int
    events: int
    groups: tuple[EventGroup, ...]
    samples: tuple[Sample, ...]
    copies_removed: int
    producers: tuple[ProducerRun, ...]
    refused: tuple[Refused, ...]
    hours: tuple[NotLanded, ...]
    without_hour: int
    dropped_without_hour: int
    delivered_until: int | None
    statement: str
    statements_run: int
    bytes_scanned: int
    dollars: float
    digest: str
    made_at: int


class Change(Struct, frozen=True):
    """One event that counts in one of two versions only, and why."""

    event: Sample
    is_added: bool
    why: str


class Comparison(Struct, frozen=True, kw_only=True):
    """What made the difference between two versions of a number.

    `by_sql` is what the changed SQL gives over the older version's objects; None where the SQL is the same.
    """

    headline: str
    report: str
    partition: str
    keys: Mapping[str, Any]
    column: str
    old: Version
    new: Version
    by_sql: Any
    sql_changed: bool
    sql_changes: str
    changes: tuple[Change, ...]
    counts: Mapping[str, int]
    unexplained: str
    digests: tuple[str, str]

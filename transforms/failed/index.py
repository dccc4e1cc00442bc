"""The index of failed records: what of each one may be listed, counted and filtered.

A failed record is raw, so it holds personal data. What an entry may hold is a closed list, field by field:
names that the contract knows, Firehose's code of the error, times, numbers, and the identifiers by which the
producer names its events. No text of the record is in it, masked or not: a pattern lets through what it does
not expect. Only `explain` shows a record, the one that is asked for.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from producers.contracts import UNREADABLE_LINE
from transforms.failed.error_objects import FailedRecord
from transforms.failed.event_review import EventReviewer, Judged
from transforms.failed.line_reasons import Vocabulary, known_words
from transforms.gate.outcome import Dropped, Failed, Outcome

ACCEPTED_NOW, DROPPED_NOW = "accepted_now", "dropped_now"
"""Reasons of records that the rules do not refuse: they failed for another cause, or under other rules."""


@dataclass(frozen=True)
class IndexEntry:
    """One event of a failed record.

    Attributes:
        reason: why the rules refuse it, or ACCEPTED_NOW, DROPPED_NOW.
        event_type: empty when it is none that is declared.
        event_time, arrival_time: UTC; empty when unknown.
        line, line_length, line_reason: of `unreadable_line` the number of the line in its source, its
            characters, and why it could not be read, in the words of `transforms.failed.line_reasons`.
        is_replayed: rows of its record are in the lake.
        stream: whose contract it was validated against.
    """

    record_id: str
    object_key: str
    kind: str
    code: str
    attempts: int
    arrival_time: str
    reason: str
    place: str
    event_type: str
    event_time: str
    producer_id: str
    epoch: int | None
    seq: int | None
    line: int | None = None
    line_length: int | None = None
    line_reason: str = ""
    is_replayed: bool = False
    stream: str = ""

    @property
    def is_to_replay(self) -> bool:
        """It counts as failed only because nobody has replayed it yet."""
        return self.reason == ACCEPTED_NOW and not self.is_replayed


def entries_of(record: FailedRecord, found: Iterable[Judged], vocabulary: Vocabulary) -> Iterator[IndexEntry]:
    """The entries of a failed record that was validated."""
    return (_entry(record, judged, vocabulary) for judged in found)


def entry_of_row(record: FailedRecord, reviewer: EventReviewer) -> IndexEntry:
    """The entry of a record that failed behind the transformation, whether or not it is a row: its reason is
    Firehose's kind of error. Whether it fits the lake table now takes what reads tables; see `Reviewer`.
    """
    streams = [table.stream.name for table, _ in reviewer.of(record.origin)]
    stream = streams[0] if len(streams) == 1 else ""
    return _made(record, record.raw, _code(record.kind), "", stream, reviewer.vocabulary)


def reason_of(outcome: Outcome) -> str:
    """The outcome as a reason of the index."""
    if isinstance(outcome, Failed):
        return outcome.reason
    return DROPPED_NOW if isinstance(outcome, Dropped) else ACCEPTED_NOW


class _Names(Struct, gc=False):
    event_type: Any = None
    event_time: Any = None
    producer_id: Any = None
    epoch: Any = None
    seq: Any = None
    payload: Any = None


def _entry(record: FailedRecord, judged: Judged, vocabulary: Vocabulary) -> IndexEntry:
    outcome = judged.outcome
    place = outcome.place if isinstance(outcome, Failed) else ""
    stream = judged.table.stream.name
    return _made(record, judged.raw, reason_of(outcome), place, stream, vocabulary)


def _made(
    record: FailedRecord, raw: bytes, reason: str, place: str, stream: str, vocabulary: Vocabulary
) -> IndexEntry:
    names = _names(raw)
    line, length, why = (
        _source_line(names, vocabulary) if reason == UNREADABLE_LINE.name else (None, None, "")
    )
    return IndexEntry(
        record_id=record.record_id,
        object_key=record.object_key,
        kind=_code(record.kind),
        code=_code(record.code),
        attempts=record.attempts,
        arrival_time=_utc(record.arrival_ms),
        reason=reason,
        place=place,
        event_type=_declared(names.event_type, vocabulary),
        event_time=_moment(names.event_time),
        producer_id=_identifier(names.producer_id),
        epoch=_whole(names.epoch),
        seq=_whole(names.seq),
        line=line,
        line_length=length,
        line_reason=why,
        stream=stream,
    )


def _names(raw: bytes) -> _Names:
    try:
        return msgspec.json.decode(raw, type=_Names)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return _Names()


_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def _declared(value: Any, vocabulary: Vocabulary) -> str:
    return value if isinstance(value, str) and value in vocabulary.event_types else ""


def _identifier(value: Any) -> str:
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else ""


def _code(value: str) -> str:
    """Firehose's code, unless it is none: what is in an error object need not be Firehose's."""
    return value if _CODE.fullmatch(value) else ""


_CODE = re.compile(r"[A-Za-z][A-Za-z.-]{0,79}")


def _whole(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 2**53 else None


def _moment(value: Any) -> str:
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return ""
    return f"{moment.isoformat(timespec='milliseconds')[:23]}Z"


def _utc(epoch_ms: int) -> str:
    try:
        moment = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{moment.isoformat(timespec='milliseconds')[:23]}Z" if epoch_ms else ""


def _source_line(names: _Names, vocabulary: Vocabulary) -> tuple[int | None, int | None, str]:
    """The line's number, its length, and why it is unreadable. Its text can hold anything, and so can the
    name of its file.
    """
    payload = names.payload if isinstance(names.payload, dict) else {}
    number = _LINE_NUMBER.search(str(payload.get("position", "")))
    line, why = payload.get("line"), payload.get("reason")
    length = len(line) if isinstance(line, str) else None
    reason = known_words(why if isinstance(why, str) else "", vocabulary)
    return int(number[1]) if number else None, length, reason


_LINE_NUMBER = re.compile(r":(\d{1,15})\Z", re.ASCII)

Facet = Callable[[IndexEntry], str]

FACETS: Mapping[str, Facet] = {
    "reason": lambda entry: entry.reason,
    "stream": lambda entry: entry.stream,
    "type": lambda entry: entry.event_type or "(none)",
    "kind": lambda entry: entry.kind or "(none)",
    "producer": lambda entry: entry.producer_id or "(none)",
    "hour": lambda entry: entry.arrival_time[:13] or "(none)",
}
"""What entries are counted by. `hour` is that of arrival."""


def counted(entries: Iterable[IndexEntry], facet: str) -> dict[str, int]:
    """Number of entries by facet, the most frequent first, then by name."""
    counts = Counter(map(FACETS[facet], entries))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True)
class Selection:
    """Which entries are meant. Empty members select everything; times compare with the arrival time."""

    reasons: frozenset[str] = frozenset()
    event_types: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    producers: frozenset[str] = frozenset()
    since: str = ""
    until: str = ""
    streams: frozenset[str] = frozenset()

    def takes_all_of(self, kind: str) -> bool:
        """Whether every entry of this kind of error is meant, whatever else it is."""
        others = (self.reasons, self.event_types, self.producers, self.since, self.until, self.streams)
        return not any(others) and (not self.kinds or kind in self.kinds)

    def __contains__(self, entry: object) -> bool:
        if not isinstance(entry, IndexEntry):
            return False
        allowed = (
            (self.reasons, entry.reason),
            (self.event_types, entry.event_type),
            (self.kinds, entry.kind),
            (self.producers, entry.producer_id),
            (self.streams, entry.stream),
        )
        is_in_time = entry.arrival_time >= self.since and (not self.until or entry.arrival_time < self.until)
        return is_in_time and all(not wanted or value in wanted for wanted, value in allowed)

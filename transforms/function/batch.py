"""One batch: every record of a request validated and answered, within Lambda's limit, and counted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cached_property
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from transforms.function.marshal import Answer, Form, Record, Request, Unreadable, base64_size
from transforms.gate.accept import Accept
from transforms.gate.outcome import Accepted, Dropped, Failed, Outcome, Reason, RefusedError
from transforms.gate.times import Arrivals

Written = TypeVar("Written")


class Judges(Protocol):
    """Says what becomes of records; see `transforms.gate.gate.Gate`."""

    @property
    def accept(self) -> Accept:
        """The fast path, which raises for what is not in order."""

    def explain(self, raw: bytes, arrival_ms: int, error: Exception) -> Outcome:
        """The outcome of a record that `accept` raised this error for, unless it was a RefusedError."""


LARGEST_ANSWER = 6_291_556 - 64_000
"""Bytes of answer that are never passed: Lambda's limit of a synchronous call, less a margin."""
SAMPLES = 3
"""Record ids in the log line for each reason."""

_UNREADABLE = Failed("bad_request", "", "The record of the request has no base64 data or no arrival time.")


class Batch(Struct, frozen=True, dict=True):
    """The answers, in the order of the records, and what they are. No value of an event is in the counts.

    Attributes:
        accepted, late: rows given to Firehose, and those of them that are late.
        lag_ms: the largest arrival minus event time.
        failed_ids: reason -> the records that failed for it.
        dropped_seqs: (event hour, producer id, epoch) -> the sequence numbers of events counted and not kept.
    """

    answers: list[Answer]
    bytes_in: int
    accepted: int
    late: int
    lag_ms: int
    failed_ids: Mapping[Reason, Sequence[str]]
    dropped_seqs: Mapping[tuple[str, str, int], Sequence[int]]

    @cached_property
    def dropped(self) -> int:
        """Events counted and not kept."""
        return sum(map(len, self.dropped_seqs.values()))

    @cached_property
    def failed(self) -> Counter[str]:
        """Failed records by reason."""
        return Counter({reason: len(ids) for reason, ids in self.failed_ids.items()})

    @property
    def failed_percent(self) -> float:
        """Of the records, how many failed."""
        return 100 * self.failed.total() / len(self.answers) if self.answers else 0.0

    def facts(self) -> dict[str, Any]:
        """The members of the log line. `dropped_seqs` names the dropped: producer/epoch -> `17,44-46`.

        `dropped_hours` does the same for each event hour.
        """
        by_run: dict[str, list[int]] = {}
        by_hour: dict[str, dict[str, str]] = {}
        for (hour, producer_id, epoch), seqs in self.dropped_seqs.items():
            run = f"{producer_id}/{epoch}"
            by_run.setdefault(run, []).extend(seqs)
            by_hour.setdefault(hour, {})[run] = ranges(set(seqs))
        return {
            "records": len(self.answers),
            "accepted": self.accepted,
            "late": self.late,
            "dropped": self.dropped,
            "failed": self.failed.total(),
            "failed_by_reason": dict(self.failed),
            "failed_record_ids": {reason: ids[:SAMPLES] for reason, ids in self.failed_ids.items()},
            "dropped_seqs": {run: ranges(set(seqs)) for run, seqs in by_run.items()},
            "dropped_hours": by_hour,
        }


def run(request: Request, judges: Judges, form: Form[Written]) -> tuple[Batch, Written]:
    """Validate and answer every record, in the form that is asked for.

    The answer grows to LARGEST_ANSWER at most: a record whose data would not fit any more is failed without
    data. Firehose writes it whole to its error object, from where it is replayed. `judges` must be pure: they
    are asked a second time when the answer would be too large.
    """
    batch = _answered(request.records, judges, form.metadata)
    answer = form.write(batch.answers)
    surplus = form.size(answer) - LARGEST_ANSWER
    if surplus > 0:
        batch = _answered(request.records, judges, form.metadata, _last(batch.answers, surplus))
        answer = form.write(batch.answers)
    return batch, answer


def _answered(
    records: Sequence[Record | Unreadable],
    judges: Judges,
    metadata: Mapping[str, Any],
    bare: Set[str] = frozenset(),
) -> Batch:
    """The batch. Records named in `bare` get no data back.

    One loop from the record to its answer, so that no outcome outlives its turn: what is made next finds its
    memory still in the processor's cache. So does a row, which is written where the last one was.
    """
    answers: list[Answer] = []
    failed: dict[Reason, list[str]] = {}
    dropped: dict[tuple[str, str, int], list[int]] = {}
    late = bytes_in = events = 0
    lag_ms = -(10**15)
    answered, accept, explain, written = answers.append, judges.accept, judges.explain, bytearray()
    text_of, arrival_time = Arrivals().text, ""
    arrival_ms: int | None = None
    for record in records:
        record_id, raw = record.recordId, record.data
        bytes_in += len(raw)
        if type(record) is Record:
            this_ms = record.approximateArrivalTimestamp
            try:
                if this_ms != arrival_ms:
                    arrival_time, arrival_ms = text_of(this_ms), this_ms
                outcome = accept(record.data, this_ms, arrival_time, written)
            except RefusedError as refused:
                outcome = refused.failed
            except Exception as error:  # noqa: BLE001  whatever bytes can make a decoder raise
                outcome = explain(record.data, this_ms, error)
        else:
            outcome = _UNREADABLE
        if type(outcome) is Accepted and not (bare and record_id in bare):
            answered(Answer(record_id, "Ok", outcome.row, metadata[outcome.event_hour]))
            events += outcome.events
            if outcome.is_late:
                late += 1
            if outcome.lag_ms > lag_ms:  # noqa: PLR1730  a call of max() costs a hundredth of the whole job
                lag_ms = outcome.lag_ms
        elif type(outcome) is Dropped:
            answered(Answer(record_id, "Dropped"))
            named = (outcome.event_hour, outcome.producer_id, outcome.epoch)
            dropped.setdefault(named, []).append(outcome.seq)
        else:
            answered(Answer(record_id, "ProcessingFailed", b"" if record_id in bare else raw))
            reason = outcome.reason if isinstance(outcome, Failed) else "answer_full"
            failed.setdefault(reason, []).append(record_id)
    return Batch(answers, bytes_in, events, late, lag_ms if events else max(lag_ms, 0), failed, dropped)


def _last(answers: Sequence[Answer], surplus: int) -> Set[str]:
    """The last records of an answer whose data is as many bytes in it, or just more."""
    found = set()
    for answer in reversed(answers):
        if surplus <= 0:
            break
        if answer.data:
            found.add(answer.recordId)
            surplus -= base64_size(answer.data)
    return found


def ranges(numbers: Iterable[int] | Sequence[int]) -> str:
    """Whole numbers as `17,44-46`: ascending, neighbours joined."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number <= spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)

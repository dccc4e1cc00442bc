"""One batch: every record of a request judged and answered, within Lambda's limit, and counted."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, TypeAlias

from msgspec import Struct

from transforms.marshal import Answer, Record, Request, Unreadable
from transforms.outcome import Accepted, Dropped, Failed, Outcome

Judge: TypeAlias = Callable[[bytes, int], Outcome]
"""(record bytes, arrival time in epoch milliseconds) -> what becomes of the record."""

LARGEST_ANSWER = 6_291_556 - 64_000
"""Bytes of answer that are never passed: Lambda's limit of a synchronous call, less a margin."""
ANSWER_ENVELOPE = 128
"""Bytes of an answer around record id and data, at most. A test compares it with real answers."""

SAMPLES = 3
"""Record ids in the log line for each reason."""

_UNREADABLE = Failed("bad_request", "", "The record of the request has no base64 data or no arrival time.")
_FULL = Failed("answer_full", "", "The answer would have passed Lambda's limit with this record.")


class Batch(Struct, frozen=True):
    """The answers, in the order of the records, and what they are. No value of an event is in the counts.

    Attributes:
        accepted, late: rows given to Firehose, and those of them that are late.
        lag_ms: the largest arrival minus event time.
        others: record id and outcome of what was not accepted.
    """

    answers: list[Answer]
    bytes_in: int
    accepted: int
    late: int
    lag_ms: int
    others: list[tuple[str, Dropped | Failed]]

    @property
    def dropped(self) -> int:
        """Events counted and not kept."""
        return sum(type(outcome) is Dropped for _, outcome in self.others)

    @property
    def failed(self) -> Counter[str]:
        """Failed records by reason."""
        return Counter(outcome.reason for _, outcome in self.others if isinstance(outcome, Failed))

    def facts(self) -> dict[str, Any]:
        """The members of the log line. `dropped_seqs` names the dropped: producer/epoch -> `17,44-46`."""
        samples: dict[str, list[str]] = {}
        for record_id, outcome in self.others:
            if (
                isinstance(outcome, Failed)
                and len(of_reason := samples.setdefault(outcome.reason, [])) < SAMPLES
            ):
                of_reason.append(record_id)
        return {
            "records": len(self.answers),
            "accepted": self.accepted,
            "late": self.late,
            "dropped": self.dropped,
            "failed": self.failed.total(),
            "failed_by_reason": dict(self.failed),
            "failed_record_ids": samples,
            "dropped_seqs": _named(outcome for _, outcome in self.others if isinstance(outcome, Dropped)),
        }


def run(request: Request, judge: Judge, metadata: Mapping[str, Any]) -> Batch:
    """Judge and answer every record. `metadata` has the answer's metadata for each event hour.

    The answer grows to LARGEST_ANSWER at most: a record whose data would not fit any more is failed without
    data. Firehose writes it whole to its error object, from where it is replayed. `judge` must be pure: it is
    asked a second time when the answer would be too large.
    """
    batch, size = _answered(request.records, judge, metadata)
    if size > LARGEST_ANSWER:
        fitting, bare = _fitting(request.records, judge)
        batch, _ = _answered(request.records, fitting, metadata, bare)
    return batch


def _answered(
    records: Sequence[Record | Unreadable],
    judge: Judge,
    metadata: Mapping[str, Any],
    bare: Set[str] = frozenset(),
) -> tuple[Batch, int]:
    """The batch, and how large its answer is at most. Failed records named in `bare` get no data back.

    One loop from the record to its answer, so that no outcome outlives its turn: what is made next finds its
    memory still in the processor's cache.
    """
    answers: list[Answer] = []
    others: list[tuple[str, Dropped | Failed]] = []
    accepted = late = bytes_in = bytes_out = of_ids = 0
    lag_ms = -(10**15)
    answered = answers.append
    for record in records:
        record_id, raw = record.recordId, record.data
        bytes_in += len(raw)
        of_ids += len(record_id)
        outcome = (
            judge(record.data, record.approximateArrivalTimestamp) if type(record) is Record else _UNREADABLE
        )
        if type(outcome) is Accepted:
            row = outcome.row
            bytes_out += len(row)
            answered(Answer(record_id, "Ok", row, metadata[outcome.event_hour]))
            accepted += outcome.events
            if outcome.is_late:
                late += 1
            if outcome.lag_ms > lag_ms:  # noqa: PLR1730  a call of max() costs a hundredth of the whole job
                lag_ms = outcome.lag_ms
            continue
        assert not isinstance(outcome, Accepted)
        if type(outcome) is Dropped:
            answered(Answer(record_id, "Dropped"))
        else:
            returned = b"" if record_id in bare else raw
            bytes_out += len(returned)
            answered(Answer(record_id, "ProcessingFailed", returned))
        others.append((record_id, outcome))
    size = of_ids + (ANSWER_ENVELOPE + 4) * len(records) + bytes_out * 4 // 3
    return Batch(answers, bytes_in, accepted, late, lag_ms if accepted else max(lag_ms, 0), others), size


def _fitting(records: Sequence[Record | Unreadable], judge: Judge) -> tuple[Judge, Set[str]]:
    """What to ask instead of `judge`, in the order of the records, so that the rows fit into an answer; and
    the records that are answered without data.
    """
    room = LARGEST_ANSWER - sum([len(record.recordId) + ANSWER_ENVELOPE + 4 for record in records])
    fitting: list[Outcome] = []
    bare = set()
    for record in records:
        outcome = (
            judge(record.data, record.approximateArrivalTimestamp) if type(record) is Record else _UNREADABLE
        )
        data = outcome.row if isinstance(outcome, Accepted) else record.data
        takes = 0 if isinstance(outcome, Dropped) else len(data) * 4 // 3
        if takes > room:
            bare.add(record.recordId)
            outcome = _FULL if isinstance(outcome, Accepted) else outcome
        else:
            room -= takes
        if type(record) is Record:
            fitting.append(outcome)
    asked = iter(fitting)
    return lambda _raw, _arrival_ms: next(asked), bare


def _named(dropped: Iterable[Dropped]) -> dict[str, str]:
    found: dict[str, set[int]] = {}
    for event in dropped:
        found.setdefault(f"{event.producer_id}/{event.epoch}", set()).add(event.seq)
    return {name: ranges(numbers) for name, numbers in found.items()}


def ranges(numbers: Iterable[int] | Sequence[int]) -> str:
    """Whole numbers as `17,44-46`: ascending, neighbours joined."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number <= spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)

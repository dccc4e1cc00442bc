"""What one invocation did, as the facts of its log line and its metrics. No value of an event is in it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from transforms.marshal import Request
from transforms.outcome import Accepted, Dropped, Failed, Outcome

SAMPLES = 3


@dataclass(frozen=True)
class Summary:
    """Counts of one batch.

    Attributes:
        accepted: rows given to Firehose; `late` of them late; `lag_ms` the largest arrival minus event time.
        dropped: events counted and not kept; `dropped_seqs` names them: `producer/epoch` -> `17,44-46`.
        failed: failed records by reason, with `samples` of their record ids.
    """

    records: int
    bytes_in: int
    accepted: int
    late: int
    lag_ms: int
    dropped: int
    failed: dict[str, int]
    samples: dict[str, list[str]]
    dropped_seqs: dict[str, str]

    def facts(self) -> dict[str, Any]:
        """The members of the log line."""
        return {
            "records": self.records,
            "accepted": self.accepted,
            "late": self.late,
            "dropped": self.dropped,
            "failed": sum(self.failed.values()),
            "failed_by_reason": self.failed,
            "failed_record_ids": self.samples,
            "dropped_seqs": self.dropped_seqs,
        }


def summarize(request: Request, outcomes: Sequence[Outcome]) -> Summary:
    """Count the outcomes of one batch."""
    accepted = [outcome for outcome in outcomes if type(outcome) is Accepted]
    dropped = []
    failed: Counter[str] = Counter()
    samples: dict[str, list[str]] = {}
    if len(accepted) < len(outcomes):
        for record, outcome in zip(request.records, outcomes, strict=True):
            if type(outcome) is Failed:
                failed[outcome.reason] += 1
                of_reason = samples.setdefault(outcome.reason, [])
                if len(of_reason) < SAMPLES:
                    of_reason.append(record.recordId)
            elif type(outcome) is Dropped:
                dropped.append(outcome)
    return Summary(
        records=len(outcomes),
        bytes_in=sum([len(record.data) for record in request.records]),
        accepted=sum([outcome.events for outcome in accepted]),
        late=sum([outcome.is_late for outcome in accepted]),
        lag_ms=max([outcome.lag_ms for outcome in accepted], default=0),
        dropped=len(dropped),
        failed=dict(failed),
        samples=samples,
        dropped_seqs=_named(dropped),
    )


def _named(dropped: Iterable[Dropped]) -> dict[str, str]:
    found: dict[str, set[int]] = {}
    for event in dropped:
        found.setdefault(f"{event.producer_id}/{event.epoch}", set()).add(event.seq)
    return {name: ranges(numbers) for name, numbers in found.items()}


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers as `17,44-46`: ascending, neighbours joined."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number <= spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)

"""Events of failed records validated again, by the gates of the streams that they were on (pure).

Firehose keeps a failed record's bytes and not our reason. The gate is pure, so the reason is found again from
the bytes and the arrival time, also for records that failed before anyone asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transforms.contracts import LakeTable
from transforms.failed.error_objects import FailedRecord
from transforms.failed.line_reasons import Vocabulary
from transforms.gate.gate import Gate
from transforms.gate.outcome import Failed, Outcome


@dataclass(frozen=True)
class Judged:
    """One event of a failed record: its bytes, the table it belongs to, and its outcome."""

    raw: bytes
    table: LakeTable
    outcome: Outcome


class EventReviewer:
    """Validates events by the gates of all lake tables.

    Attributes:
        tables: the lake tables.
        vocabulary: what may be shown of their records.
    """

    def __init__(self, gates: Iterable[tuple[LakeTable, Gate]]) -> None:
        """`gates`: each lake table with its gate."""
        self._gates = list(gates)
        self.tables = tuple(table for table, _ in self._gates)
        self.vocabulary = Vocabulary.of(table.stream for table in self.tables)

    def events(self, record: FailedRecord, data: bytes) -> list[Judged]:
        """Every event in these bytes, by the gate of the record's stream. When that is not known, by one that
        knows the event's type, or else by the first.
        """
        found: list[Judged] = []
        for table, gate in self.of(record.origin):
            judged = [Judged(raw, table, outcome) for raw, outcome in gate.each(data, record.arrival_ms)]
            if not all(
                isinstance(each.outcome, Failed) and each.outcome.reason == "unknown_type" for each in judged
            ):
                return judged
            found = found or judged
        return found

    def of(self, origin: str) -> Sequence[tuple[LakeTable, Gate]]:
        """The gate of the stream that a record was on; every gate when that is not known."""
        named = [each for each in self._gates if is_origin(each[0], origin)]
        # `-transform` is the end of `-orders-transform` too.
        return [max(named, key=lambda each: len(each[0].stream.named("")))] if named else self._gates


def is_origin(table: LakeTable, origin: str) -> bool:
    """Whether Firehose means this table's stream: it names the table, or the stream's transformation."""
    return origin == table.name or origin.endswith(f"-{table.stream.named('transform').replace('_', '-')}")


def keyless_gates(tables: Iterable[LakeTable]) -> Iterable[tuple[LakeTable, Gate]]:
    """Gates that find the same reasons without any key: who lists or explains needs none.

    Rows that they make have `key_id` none; their pseudonyms mean nothing.
    """
    return ((table, Gate(table, key_id="none", key=bytes(32))) for table in tables)

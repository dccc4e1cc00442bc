"""Replay: failed records validated again, after a repair, and written into the lake where they belong.

Nothing goes back into the stream. Each error object has its own objects in the lake, one per event hour,
named for it. A replay adds to them or rewrites them and never writes beside them, so it may be run, stopped
and run again as often as one likes: a row is there once, and a second run changes nothing.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from transforms.failed.bucket import Objects
from transforms.failed.error_objects import FailedRecord
from transforms.failed.event_review import Judged
from transforms.failed.index import Selection, entries_of, reason_of
from transforms.failed.records import ErrorObject
from transforms.failed.repair import Repair, RepairFailedError, repaired
from transforms.failed.replay_ledger import FORM, Ledger, read_ledger
from transforms.failed.replayed_objects import Place, object_key, write_rows
from transforms.failed.review import Reviewer
from transforms.gate.gate import RULES_VERSION
from transforms.gate.outcome import Accepted, Dropped

_OF_THIS_RUN = frozenset({"objects_written", "done_before", "to_replay"})

REPAIR_FAILED = "repair_failed"
"""Reason of records for which the repair function raised, or gave what is not a bytes."""

_SHOWN_FAILURES = 3
_STEP = 1_000

Note = Callable[[str, int, int], None]
"""Called with how far the error object at work is: (what is counted, how many are done, of how many)."""


@dataclass(frozen=True)
class Order:
    """What a replay is asked for. Equal orders on an unchanged error object are carried out once.

    `repair_name` names the repair function, `version` tells its versions apart.
    """

    selection: Selection = field(default_factory=Selection)
    repair_name: str = ""
    version: str = ""
    key_id: str = ""

    def name(self, tag: str) -> str:
        """The same text for the same work on the same error object."""
        selection = {name: sorted(value) if value else "" for name, value in asdict(self.selection).items()}
        if not selection["streams"]:
            del selection["streams"]  # orders from before there were several streams keep their names
        return json.dumps([selection, self.repair_name, self.version, self.key_id, RULES_VERSION, tag, FORM])


@dataclass
class Counts:
    """What became of the events of failed records. `events` is the sum of the four that follow.

    `to_replay` counts the records that pass the rules and are not in the lake: they failed for another cause
    than what they are, such as too many open partitions, and count as failed until they are replayed.
    `repair_failures` says of the first records on which the repair failed which they are and how.
    """

    records: int = 0
    events: int = 0
    replayed: int = 0
    dropped: int = 0
    still_failed: Counter[str] = field(default_factory=Counter)
    not_selected: int = 0
    unreadable: int = 0
    objects_written: int = 0
    done_before: int = 0
    to_replay: int = 0
    repair_failures: list[str] = field(default_factory=list)

    def add(self, other: "Counts") -> None:
        """Add the counts of another error object."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        del self.repair_failures[_SHOWN_FAILURES:]


def replay(
    found: Iterable[ErrorObject],
    objects: Objects,
    reviewer: Reviewer,
    order: Order,
    *,
    repair: Repair | None,
    now: Callable[[], datetime],
    dry_run: bool = False,
    again: bool = False,
    note: Note = lambda *_: None,
) -> Iterator[Counts]:
    """Replay error objects one by one and give the counts of each.

    Stopped anywhere, it goes on where it was: what the ledger has, for the same order, is passed over
    (`again` does it nevertheless). A dry run writes nothing.
    """
    for each in found:
        yield _Replay(each, objects, reviewer, order, repair, note).run(now, dry_run=dry_run, again=again)


@dataclass(frozen=True)
class _Replay:
    error_object: ErrorObject
    objects: Objects
    reviewer: Reviewer
    order: Order
    repair: Repair | None
    note: Note

    def run(self, now: Callable[[], datetime], *, dry_run: bool, again: bool) -> Counts:
        name = self.error_object.name
        ledger = read_ledger(self.objects, name)
        work = self.order.name(name.tag)
        before = ledger.run(work)
        if before is not None and not again:
            return _counts_of(before, ledger)
        made = self._judge_all()
        counts = made.counts
        ledger.passing = frozenset(made.passing)
        if not dry_run:
            counts.objects_written = self._write(made.rows, ledger)
            ledger.landed |= made.landing
            said = {name: value for name, value in vars(counts).items() if name not in _OF_THIS_RUN}
            at = now().isoformat(timespec="seconds")
            ledger.add({"order": work, "at": at, "rules_version": RULES_VERSION, **said})
            ledger.write(self.objects)
        counts.to_replay = ledger.to_replay
        return counts

    def _write(self, rows: dict[Place, list[bytes]], ledger: Ledger) -> int:
        """Write the rows, note where they stand, and give the number of objects that were changed."""
        key = self.error_object.name.key
        ledger.plan(self.objects, [object_key(place, key) for place in rows])
        changed: set[str] = set()
        for number, each in enumerate(
            write_rows(self.objects, key, rows, list(ledger.objects), self.reviewer.tables), start=1
        ):
            ledger.objects[each.key] = each.rows
            changed.update([each.key] if each.is_changed else ())
            self.note("lake objects", min(number, len(ledger.objects)), len(ledger.objects))
        ledger.objects = {key: count for key, count in ledger.objects.items() if count}
        return len(changed)

    def _judge_all(self) -> "_Made":
        made = _Made(Counts(unreadable=len(self.error_object.unreadable)))
        records = self.error_object.records
        mended: list[tuple[FailedRecord, bytes | None]] = []
        found = self.reviewer.judge_each((record, None) for record in records)
        for number, (record, judged) in enumerate(zip(records, found, strict=True), start=1):
            repaired_to = self._selected(record, judged, made)
            if isinstance(repaired_to, bytes):
                mended.append((record, repaired_to))
            if number % _STEP == 0:
                self.note("failed records validated", number, len(records))
        for (record, _), judged in zip(mended, self.reviewer.judge_each(mended), strict=True):
            made.add(record, judged)
        return made

    def _selected(self, record: FailedRecord, judged: list[Judged], made: "_Made") -> bytes | None:
        """Take the record in as the order has it, or give what the repair made of it, to be validated."""
        counts, number = made.counts, len(judged)
        counts.records += 1
        if any(isinstance(each.outcome, Accepted) for each in judged):
            made.passing.add(record.number)
        wanted = self.order.selection
        if not wanted.takes_all_of(record.kind) and not any(
            entry in wanted for entry in entries_of(record, judged, self.reviewer.vocabulary)
        ):
            counts.events += number
            counts.not_selected += number
            return None
        try:
            better = None if self.repair is None else repaired(self.repair, record)
        except RepairFailedError as error:
            counts.events += number
            counts.still_failed[REPAIR_FAILED] += number
            if len(counts.repair_failures) < _SHOWN_FAILURES:
                counts.repair_failures.append(str(error))
            return None
        if better is None:
            made.add(record, judged)
        return better


@dataclass
class _Made:
    """What an error object becomes: counts, rows by place, numbers of the records that pass and that land."""

    counts: Counts
    rows: dict[Place, list[bytes]] = field(default_factory=dict)
    passing: set[int] = field(default_factory=set)
    landing: set[int] = field(default_factory=set)

    def add(self, record: FailedRecord, judged: Iterable[Judged]) -> None:
        """Take in the events of a record that was selected."""
        for each in judged:
            self.counts.events += 1
            if isinstance(each.outcome, Accepted):
                self.counts.replayed += 1
                self.rows.setdefault(Place(each.table, each.outcome.event_hour), []).append(each.outcome.row)
                self.landing.add(record.number)
            elif isinstance(each.outcome, Dropped):
                self.counts.dropped += 1
            else:
                self.counts.still_failed[reason_of(each.outcome)] += 1


def _counts_of(run: dict[str, Any], ledger: Ledger) -> Counts:
    """The counts of a run that the ledger has, with nothing written."""
    counts = Counts(**{name: value for name, value in run.items() if name in vars(Counts())})
    counts.still_failed = Counter(run["still_failed"])
    counts.objects_written, counts.done_before, counts.to_replay = 0, 1, ledger.to_replay
    return counts

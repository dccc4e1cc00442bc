"""Replay: failed records judged again, after a repair, and written into the lake where they belong.

Nothing goes back into the stream. Each error object has its own objects in the lake, one per event hour,
named for it. A replay adds to them or rewrites them and never writes beside them, so it may be run, stopped
and run again as often as one likes: a row is there once, and a second run changes nothing.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from transforms.contracts import LakeTable
from transforms.failed_index import Selection, index_record, reason_of
from transforms.failed_objects import FailedRecord, object_hash
from transforms.failed_records import ErrorObject
from transforms.objects import Objects
from transforms.outcome import Accepted, Dropped
from transforms.replayed_objects import Place, write_rows
from transforms.review import Reviewer
from transforms.rules import RULES_VERSION

_OF_THIS_RUN = frozenset({"objects_written", "done_before"})

REPLAYS_PREFIX = "replays/"
"""Prefix in the lake bucket of the ledger: one document per error object."""

REPAIR_RAISED = "repair_raised"
"""Reason of records for which the repair function raised."""

Repair: TypeAlias = Callable[[bytes], bytes | None]
"""Makes a record whole: its bytes in, better bytes out (several events on lines of their own are fine).
None leaves the record failed."""


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
        return json.dumps([selection, self.repair_name, self.version, self.key_id, RULES_VERSION, tag])


@dataclass
class Counts:
    """What became of the events of failed records. `events` is the sum of the four that follow."""

    records: int = 0
    events: int = 0
    replayed: int = 0
    dropped: int = 0
    still_failed: Counter[str] = field(default_factory=Counter)
    not_selected: int = 0
    unreadable: int = 0
    objects_written: int = 0
    done_before: int = 0

    def add(self, other: "Counts") -> None:
        """Add the counts of another error object."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


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
) -> Iterator[Counts]:
    """Replay error objects one by one and give the counts of each.

    Stopped anywhere, it goes on where it was: what the ledger has, for the same order, is passed over
    (`again` does it nevertheless). A dry run writes nothing.
    """
    for each in found:
        yield _Replay(each, objects, reviewer, order, repair).run(now, dry_run=dry_run, again=again)


@dataclass(frozen=True)
class _Replay:
    error_object: ErrorObject
    objects: Objects
    reviewer: Reviewer
    order: Order
    repair: Repair | None

    def run(self, now: Callable[[], datetime], *, dry_run: bool, again: bool) -> Counts:
        ledger_key = f"{REPLAYS_PREFIX}{object_hash(self.error_object.name.key)}.json"
        ledger = _read_ledger(self.objects, ledger_key, self.error_object.name.key)
        work = self.order.name(self.error_object.name.tag)
        before = next((run for run in ledger["runs"] if run["order"] == work), None)
        if before is not None and not again:
            return _counts_of(before)
        counts, rows = self._judge_all()
        if dry_run:
            return counts
        written = write_rows(self.objects, self.error_object.name.key, rows, ledger["objects"])
        counts.objects_written = sum(changed for _, changed in written.values())
        ledger["objects"] = {key: count for key, (count, _) in written.items() if count}
        said = {name: value for name, value in vars(counts).items() if name not in _OF_THIS_RUN}
        run = {
            "order": work,
            "at": now().isoformat(timespec="seconds"),
            "rules_version": RULES_VERSION,
            **said,
        }
        ledger["runs"] = [*(each for each in ledger["runs"] if each["order"] != work), run]
        self.objects.put(ledger_key, json.dumps(ledger, indent=1).encode())
        return counts

    def _judge_all(self) -> tuple[Counts, dict[Place, list[bytes]]]:
        counts = Counts(unreadable=len(self.error_object.unreadable))
        rows: dict[Place, list[bytes]] = {}
        for record in self.error_object.records:
            counts.records += 1
            for table, outcome in self._outcomes(record, counts):
                counts.events += 1
                if isinstance(outcome, Accepted):
                    counts.replayed += 1
                    rows.setdefault(Place(table, outcome.event_hour), []).append(outcome.row)
                elif isinstance(outcome, Dropped):
                    counts.dropped += 1
                else:
                    counts.still_failed[reason_of(outcome)] += 1
        return counts, rows

    def _outcomes(self, record: FailedRecord, counts: Counts) -> Iterator[tuple[LakeTable, Any]]:
        entries = list(index_record(record, self.reviewer))
        if not any(entry in self.order.selection for entry in entries):
            counts.events += len(entries)
            counts.not_selected += len(entries)
            return
        try:
            repaired = self.repair(record.raw) if self.repair is not None else None
        except Exception:  # noqa: BLE001  the function is the operator's; one record that it trips over stays failed
            counts.events += len(entries)
            counts.still_failed[REPAIR_RAISED] += len(entries)
            return
        for judged in self.reviewer.judge(record, repaired):
            yield judged.table, judged.outcome


def _read_ledger(objects: Objects, key: str, error_object: str) -> dict[str, Any]:
    body = objects.get(key)
    if body is None:
        return {"error_object": error_object, "objects": {}, "runs": []}
    ledger: dict[str, Any] = json.loads(body)
    return ledger


def _counts_of(run: dict[str, Any]) -> Counts:
    """The counts of a run that the ledger has, with nothing written."""
    counts = Counts(**{name: value for name, value in run.items() if name in vars(Counts())})
    counts.still_failed = Counter(run["still_failed"])
    counts.objects_written, counts.done_before = 0, 1
    return counts

"""One import from beginning to end: files, spill, lake, failed records, the producer's account of itself."""

import fcntl
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import msgspec

from infra.importing.journal import Intent, Journal, Remembered, Totals
from infra.importing.run import LakeImport, Pool, Progress, Surroundings
from producers.contracts import AUDIT_TYPE, PRODUCER_AUDITED, FilePlace, LineWriter, read_imported_line
from producers.importing.reading import Batches, FileReader, Read
from producers.importing.sorting import Sorter
from producers.importing.uniqueness import DuplicateKeys, IdCheck
from producers.sources.definition import SourceDefinitionError
from producers.sources.files import SourceError
from transforms.contracts import EVENT_HOUR, LakeTable, is_data
from transforms.failed.arrow import parquet_bytes
from transforms.failed.bucket import Objects
from transforms.importing.existing import event_ids
from transforms.importing.failed import FailedRecords, FailedRow
from transforms.importing.lake_objects import digest_of, is_replaced, object_key
from transforms.importing.planning import Planner
from transforms.importing.rows import Refused, RowMaker, Sender, record

OnChange = Literal["keep", "replace"]
"""What becomes of an event that the lake holds with another content: the lake's, or the file's is kept."""
FAILED_AT_ONCE = 2_000
"""Failed records of one error object."""
_READS = 8


class NotUniqueError(ValueError):
    """The source's key names several rows of one file: nothing is imported. `rows` says which."""

    def __init__(self, message: str, duplicates: DuplicateKeys) -> None:
        super().__init__(message)
        self.duplicates = duplicates


class ImportRunningError(RuntimeError):
    """Another process imports the same files now."""


@dataclass(frozen=True)
class Places:
    """Where an import writes, and what it writes with.

    Attributes:
        objects: the lake bucket.
        pool: made when it is known who sends, and how many events.
        notify: called once for every object that was written, so that reports follow.
    """

    objects: Objects
    table: LakeTable
    maker: RowMaker
    pool: Callable[[Sender, int], Pool]
    notify: Callable[[Sequence[str]], None]


@dataclass(frozen=True)
class Outcome:
    """What an import did. `corrections` are the rows that the lake holds with another content."""

    read: Read
    totals: Totals
    hours: int
    corrections: Sequence[FilePlace]
    producer_id: str
    epoch: int
    failures: int
    failures_known: int


class Session:
    """An import whose state lies in `folder`. The same files and folder go on where another process ended."""

    def __init__(
        self,
        folder: Path,
        places: Places,
        progress: Callable[[Progress | Read], None],
        *,
        on_change: OnChange = "keep",
    ) -> None:
        self._folder, self._places, self._progress = folder, places, progress
        self._replaces = on_change == "replace"

    def run(self, reader: Batches, source: str, files: Sequence[str], head: Mapping[str, Any]) -> Outcome:
        """Import the files. `head` has `producer_id`, `epoch` and `arrival_ms`, used unless one was begun.

        Raises ImportRunningError, SourceError, SourceDefinitionError, NotUniqueError, botocore's errors.
        """
        with _alone(self._folder):
            return self._run(reader, source, files, head)

    def _run(self, reader: Batches, source: str, files: Sequence[str], head: Mapping[str, Any]) -> Outcome:
        journal = Journal(self._folder)
        journal.begin({**head, "read": None})
        read, events, failures = self.sort(reader, source, files)
        outcome = self.write(journal, head, events, failures, read)
        shutil.rmtree(self._folder)
        return outcome

    def sort(
        self, reader: Batches, source: str, files: Sequence[str], first: int = 0
    ) -> tuple[Read, Sorter, Sorter]:
        """Sort the events of the files by hour, in the folder, and the rows that are none; `first` is the
        number of the first file in its import. Raises SourceError, SourceDefinitionError, NotUniqueError.
        """
        finished = self._folder / "read.json"
        names = self._folder / "events", self._folder / "failures"
        if finished.exists():
            read = msgspec.json.decode(finished.read_bytes(), type=Read)
            return read, Sorter.reopened(names[0]), Sorter.reopened(names[1])
        for each in (*names, self._folder / "ids"):
            shutil.rmtree(each, ignore_errors=True)
        events, failures = Sorter(names[0]), Sorter(names[1], run_bytes=8 << 20)
        ids = IdCheck(self._folder / "ids")
        try:
            read = FileReader(reader, source, events, failures, ids).read(files, self._progress, first)
        except (SourceError, SourceDefinitionError):
            shutil.rmtree(self._folder)  # nothing to go on from
            raise
        if duplicates := ids.duplicates():
            shutil.rmtree(self._folder)
            raise NotUniqueError(duplicates.text(files), duplicates)
        events.finish()
        failures.finish()
        draft = finished.with_suffix(".new")
        draft.write_bytes(msgspec.json.encode(read))
        draft.replace(finished)
        return read, events, failures

    def write(
        self,
        journal: Journal,
        head: Mapping[str, Any],
        events: Sorter,
        failures: Sorter,
        read: Read,
    ) -> Outcome:
        """Write what has been sorted, by this process or by another one. `head` is as for `run`.

        Raises botocore's errors.
        """
        # Listed before the journal is read: what another process of this import has written by now, it had
        # written down before.
        held, replaced = self._held(events.hours)
        planner = Planner(self._places.table, held, self._ids, replaced=replaced, keep_last=self._replaces)
        remembered = journal.begin(head)
        begun = remembered.head
        sender = Sender(str(begun["producer_id"]), int(begun["epoch"]), int(begun["arrival_ms"]))
        pool = self._places.pool(sender, read.events)
        try:
            return self._write(journal, remembered, sender, pool, planner, events, failures, read)
        finally:
            pool.close()

    def _write(
        self,
        journal: Journal,
        remembered: Remembered,
        sender: Sender,
        pool: Pool,
        planner: Planner,
        events: Sorter,
        failures: Sorter,
        read: Read,
    ) -> Outcome:
        places = self._places
        kept = FailedRecords(places.objects, sender)

        def fail(refused: Iterable[Refused]) -> None:
            kept.keep([FailedRow(each.line, each.record) for each in refused])

        around = Surroundings(journal, pool, fail, self._progress, self._replaces)
        lake = LakeImport(around, planner, remembered)
        lake.write(events)
        next_seq, known = self._fail_rows(journal, remembered, failures, kept, sender, lake.next_seq)
        written = list(lake.keys)
        if next_seq > 1:
            written.append(self._audit(sender, next_seq - 1))
        # Only now, and all at once: a day is computed when all of its hours are there. Whoever is killed
        # before has not ended, and the next process tells of them.
        if written:
            places.notify(written)
        lake.totals.copies = planner.repeats.copies
        corrections = [*lake.corrections, *(place for place, _ in planner.repeats.differing)]
        return Outcome(
            read,
            lake.totals,
            len(events.hours),
            sorted(set(corrections)),
            sender.producer_id,
            sender.epoch,
            read.failures,
            known,
        )

    def _fail_rows(
        self,
        journal: Journal,
        remembered: Remembered,
        failures: Sorter,
        kept: FailedRecords,
        sender: Sender,
        next_seq: int,
    ) -> tuple[int, int]:
        """Keep the rows that are not events; the next number, and how many rows an earlier import kept."""
        known = 0
        rows = (read_imported_line(line) for hour in failures.hours for line in failures.lines(hour))
        number = 0
        while lines := list(islice(rows, FAILED_AT_ONCE)):
            intent = remembered.intents.get(("failed", number))
            if intent is None and kept.are_kept(lines):
                known += len(lines)
            else:
                if intent is None:
                    intent = Intent("failed", number, "", next_seq, len(lines))
                    journal.intend([intent])
                    next_seq += len(lines)
                kept.keep(
                    [
                        FailedRow(line, record(line, sender, seq))
                        for seq, line in enumerate(lines, start=intent.first_seq)
                    ]
                )
            number += 1
        return next_seq, known

    def _audit(self, sender: Sender, last_seq: int) -> str:
        """Say how many events the import sent, as every producer does; the key of the object."""
        payload = f'{{"producer":"{sender.producer_id}","last_seq":{last_seq},"closed":true}}'.encode()
        name = digest_of([f"{sender.producer_id}/{sender.epoch}".encode()])
        event_id = f"{name[:8]}-{name[8:12]}-8{name[13:16]}-8{name[17:20]}-{name[20:32]}"
        line = read_imported_line(
            LineWriter().line(FilePlace(0, 1), event_id, sender.arrival_ms * 1000, PRODUCER_AUDITED, payload)
        )
        assert line.event_type == AUDIT_TYPE
        key = object_key(self._places.table, line.hour, digest_of([line.content]))
        self._places.objects.put(key, parquet_bytes(self._places.maker.audit(line, sender)))
        return key

    def _held(self, hours: Sequence[str]) -> tuple[Mapping[str, list[str]], Set[str]]:
        """The lake's objects of these hours, by hour; and the hours in which some were replaced."""
        found: dict[str, list[str]] = {}
        replaced: set[str] = set()
        if not hours:
            return found, replaced
        wanted = frozenset(hours)
        prefix = f"{self._places.table.prefix}{EVENT_HOUR}="
        for name in self._places.objects.names(prefix):
            hour = name.key[len(prefix) :].partition("/")[0]
            if hour not in wanted:
                continue
            if is_replaced(name.key):
                replaced.add(hour)
            elif name.size and is_data(name.key):
                found.setdefault(hour, []).append(name.key)
        return found, replaced

    def _ids(self, keys: Collection[str]) -> frozenset[bytes]:
        with ThreadPoolExecutor(_READS) as pool:
            bodies = pool.map(self._places.objects.get, keys)
            return frozenset(each.encode() for body in bodies if body for each in event_ids(body))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the import's lock, which lies beside its folder: the folder is gone when the import has ended."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ImportRunningError(
                f"Another process imports these files now; its lock is {lock.name}. Wait for it, or stop it."
            ) from None
        yield

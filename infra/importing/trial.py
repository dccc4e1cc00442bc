"""What an import of files would find: they are read and validated as for one, and nothing is written."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.importing.session import NotUniqueError
from producers.commands.unreadable_reasons import UnreadableReasons
from producers.importing.reading import Batches, Read
from producers.importing.uniqueness import IdCheck
from producers.sources.results import EventColumns, SourceBatch

_HOUR_US = 3_600_000_000


@dataclass
class FileTrial:
    """What one file holds."""

    file: str
    read: Read = field(default_factory=Read)
    reasons: UnreadableReasons = field(default_factory=UnreadableReasons)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: counts, and the most frequent reasons with the numbers of their first rows."""
        return {
            "file": self.file,
            "events": self.read.events,
            "failed": self.read.failures,
            "left_out": self.read.left_out,
            "dropped": self.read.undelivered,
            **self.reasons.as_dict(),
        }


@dataclass(frozen=True)
class Trial:
    """What the files hold: each on its own, and the event hours of all."""

    files: Sequence[FileTrial]
    hours: int

    @property
    def failures(self) -> int:
        """Rows that are not events."""
        return sum(each.read.failures for each in self.files)

    @property
    def events(self) -> int:
        """Rows that are."""
        return sum(each.read.events for each in self.files)


def try_files(
    reader: Batches, files: Sequence[str], scratch: Path, progress: Callable[[Read], None]
) -> Trial:
    """Read them all; `scratch` is a folder for what is kept meanwhile: 36 bytes an event.

    Raises SourceError, SourceDefinitionError and NotUniqueError.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    hours: set[int] = set()
    tried = [FileTrial(file) for file in files]
    with TemporaryDirectory(dir=scratch) as folder:
        ids = IdCheck(Path(folder))
        for number, trial in enumerate(tried):
            with closing(reader.batches(trial.file, in_columns=True)) as batches:
                for batch in batches:
                    _take(batch, trial)
                    hours.update(
                        event.event_us // _HOUR_US for event in batch.events if event.event_type.delivered
                    )
                    ids.add(
                        (event.event_id, number, event.row, (event.event_us, event.data))
                        for event in batch.events
                        if event.event_id is not None
                    )
                    if batch.columns is not None:
                        hours |= _take_columns(number, batch.columns, trial, ids)
                    progress(trial.read)
        if duplicates := ids.duplicates():
            raise NotUniqueError(duplicates.text(files), duplicates)
    return Trial(tried, len(hours))


def _take_columns(number: int, columns: EventColumns, trial: FileTrial, ids: IdCheck) -> set[int]:
    """Count events that came as columns; the hours that they are in."""
    ids.add_columns(number, columns)
    if not columns.event_type.delivered:
        trial.read.undelivered += len(columns.rows)
        return set()
    trial.read.events += len(columns.rows)
    return {*(columns.event_us.to_numpy() // _HOUR_US).tolist()}


def _take(batch: SourceBatch, trial: FileTrial) -> None:
    delivered = sum(event.event_type.delivered for event in batch.events)
    trial.read.events += delivered
    trial.read.undelivered += len(batch.events) - delivered
    trial.read.failures += len(batch.failures)
    trial.read.left_out += batch.left_out
    for failure in batch.failures:
        column = f"{failure.column}: " if failure.column else ""
        trial.reasons.add(failure.row, f"{column}{failure.reason}")

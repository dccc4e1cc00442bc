"""Reads the files of a chunk: each becomes sorted runs in the scratch folder of its job."""

import json
from pathlib import Path, PurePosixPath

import msgspec

from infra.importing.function.places import FileGoneError, Places
from infra.importing.session import NotUniqueError
from producers.importing.excerpt import sizes
from producers.importing.reading import Read
from producers.importing.sorting import INDEX
from producers.sources.definition import SourceDefinitionError
from producers.sources.files import SourceError
from producers.sources.reader import SourceReader
from queries.jobs.import_plan import SCRATCH, ChunkOutcome, ImportFile, ImportPlan, most_bytes, too_large

EVENTS, FAILURES = "events", "failures"
"""Folders of a file's runs."""
_READ = "read.json"
"""It is written last: a file that has it is read."""
_LONGEST_NAME = 200
_GZIP = b"\x1f\x8b"


class TooLargeError(ValueError):
    """A file would take longer than the function has. What a name does not show, its first bytes do."""


_REFUSED = (SourceError, SourceDefinitionError, NotUniqueError, FileGoneError, TooLargeError)


def file_folder(job_id: str, number: int) -> str:
    """Where the sorted rows of a job's file lie."""
    return f"{SCRATCH}{job_id}/file-{number:04d}/"


class ChunkReader:
    """Reads chunks of files."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def read(self, plan: ImportPlan, chunk: int, folder: Path) -> ChunkOutcome:
        """Read the chunk's files, those that were read before excepted. A file that cannot be read fails."""
        wanted = frozenset(plan.chunks[chunk])
        failed: dict[str, str] = {}
        hours: dict[str, int] = {}
        total = Read()
        for number, file in enumerate(plan.files):
            if file.key not in wanted:
                continue
            try:
                read = self._file(plan, number, file, folder / f"file-{number:04d}")
            except _REFUSED as error:
                failed[file.key] = str(error).replace(f"{folder}/", "")
                continue
            for name in Read.__dataclass_fields__:
                setattr(total, name, getattr(total, name) + getattr(read, name))
            for hour, size in self._sizes(plan.job_id, number).items():
                hours[hour] = hours.get(hour, 0) + size
        counts = {
            "events": total.events,
            "failed": total.failures,
            "left_out": total.left_out,
            "dropped": total.undelivered,
        }
        return ChunkOutcome(failed=failed, counts=counts, hours=hours, failures=total.failures > 0)

    def _file(self, plan: ImportPlan, number: int, file: ImportFile, folder: Path) -> Read:
        lake, into = self._places.lake, file_folder(plan.job_id, number)
        if any(name.key == f"{into}{_READ}" for name in lake.names(into)):
            return msgspec.json.decode(lake.get(f"{into}{_READ}") or b"", type=Read)
        folder.mkdir(parents=True)
        path = folder / _file_name(file.key)
        lake.fetch(file, path)
        with path.open("rb") as opened:
            is_packed = opened.read(len(_GZIP)) == _GZIP
        if file.size > most_bytes(is_packed=is_packed):
            raise TooLargeError(too_large(file.key, file.size, is_packed=is_packed))
        definition = self._places.sources[plan.source]
        with SourceReader(definition, self._places.table_of(definition).stream) as reader:
            session = self._places.session(definition, folder / "sorted")
            read, _, _ = session.sort(reader, definition.name, [str(path)], number)
        path.unlink()
        for kind in (EVENTS, FAILURES):
            for run in sorted((folder / "sorted" / kind).iterdir()):
                lake.put(f"{into}{kind}/{run.name}", run.read_bytes())
                run.unlink()
        lake.put(f"{into}{_READ}", msgspec.json.encode(read))
        return read

    def _sizes(self, job_id: str, number: int) -> dict[str, int]:
        return sizes(
            json.loads(self._places.lake.get(f"{file_folder(job_id, number)}{EVENTS}/{INDEX}") or b"")
        )


def _file_name(key: str) -> str:
    """The file's own name, which failed records quote, where a disk can have a file of that name."""
    name = PurePosixPath(key).name
    is_usable = name != ".." and "\0" not in name and len(name.encode()) <= _LONGEST_NAME
    return name if is_usable else "file"

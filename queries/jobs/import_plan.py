"""What an import by a job does, chunk by chunk (pure): files are read, then the hours in them are written.

Reading sorts a file's events by event hour into scratch objects. Writing takes the hours of all files, so an
hour becomes the same objects of the lake however the files are cut into chunks.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import msgspec

MANIFESTS = "jobs/"
"""Below it, in the reporting bucket, lie the plans of jobs."""
INBOX = "inbox/"
"""Below it, in the lake bucket, lie files that jobs may import."""
SCRATCH = "imports/"
"""Below it, in the lake bucket, lies what was sorted, and what writing remembers."""
CHUNK_BYTES = 64 << 20
"""Of files that one chunk reads, or of sorted events that one writes; a larger file is a chunk of its own."""
MOST_FILES = 1_000
MOST_FILE_BYTES = 256 << 20
MOST_PACKED_BYTES = 64 << 20
"""What a function reads within its time. A gzip file has ten times as much in it, and cannot be divided."""
FAILED_RECORDS = "failed records"
"""The name of the part that keeps rows that are not events, after the hours."""
_DATE_CHARACTERS = len("2013-01-01")
_MEBIBYTE = 1 << 20


class ImportFile(msgspec.Struct, frozen=True):
    """A file of the inbox: its key, the tag that changes with its content, and its bytes."""

    key: str
    tag: str
    size: int


class ImportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the importer must know of a job.

    Attributes:
        created_at: of the job, in epoch milliseconds.
        files: in order; a file's place is its number in the import.
        chunks: the names of each chunk's parts, files by key. Chunks of hours follow when files are read.
    """

    job_id: str
    source: str
    created_at: int
    files: Sequence[ImportFile]
    chunks: Sequence[Sequence[str]]
    reading: int
    """How many of the chunks read."""


class ChunkOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a chunk.

    Attributes:
        failed: part of the chunk -> why it failed.
        counts: what the job counts, by name.
        hours: bytes of sorted events by event hour, where the chunk reads.
        failures: whether rows are to be kept as failed records.
    """

    failed: Mapping[str, str] = {}
    counts: Mapping[str, int] = {}
    hours: Mapping[str, int] = {}
    failures: bool = False


def most_bytes(*, is_packed: bool) -> int:
    """How large a file of the inbox may be; `is_packed`: with gzip."""
    return MOST_PACKED_BYTES if is_packed else MOST_FILE_BYTES


def too_large(key: str, size: int, *, is_packed: bool) -> str:
    """Why a file is not read, and what to do."""
    kind = "gzip files" if is_packed else "files"
    return (
        f"{key!r} has {size / _MEBIBYTE:,.0f} MB, and a job reads {kind} of "
        f"{most_bytes(is_packed=is_packed) // _MEBIBYTE} MB at most. Divide it, or use: penstock import"
    )


def chunks_of_files(files: Iterable[ImportFile], limit: int = CHUNK_BYTES) -> list[list[str]]:
    """The keys of the files in chunks, in order."""
    return _packed([([file.key], file.size) for file in files], limit)


def chunks_of_hours(outcomes: Iterable[ChunkOutcome], limit: int = CHUNK_BYTES) -> list[list[str]]:
    """The hours that were read in chunks, in order, and the failed records in one of their own.

    The hours of a day stay together, so that its reports are computed once.
    """
    sizes: dict[str, int] = {}
    failures = False
    for outcome in outcomes:
        failures = failures or outcome.failures
        for hour, size in outcome.hours.items():
            sizes[hour] = sizes.get(hour, 0) + size
    days = [list(hours) for _, hours in groupby(sorted(sizes), key=lambda hour: hour[:_DATE_CHARACTERS])]
    chunks = _packed([(hours, sum(sizes[hour] for hour in hours)) for hours in days], limit)
    return [*chunks, [FAILED_RECORDS]] if failures else chunks


def _packed(groups: Iterable[tuple[Sequence[str], int]], limit: int) -> list[list[str]]:
    """Groups of names in order, as many in one chunk as the limit of bytes lets; none is divided."""
    chunks: list[list[str]] = []
    held = limit + 1
    for names, size in groups:
        if held + size > limit:
            chunks.append([])
            held = 0
        chunks[-1] += names
        held += size
    return chunks


def plan_key(job_id: str) -> str:
    """Where the plan of a job's import lies."""
    return f"{MANIFESTS}{job_id}/plan.json"


def outcome_key(job_id: str, chunk: int) -> str:
    """Where a chunk's outcome lies."""
    return f"{MANIFESTS}{job_id}/outcome-{chunk:04d}.json"

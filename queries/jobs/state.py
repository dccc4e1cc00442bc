"""What a job is: what was asked, how far it has come, and the list of those that are not over."""

from collections.abc import Mapping
from typing import Literal

import msgspec

State = Literal["QUEUED", "RUNNING", "SUCCEEDED", "PARTLY_FAILED", "FAILED", "CANCELLED"]
OVER: tuple[State, ...] = ("SUCCEEDED", "PARTLY_FAILED", "FAILED", "CANCELLED")
Kind = Literal["backfill", "import"]


class Backfill(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag="backfill",
    rename={"first": "from", "last": "to"},
):
    """Compute a report's partitions from `first` to `last` (inclusive) again.

    With `force` also those that would not change.
    """

    report: str
    first: str
    last: str
    force: bool = False


class Import(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="import"):
    """Bring the files below `prefix`, in the deployment's inbox, into the lake as rows of `source`."""

    prefix: str
    source: str


Request = Backfill | Import


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a job was expected to take when it was asked for; `measured`: by runs before it, else at most.

    Statements, bytes and dollars are Athena's. An import runs no statement: it has `files`, and their bytes.
    """

    partitions: int = 0
    unchanged: int = 0
    statements: int = 0
    bytes_scanned: int = 0
    dollars: float = 0.0
    measured: bool = True
    files: int = 0
    file_bytes: int = 0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job. Times are epoch milliseconds.

    Attributes:
        owner: who asked for it.
        attempt: counts its executions; what an earlier one still does has no effect.
        tries: executions since it was asked for, or since somebody had it tried again.
        round: counts how often somebody had it run; partitions are marked once a round.
        partitions: its parts: partitions of a report, or the files and then the hours of an import.
        chunks: how many it has; None before they are planned.
        reading: how many of its chunks read files; None before an import has read them all.
        done: chunks that are published.
        failed: chunk -> partition -> why, of the chunks that failed in this round.
        again: chunk -> partitions, where a round has less to do than the whole chunk.
        cancelled_at: when somebody cancelled it: no step begins anything afterwards.
        counts: what the chunks of an import counted, together.
        error: why it failed as a whole.
        queued_at: when it was last put into the queue.
    """

    job_id: str
    kind: Kind
    request: Request
    owner: str
    expected: Expected
    created_at: int
    queued_at: int
    state: State = "QUEUED"
    revision: int = 0
    attempt: int = 1
    tries: int = 1
    round: int = 1
    partitions: int = 0
    chunks: int | None = None
    reading: int | None = None
    done: tuple[int, ...] = ()
    failed: Mapping[int, Mapping[str, str]] = {}
    again: Mapping[int, tuple[str, ...]] = {}
    started_at: int | None = None
    ended_at: int | None = None
    cancelled_at: int | None = None
    counts: Mapping[str, int] = {}
    error: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing happens any more unless somebody asks for it."""
        return self.state in OVER

    @property
    def execution(self) -> str:
        """The name of its execution."""
        return f"{self.job_id}-{self.attempt}"

    @property
    def mark(self) -> str:
        """What the ledger knows this round by."""
        return f"{self.job_id}#{self.round}"

    @property
    def has_read(self) -> bool:
        """Whether it is an import whose files are read, every one, and whose hours are not planned yet."""
        is_reading = isinstance(self.request, Import) and self.reading is None and self.chunks is not None
        return is_reading and not self.left and not self.failed

    @property
    def left(self) -> tuple[int, ...]:
        """Chunks that this round has neither published nor failed, in order."""
        settled = {*self.done, *self.failed}
        return tuple(index for index in range(self.chunks or 0) if index not in settled)


class Active(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs that are not over, by id: one item, so that two overlapping jobs cannot both begin."""

    revision: int = 0
    jobs: Mapping[str, Request] = {}

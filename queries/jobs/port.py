"""The ports of jobs: where they are kept, what runs them, and what their steps ask of reports."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from queries.jobs.import_plan import ChunkOutcome, ImportFile
from queries.jobs.rules import Health
from queries.jobs.state import Active, Backfill, Expected, Import, Job


class ChangedError(Exception):
    """Somebody else wrote one of the items first. Nothing was written: read again and decide again."""


class JobTable(Protocol):
    """Jobs, and the list of those that are not over. Reads are strongly consistent, but for `newest`."""

    def job(self, job_id: str) -> Job | None:
        """The job, or None when there is none."""
        ...

    def active(self) -> Active:
        """The jobs that are not over."""
        ...

    def newest(self, limit: int) -> Sequence[Job]:
        """The jobs that were asked for last, the newest first; may lag by a moment."""
        ...

    def commit(self, job: Job, active: Active | None = None) -> Job:
        """Write the job, and the list with it, or neither; the job as it is then.

        Each is written only over the revision that it was read with (0: it must not exist). Raises
        ChangedError.
        """
        ...


class Manifests(Protocol):
    """The plan of each job: its chunks, too much for an item."""

    def read(self, job_id: str) -> Sequence[Sequence[str]]:
        """The partitions of each chunk of a job that has been planned."""
        ...

    def write(self, job_id: str, chunks: Sequence[Sequence[str]]) -> None:
        """Keep the plan. It may be written again."""
        ...


class Message(NamedTuple):
    """What is in the queue: a job, and which of its executions is to begin."""

    job_id: str
    attempt: int


class Queue(Protocol):
    """Jobs that wait for a worker."""

    def send(self, message: Message) -> None:
        """Put it into the queue. Raises what the service raises."""
        ...


class Orchestrator(Protocol):
    """Runs the steps of a job, one after the other."""

    def start(self, job: Job) -> None:
        """Begin the job's execution, unless it has begun."""
        ...

    def health(self, job: Job) -> Health:
        """What has become of the job's execution."""
        ...


Settled = Literal["published", "waiting", "unmarked"]


class Backfills(Protocol):
    """What is known of a backfill before it begins."""

    def expected(self, request: Backfill) -> tuple[Expected, Sequence[str]]:
        """What it will take, and the partitions that need it. Raises RequestError."""
        ...


class ImportStore(Protocol):
    """The inbox, and the folder of plans."""

    def files(self, prefix: str) -> Iterator[ImportFile]:
        """The files below the prefix that have any bytes, in order of key."""
        ...

    def read(self, key: str) -> bytes:
        """A plan, or an outcome. Raises what the service raises where there is none."""
        ...

    def write(self, key: str, body: bytes) -> None:
        """Keep it, also over what there was."""
        ...


class Imports(Protocol):
    """What the steps of an import ask of its files, and of who reads and writes them."""

    def expected(self, request: Import) -> Expected:
        """What it will take. Raises RequestError."""
        ...

    def plan(self, job: Job) -> Sequence[Sequence[str]]:
        """Keep which files there are; their keys by chunk. It may be planned again."""
        ...

    def plan_further(self, job: Job) -> Sequence[Sequence[str]]:
        """All files are read: keep which hours are written; their names by chunk. It may be planned again."""
        ...

    def outcome(self, job: Job, chunk: int) -> ChunkOutcome:
        """What became of the chunk that was worked on last. Raises where nothing did."""
        ...


class Reports(Backfills, Protocol):
    """What the steps of a backfill ask of the reports."""

    def mark(self, request: Backfill, partitions: Sequence[str], asked_by: str) -> None:
        """Have these computed, unless `asked_by` has had them marked before."""
        ...

    def standing(
        self, report: str, partitions: Sequence[str], asked_by: str
    ) -> tuple[Mapping[str, Settled], Mapping[str, str]]:
        """How far each of these is for `asked_by`, and why those failed that did."""
        ...

    def go_on(self) -> None:
        """Have what is due computed; nobody waits for it."""
        ...

"""The rules of jobs: what may happen to one, and what it becomes. Pure; times are epoch milliseconds.

QUEUED -> RUNNING -> SUCCEEDED | PARTLY_FAILED | FAILED | CANCELLED; a retry begins with QUEUED again. Every
rule takes what was read and returns what to write, and `queries.jobs.port` writes it only if nobody wrote in
between.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Literal

from msgspec.structs import replace

from queries.jobs.errors import KeyReusedError, OverlapError, StateError, TooManyJobsError
from queries.jobs.state import Active, Backfill, Import, Job, Request, State

CHUNK = 96
"""Partitions of one chunk: as many as one run of the ledger takes (`queries.ledger.rules.CHUNK`)."""
MOST_CHUNKS = 1_000
"""Eleven years of hours. Their numbers fit into what a state machine may pass on."""
MOST_ACTIVE = 20
"""Jobs that are queued or running, together."""
MOST_TRIES = 3
"""Executions that may die before the job counts as failed."""
UNSENT_MS = 60_000
"""A job that has been in the queue for longer is sent again."""
DAYS_KEPT = 90
"""How long a job that is over can be looked up."""
ID_DIGITS = 20

Health = Literal["running", "ended", "missing"]
"""Of an execution. `missing`: it never began."""


def id_of(subject: str, key: str) -> str:
    """The job's id follows from who asked and the idempotency key: the same request is the same job."""
    return sha256(f"{len(subject)}|{subject}|{key}".encode()).hexdigest()[:ID_DIGITS]


def same_request(job: Job, request: Request) -> Job:
    """The job that was made under this key before. Raises KeyReusedError when it was another request."""
    if job.request != request:
        raise KeyReusedError(
            f"This Idempotency-Key was used for job {job.job_id}, which asked for something else. "
            "Use a new key."
        )
    return job


def admit(active: Active, job: Job) -> Active:
    """The list with this job in it. Raises OverlapError, TooManyJobsError."""
    others = {other: asked for other, asked in active.jobs.items() if other != job.job_id}
    for other, asked in others.items():
        if overlap(asked, job.request):
            raise OverlapError(other)
    if len(others) >= MOST_ACTIVE:
        raise TooManyJobsError(f"{MOST_ACTIVE} jobs are not over. Try again when one of them is.")
    return replace(active, jobs={**others, job.job_id: job.request})


def overlap(one: Request, other: Request) -> bool:
    """Whether two requests have a partition, or files of one source, in common. Names of one grain sort as
    time does.
    """
    if isinstance(one, Backfill) and isinstance(other, Backfill):
        return one.report == other.report and one.first <= other.last and other.first <= one.last
    if isinstance(one, Import) and isinstance(other, Import):
        is_inside = one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix)
        return one.source == other.source and is_inside
    return False


def leave(active: Active, job_id: str) -> Active:
    """The list without this job."""
    return replace(active, jobs={other: asked for other, asked in active.jobs.items() if other != job_id})


def chunks_of(partitions: Sequence[str]) -> list[tuple[str, ...]]:
    """The partitions in chunks, in order."""
    ordered = sorted(partitions)
    return [tuple(ordered[start : start + CHUNK]) for start in range(0, len(ordered), CHUNK)]


def begin(job: Job, now: int) -> Job:
    """Its execution has begun."""
    if job.state != "QUEUED":
        return job
    return replace(job, state="RUNNING", started_at=job.started_at or now)


def planned(job: Job, chunks: Sequence[Sequence[str]]) -> Job:
    """How much there is to do is known. It is decided once in the life of a job."""
    if job.chunks is not None:
        return job
    return replace(job, chunks=len(chunks), partitions=sum(map(len, chunks)))


def planned_further(job: Job, chunks: Sequence[Sequence[str]]) -> Job:
    """The files of an import are read: these chunks write what was found. It is decided once, too."""
    if not job.has_read or job.chunks is None:
        return job
    return replace(
        job,
        reading=job.chunks,
        chunks=job.chunks + len(chunks),
        partitions=job.partitions + sum(map(len, chunks)),
    )


def chunk_done(job: Job, chunk: int, counts: Mapping[str, int] | None = None) -> Job:
    """All partitions of the chunk are published; `counts` is what the chunk of an import counted."""
    if chunk in job.done:
        return job
    failed = {index: why for index, why in job.failed.items() if index != chunk}
    added = counts or {}
    total = {name: job.counts.get(name, 0) + added.get(name, 0) for name in {**job.counts, **added}}
    return replace(job, done=tuple(sorted({*job.done, chunk})), failed=failed, counts=total)


def chunk_failed(job: Job, chunk: int, reasons: Mapping[str, str]) -> Job:
    """These partitions of the chunk are not published, and why; the other ones are."""
    if chunk in job.done or job.failed.get(chunk) == reasons:
        return job
    return replace(job, failed={**job.failed, chunk: dict(reasons)})


def finish(job: Job, now: int, error: str = "") -> Job:
    """Its execution has ended: what it comes to."""
    if job.is_over:
        return job
    return replace(job, state=_verdict(job, error), ended_at=now, error=error)


def _verdict(job: Job, error: str) -> State:
    if job.chunks is not None and len(job.done) == job.chunks and not error and not job.has_read:
        return "SUCCEEDED"  # also where it was cancelled too late to make a difference
    if job.cancelled_at is not None:
        return "CANCELLED"
    if isinstance(job.request, Import):  # what was read only is not in the lake
        is_written = job.reading is not None and any(chunk >= job.reading for chunk in job.done)
        return "PARTLY_FAILED" if is_written else "FAILED"
    published = job.partitions - sum(map(len, job.failed.values())) if not job.left else 0
    return "PARTLY_FAILED" if job.done or published > 0 else "FAILED"


def cancel(job: Job, now: int) -> Job:
    """Nothing new begins. Raises StateError when the job is over."""
    if job.state == "CANCELLED" or (job.cancelled_at is not None and not job.is_over):
        return job
    if job.is_over:
        raise StateError(f"Job {job.job_id} is over: {job.state}. There is nothing to cancel.")
    if job.state == "QUEUED":
        return replace(job, state="CANCELLED", cancelled_at=now, ended_at=now)
    return replace(job, cancelled_at=now)


def retry(job: Job, now: int) -> Job:
    """Do what is not done, and that only. Raises StateError unless the job is over and lacks something."""
    if not job.is_over:
        raise StateError(f"Job {job.job_id} is {job.state}. It can be retried when it is over.")
    if job.state == "SUCCEEDED":
        raise StateError(f"Job {job.job_id} has succeeded: nothing is left to do.")
    # A chunk that failed with all its partitions published but some is done again for these only.
    again = {**job.again, **{chunk: tuple(sorted(reasons)) for chunk, reasons in job.failed.items()}}
    return replace(
        job,
        state="QUEUED",
        attempt=job.attempt + 1,
        tries=1,
        round=job.round + 1,
        failed={},
        again=again,
        cancelled_at=None,
        ended_at=None,
        error="",
        queued_at=now,
    )


def next_attempt(job: Job, now: int) -> Job:
    """Its execution has died: another one goes on where it was, three in all."""
    if job.is_over:
        return job
    if job.cancelled_at is not None:
        return finish(job, now)
    if job.tries >= MOST_TRIES:
        return finish(job, now, f"{MOST_TRIES} executions of it ended before it did.")
    return replace(job, state="QUEUED", attempt=job.attempt + 1, tries=job.tries + 1, queued_at=now)


def needs_sending(job: Job, now: int) -> bool:
    """Whether it has been queued for so long that its message must have been lost."""
    return job.state == "QUEUED" and now - job.queued_at > UNSENT_MS


def sent_again(job: Job, now: int) -> Job:
    """It is in the queue once more."""
    return replace(job, queued_at=now)


def expires_at(job: Job) -> int | None:
    """When it may be forgotten, in epoch seconds; None while it is not over."""
    return None if job.ended_at is None else job.ended_at // 1000 + DAYS_KEPT * 86_400

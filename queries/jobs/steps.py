"""The steps of a job. Each returns an outcome, and the state machine chooses by it.

Every step may run twice, and while another execution of the same job still runs: what has been done is found
in the job, its plan and the ledger. What a step raises is a fault of the services below it, and it is tried
again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from queries.jobs import rules
from queries.jobs.changing import change, found
from queries.jobs.port import Imports, JobTable, Manifests, Reports
from queries.jobs.state import Backfill, Import, Job

Outcome = Literal["go", "nothing", "wait", "work", "done", "failed", "cancelled", "superseded"]
Answer = Mapping[str, Any]
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds between two reads of the ledger: each is twice as long as the one before."""


class Steps:
    """The steps over their ports. `clock` gives epoch milliseconds, `sleep` takes seconds.

    A check looks for `patience` seconds before it says that there is more to wait for: a wait of the state
    machine costs three transitions.
    """

    def __init__(
        self,
        table: JobTable,
        manifests: Manifests,
        reports: Reports,
        imports: Imports,
        *,
        clock: Callable[[], int],
        sleep: Callable[[float], None],
        patience: float,
    ) -> None:
        self._table, self._manifests, self._reports, self._imports = table, manifests, reports, imports
        self._clock, self._sleep, self._patience = clock, sleep, patience

    def begin(self, job_id: str, attempt: int) -> Answer:
        """The execution has begun."""
        job = change(
            self._table,
            job_id,
            lambda job: rules.begin(job, self._clock()) if _is_current(job, attempt) else job,
        )
        return {"outcome": self._stopped(job, attempt) or "go"}

    def plan(self, job_id: str, attempt: int) -> Answer:
        """The chunks that are left to do. What they are is decided once in the life of a job; an import
        decides which hours to write when all of its files are read.
        """
        job = found(self._table, job_id)
        if stopped := self._stopped(job, attempt):
            return {"outcome": stopped, "chunks": []}
        if job.chunks is None:
            chunks = self._chunks(job)
            self._manifests.write(job_id, chunks)
            job = change(self._table, job_id, lambda job: rules.planned(job, chunks))
        elif job.has_read:
            further = self._imports.plan_further(job)
            self._manifests.write(job_id, [*self._manifests.read(job_id)[: job.chunks], *further])
            job = change(self._table, job_id, lambda job: rules.planned_further(job, further))
        left = list(job.left)
        return {"outcome": "go" if left else "nothing", "chunks": left}

    def chunk(self, job_id: str, attempt: int, chunk: int) -> Answer:
        """Have the chunk's partitions computed; those of an import are for the importer."""
        job = found(self._table, job_id)
        if stopped := self._stopped(job, attempt):
            return {"outcome": stopped}
        if chunk in job.done:
            return {"outcome": "done"}
        partitions = self._partitions(job, chunk)
        if isinstance(job.request, Import):
            return {"outcome": "work", "partitions": len(partitions)}
        self._reports.mark(job.request, partitions, job.mark)
        self._reports.go_on()
        return {"outcome": "wait", "partitions": len(partitions)}

    def check(self, job_id: str, attempt: int, chunk: int) -> Answer:
        """Whether the chunk is settled; what is worth waiting for a moment is waited for."""
        job = found(self._table, job_id)
        if isinstance(job.request, Import):
            return self._check_import(job, attempt, chunk)
        request = job.request
        deadline, pause = self._clock() + self._patience * 1000, FIRST_PAUSE
        partitions = self._partitions(job, chunk)
        while not (stopped := self._stopped(job, attempt)):
            standing, failed = self._reports.standing(request.report, partitions, job.mark)
            if "unmarked" in standing.values():
                # The ledger has been lost meanwhile, or was rebuilt: what it forgot is asked for again.
                self._reports.mark(request, partitions, job.mark)
            elif "waiting" not in standing.values():
                return self._settle(job_id, chunk, failed)
            if self._clock() >= deadline:
                self._reports.go_on()
                return {"outcome": "wait", "waiting": list(standing.values()).count("waiting")}
            self._sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            job = found(self._table, job_id)
        return {"outcome": stopped}

    def chunk_failed(self, job_id: str, attempt: int, chunk: int, error: str) -> Answer:
        """A step of the chunk failed whenever it was tried: what is not published counts as failed."""
        job = found(self._table, job_id)
        if stopped := self._stopped(job, attempt):
            return {"outcome": stopped}
        reasons = dict.fromkeys(self._partitions(job, chunk), error)
        change(self._table, job_id, lambda job: rules.chunk_failed(job, chunk, reasons))
        return {"outcome": "failed", "partitions": len(reasons)}

    def verify(self, job_id: str, attempt: int) -> Answer:
        """Whether every chunk is settled; `go` where an import has read its files and goes on to write."""
        job = found(self._table, job_id)
        if stopped := self._stopped(job, attempt):
            return {"outcome": stopped}
        if job.has_read:
            return {"outcome": "go", "left": 0}
        return {"outcome": "failed" if job.left else "done", "left": len(job.left)}

    def finish(self, job_id: str, attempt: int, error: str = "") -> Answer:
        """The execution ends: the job becomes what it comes to."""

        def end(job: Job) -> Job:
            return rules.finish(job, self._clock(), error) if _is_current(job, attempt) else job

        return {"outcome": "done", "state": change(self._table, job_id, end).state}

    def _check_import(self, job: Job, attempt: int, chunk: int) -> Answer:
        """What was worked on stays done, also where the job is stopped: it is written down all the same."""
        if not _is_current(job, attempt):
            return {"outcome": "superseded"}
        outcome = self._imports.outcome(job, chunk)
        if outcome.failed:
            return self._settle(job.job_id, chunk, outcome.failed)
        change(self._table, job.job_id, lambda job: rules.chunk_done(job, chunk, outcome.counts))
        return {"outcome": "done", **outcome.counts}

    def _chunks(self, job: Job) -> Sequence[Sequence[str]]:
        if isinstance(job.request, Backfill):
            return rules.chunks_of(self._reports.expected(job.request)[1])
        return self._imports.plan(job)

    def _settle(self, job_id: str, chunk: int, failed: Mapping[str, str]) -> Answer:
        if failed:
            change(self._table, job_id, lambda job: rules.chunk_failed(job, chunk, failed))
            return {"outcome": "failed", "partitions": len(failed)}
        change(self._table, job_id, lambda job: rules.chunk_done(job, chunk))
        return {"outcome": "done"}

    def _partitions(self, job: Job, chunk: int) -> Sequence[str]:
        if chunk in job.again:
            return job.again[chunk]
        return self._manifests.read(job.job_id)[chunk]

    def _stopped(self, job: Job, attempt: int) -> Outcome | None:
        if not _is_current(job, attempt):
            return "superseded"
        return "cancelled" if job.cancelled_at is not None else None


def _is_current(job: Job, attempt: int) -> bool:
    return job.attempt == attempt and not job.is_over

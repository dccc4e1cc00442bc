"""What people ask of jobs: start one, cancel it, have it tried again."""

from collections.abc import Callable
from typing import NamedTuple

from queries.jobs import rules
from queries.jobs.changing import TRIES, change, found
from queries.jobs.port import Backfills, ChangedError, Imports, JobTable, Message, Queue
from queries.jobs.state import Expected, Import, Job, Request


class Started(NamedTuple):
    """The job that a request made, now or when it came before (`is_replay`)."""

    job: Job
    is_replay: bool


class Asking:
    """Takes requests. `clock` gives epoch milliseconds."""

    def __init__(
        self,
        table: JobTable,
        queue: Queue,
        backfills: Backfills,
        imports: Imports,
        clock: Callable[[], int],
    ) -> None:
        self._table, self._queue, self._clock = table, queue, clock
        self._backfills, self._imports = backfills, imports

    def start(self, subject: str, key: str, request: Request) -> Started:
        """Have it done. `subject` and `key` name the request: the same ones again are the same job.

        Raises RequestError, KeyReusedError, OverlapError, TooManyJobsError, ChangedError.
        """
        job_id = rules.id_of(subject, key)
        if before := self._table.job(job_id):
            return Started(rules.same_request(before, request), True)
        expected = self._expected(request)
        now = self._clock()
        job = Job(
            job_id=job_id,
            kind="import" if isinstance(request, Import) else "backfill",
            request=request,
            owner=subject,
            expected=expected,
            created_at=now,
            queued_at=now,
        )
        for _ in range(TRIES):
            try:
                made = self._table.commit(job, rules.admit(self._table.active(), job))
            except ChangedError:
                # Either this very request was faster elsewhere, or another job began.
                if before := self._table.job(job_id):
                    return Started(rules.same_request(before, request), True)
                continue
            self._queue.send(Message(job_id, made.attempt))
            return Started(made, False)
        raise ChangedError("Many jobs begin at the same time. Try again with the same key.")

    def cancel(self, job_id: str) -> Job:
        """No step begins anything any more. Raises UnknownJobError, StateError, ChangedError."""
        return change(self._table, job_id, lambda job: rules.cancel(job, self._clock()))

    def retry(self, job_id: str) -> Job:
        """Do what is not done. Raises UnknownJobError, StateError, OverlapError, TooManyJobsError,
        ChangedError.
        """
        for _ in range(TRIES):
            again = rules.retry(found(self._table, job_id), self._clock())
            try:
                made = self._table.commit(again, rules.admit(self._table.active(), again))
            except ChangedError:
                continue
            self._queue.send(Message(job_id, made.attempt))
            return made
        raise ChangedError(f"Job {job_id} was written by another writer each time. Try again.")

    def _expected(self, request: Request) -> Expected:
        if isinstance(request, Import):
            return self._imports.expected(request)
        return self._backfills.expected(request)[0]

"""Changing a job by a rule: read, decide, write; again where somebody else wrote in between."""

from collections.abc import Callable

from queries.jobs.errors import UnknownJobError
from queries.jobs.port import ChangedError, JobTable
from queries.jobs.rules import leave
from queries.jobs.state import Job

TRIES = 20
"""How often a change is tried when another writer wins each time."""


def found(table: JobTable, job_id: str) -> Job:
    """The job. Raises UnknownJobError."""
    job = table.job(job_id)
    if job is None:
        raise UnknownJobError(f"There is no job {job_id!r}. See: penstock jobs list")
    return job


def change(table: JobTable, job_id: str, rule: Callable[[Job], Job]) -> Job:
    """The job as the rule makes it. One that is over then leaves the list of those that are not.

    Raises UnknownJobError, ChangedError, and what the rule raises.
    """
    for _ in range(TRIES):
        before = found(table, job_id)
        after = rule(before)
        if after == before:
            return before
        try:
            if after.is_over:
                return table.commit(after, leave(table.active(), job_id))
            return table.commit(after)
        except ChangedError:
            continue
    raise ChangedError(f"Job {job_id} was written by another writer each time. Try again.")

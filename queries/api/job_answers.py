"""What the API answers with about jobs, as the OpenAPI document has it; a test compares `presenting`."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from queries.jobs.state import Expected, Kind, Request, State


class _Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class JobSummary(_Answer, frozen=True, kw_only=True):
    """A job in a list. `chunks` is null until they are planned; `counts` are those of an import."""

    job_id: str
    kind: Kind
    request: Request
    state: State
    is_cancelled: bool
    owner: str
    attempt: int
    partitions: int
    chunks: int | None
    counts: Mapping[str, int]
    chunks_done: int
    chunks_failed: int
    created_at: str
    started_at: str | None
    ended_at: str | None
    error: str


class JobAnswer(JobSummary, frozen=True, kw_only=True):
    """A job, with every partition that failed and why."""

    expected: Expected
    failed: Mapping[str, str]


class JobsAnswer(_Answer, frozen=True, kw_only=True):
    """The newest jobs, the newest one first."""

    jobs: Sequence[JobSummary]


class AcceptedAnswer(_Answer, frozen=True, kw_only=True):
    """A job that is taken, and what it is expected to take: the same for the same request."""

    job_id: str
    state: Literal["QUEUED"]
    expected: Expected


class StepAnswer(_Answer, frozen=True, kw_only=True):
    """A step of the last execution. `milliseconds` is null while it runs."""

    step: str
    state: Literal["RUNNING", "DONE", "FAILED"]
    input: Mapping[str, Any]
    outcome: str | None
    at: str
    milliseconds: int | None


class StepsAnswer(_Answer, frozen=True, kw_only=True):
    """Every step in order of time, and the lines of the log about the job."""

    steps: Sequence[StepAnswer]
    lines: Sequence[Mapping[str, Any]]

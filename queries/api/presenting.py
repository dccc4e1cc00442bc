"""Jobs as the API shows them (pure)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from queries.jobs.state import Job


def shown(job: Job) -> dict[str, Any]:
    """A job, with every partition that failed and why."""
    return summary(job) | {
        "expected": msgspec.to_builtins(job.expected),
        "failed": {name: why for reasons in job.failed.values() for name, why in sorted(reasons.items())},
    }


def summary(job: Job) -> dict[str, Any]:
    """A job in a list."""
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "request": msgspec.to_builtins(job.request),
        "state": job.state,
        "is_cancelled": job.cancelled_at is not None,
        "owner": job.owner,
        "attempt": job.attempt,
        "partitions": job.partitions if job.chunks is not None else job.expected.partitions,
        "chunks": job.chunks,
        "counts": dict(job.counts),
        "chunks_done": len(job.done),
        "chunks_failed": len(job.failed),
        "created_at": _time(job.created_at),
        "started_at": _time(job.started_at),
        "ended_at": _time(job.ended_at),
        "error": job.error,
    }


def accepted(job: Job) -> Mapping[str, Any]:
    """The answer to whoever asked for it: the same one however often it is asked for."""
    return {"job_id": job.job_id, "state": "QUEUED", "expected": msgspec.to_builtins(job.expected)}


def _time(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec='milliseconds')[:23]}Z"

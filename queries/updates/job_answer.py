"""Jobs as the GraphQL schema has them (pure)."""

from typing import Any

from queries.api.presenting import summary
from queries.jobs.state import Job
from queries.updates.spelling import in_camel_case

_SHOWN = (
    "job_id", "kind", "state", "is_cancelled", "owner", "attempt", "created_at", "started_at", "ended_at",
    "error",
)  # fmt: skip
_ASKED = ("report", "from", "to", "prefix", "source")


def job_answer(job: Job) -> dict[str, Any]:
    """A job as it is now."""
    shown = summary(job)
    found = {name: shown[name] for name in _SHOWN}
    found |= {name: shown["request"].get(name) for name in _ASKED}
    found |= {
        "revision": job.revision,
        "done": len(job.done),
        "failed": len(job.failed),
        "total": job.chunks,
    }
    return in_camel_case(found)

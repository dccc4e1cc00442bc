"""Jobs and reports as the GraphQL schema has them (pure)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from queries.api.presenting import summary
from queries.api.reading.answers import ReportAnswer
from queries.jobs.state import Job

_OF_A_JOB = (
    "job_id", "kind", "state", "is_cancelled", "owner", "attempt", "created_at", "started_at", "ended_at",
    "error",
)  # fmt: skip
_ASKED = ("report", "from", "to", "prefix", "source")


def job_answer(job: Job) -> dict[str, Any]:
    """A job as it is now."""
    shown = summary(job)
    found = {name: shown[name] for name in _OF_A_JOB}
    found |= {name: shown["request"].get(name) for name in _ASKED}
    counted = {
        "revision": job.revision,
        "done": len(job.done),
        "failed": len(job.failed),
        "total": job.chunks,
    }
    return _in_camel_case(found | counted)


def report_answer(report: ReportAnswer) -> dict[str, Any]:
    """A report as it is now."""
    return _in_camel_case(msgspec.structs.asdict(report))


def _in_camel_case(found: Mapping[str, Any]) -> dict[str, Any]:
    return {_camel(name): value for name, value in found.items()}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.title() for part in others)

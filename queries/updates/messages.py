"""Updates as subscribers get them (pure): small hints, each with what tells the newest one."""

from collections.abc import Mapping
from typing import Any

import msgspec

from queries.api.reading.answers import ReportAnswer
from queries.jobs.state import Job, State


class JobUpdate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A job has changed. `done` and `total` count chunks; `total` is None before they are planned."""

    job_id: str
    revision: int
    state: State
    done: int
    total: int | None


class ReportUpdate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Partitions of a report were published. Times are texts in UTC."""

    name: str
    version: str
    as_of: str | None
    published_at: str | None


Update = JobUpdate | ReportUpdate
MUTATIONS: Mapping[type, str] = {JobUpdate: "publishJob", ReportUpdate: "publishReport"}
"""The mutation that hands each kind of update on."""


def job_update(job: Job) -> JobUpdate:
    """A job's update."""
    return JobUpdate(
        job_id=job.job_id, revision=job.revision, state=job.state, done=len(job.done), total=job.chunks
    )


def report_update(answer: ReportAnswer) -> ReportUpdate:
    """A report's update."""
    return ReportUpdate(
        name=answer.name, version=answer.version, as_of=answer.as_of, published_at=answer.published_at
    )


def mutation(update: Update) -> tuple[str, dict[str, Any]]:
    """(document, variables) that publish the update. Subscribers get the members that the document selects,
    so it selects every one.
    """
    name, kind = MUTATIONS[type(update)], type(update).__name__
    members = " ".join(field.encode_name for field in msgspec.structs.fields(update))
    document = f"mutation($input: {kind}Input!) {{ {name}(input: $input) {{ {members} }} }}"
    return document, {"input": msgspec.to_builtins(update)}

"""`penstock jobs watch`: jobs as they change, told by the deployment and not asked for again and again."""

import json
import random
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from queries.commands.target import Target
from queries.contracts import echo, printable
from queries.jobs.errors import UnknownJobError
from queries.jobs.state import OVER
from queries.updates.watching.documents import JOB, JOB_CHANGED, JOBS
from queries.updates.watching.protocol import SubscriptionLostError
from queries.updates.watching.watching import Watching

FETCHED = 20
"""Newest jobs that are asked for where every one is followed."""


class NoUpdatesError(RuntimeError):
    """The deployment has no live updates."""

    def __init__(self) -> None:
        super().__init__(
            "No live updates are deployed. Set `jobs = true` for the deployment in penstock.toml."
        )


def watching(target: Target, job_id: str | None) -> Watching:
    """Follows the job, or every one; asking for a job that there is not raises UnknownJobError.

    Raises NoUpdatesError where the deployment has no live updates.
    """
    graphql_url, realtime_url = target.updates_url, target.updates_realtime_url
    if not graphql_url:
        raise NoUpdatesError
    from queries.engine.aws_session import aws_session
    from queries.updates.appsync import AppSync, AppSyncError
    from queries.updates.watching.socket import subscribed

    session: Any = aws_session()
    asking = AppSync(graphql_url, session.get_credentials(), session.region_name or target.region)

    def fetch() -> Sequence[Mapping[str, Any]]:
        try:
            if job_id is None:
                jobs: list[Mapping[str, Any]] = asking.ask(JOBS, {"limit": FETCHED})["jobs"]
                return jobs[::-1]
            found = asking.ask(JOB, {"jobId": job_id})["job"]
        except AppSyncError as error:
            raise SubscriptionLostError(str(error)) from error
        if found is None:
            raise UnknownJobError(f"There is no job {job_id!r}. See: penstock jobs list")
        return [found]

    return Watching(
        partial(subscribed, asking, graphql_url, realtime_url, JOB_CHANGED, {"jobId": job_id}),
        fetch,
        clock=time.monotonic,
        sleep=time.sleep,
        chance=random.random,
        lost=lambda why: echo(f"{printable(why)} Connecting again.", err=True),
    )


def watched(target: Target, job_id: str | None, *, as_json: bool) -> str:
    """Print each change; for one job until it is over, and its state then."""
    for job in watching(target, job_id).changes():
        echo(json.dumps(job) if as_json else line(job))
        if job_id is not None and job["state"] in OVER:
            return str(job["state"])
    raise AssertionError("changes never end by themselves")


def line(job: Mapping[str, Any]) -> str:
    """A change in a line."""
    of = "?" if job["total"] is None else job["total"]
    state, name = printable(str(job["state"])), printable(str(job["jobId"]))
    return f"{name}  {state:<14} {job['done']}/{of} chunks, revision {job['revision']}"

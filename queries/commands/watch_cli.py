"""Followers of live updates: `penstock jobs watch`, and whoever wants to know when reports are published."""

import json
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from queries.commands.target import Target
from queries.contracts import echo, printable
from queries.jobs.errors import UnknownJobError
from queries.jobs.state import OVER
from queries.updates.rules import Newest
from queries.updates.watching.documents import JOB, JOB_CHANGED, JOBS, REPORT_PUBLISHED
from queries.updates.watching.protocol import SubscriptionLostError, SubscriptionRefusedError
from queries.updates.watching.watching import NoAnswerError, Watching

if TYPE_CHECKING:
    from queries.updates.appsync import AppSync

FETCHED = 20
"""Newest jobs that are asked for where every one is followed."""
PATIENCE_SECONDS = 600.0


class NoUpdatesError(RuntimeError):
    """The deployment has no live updates."""

    def __init__(self) -> None:
        super().__init__(
            "No live updates are deployed. Set `jobs = true` for the deployment in penstock.toml."
        )


def watching(target: Target, job_id: str | None, patience: float = PATIENCE_SECONDS) -> Watching:
    """Follows the job, or every one; asking for a job that there is not raises UnknownJobError.

    `patience` is how many seconds may pass without an answer of the deployment.
    Raises NoUpdatesError where the deployment has no live updates.
    """
    graphql_url = target.updates_url
    asking = _asking(target)
    if asking is None:
        raise NoUpdatesError
    from queries.updates.appsync import AppSyncError

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

    return _watching(
        _subscribed(target, asking, JOB_CHANGED, {"jobId": job_id}),
        fetch,
        is_new=Newest().take,
        lost=lambda why, seconds: echo(waiting(why, graphql_url, seconds), err=True),
        patience=patience,
    )


def publishes(target: Target, lost: Callable[[], None]) -> Iterator[Any] | None:
    """Something whenever reports may have been published: on each connection, each update, and once a minute.

    `lost` is called when nobody tells any more, until the next item comes. None where the deployment has no
    live updates; the iterator ends where the caller may not have them.
    """
    asking = _asking(target)
    if asking is None:
        return None
    told = _watching(
        _subscribed(target, asking, REPORT_PUBLISHED, {}),
        lambda: [{}],
        is_new=lambda _: True,
        lost=lambda *_: lost(),
        patience=math.inf,
    )
    return _until_refused(told.changes())


def _until_refused(changes: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from changes
    except SubscriptionRefusedError as error:
        echo(f"{printable(str(error))} Publishes are looked for all the time instead.", err=True)


def _asking(target: Target) -> "AppSync | None":
    if not target.updates_url:
        return None
    from queries.engine.aws_session import aws_session
    from queries.updates.appsync import AppSync

    session: Any = aws_session()
    return AppSync(target.updates_url, session.get_credentials(), session.region_name or target.region)


def _subscribed(target: Target, asking: "AppSync", document: str, variables: Mapping[str, Any]) -> Any:
    from queries.updates.watching.socket import subscribed

    return partial(subscribed, asking, target.updates_url, target.updates_realtime_url, document, variables)


_watching = partial(Watching, clock=time.monotonic, sleep=time.sleep, chance=random.random)


def waiting(why: str, url: str, seconds: float) -> str:
    """What is waited for while there is no connection."""
    place = printable(urlsplit(url).netloc)
    return f"{printable(why)} Waiting for {place} to answer; the next attempt is in {seconds:.1f} s."


def watched(target: Target, job_id: str | None, *, as_json: bool, patience: float) -> str:
    """Print each change; for one job until it is over, and its state then. Raises NoAnswerError."""
    try:
        return _printed(watching(target, job_id, patience).changes(), job_id, as_json=as_json)
    except NoAnswerError as error:
        raise NoAnswerError(given_up(str(error), target.updates_url, patience)) from error


def given_up(why: str, url: str, patience: float) -> str:
    """What to do when nothing has answered for so many seconds."""
    return (
        f"{printable(urlsplit(url).netloc)} did not answer. {printable(why)} On this machine look with: "
        f"penstock local status. To wait for longer: --timeout {2 * patience:g}"
    )


def _printed(changes: Iterator[Mapping[str, Any]], job_id: str | None, *, as_json: bool) -> str:
    for job in changes:
        echo(json.dumps(job) if as_json else line(job))
        if job_id is not None and job["state"] in OVER:
            return str(job["state"])
    raise AssertionError("changes never end by themselves")


def line(job: Mapping[str, Any]) -> str:
    """A change in a line."""
    of = "?" if job["total"] is None else job["total"]
    state, name = printable(str(job["state"])), printable(str(job["jobId"]))
    return f"{name}  {state:<14} {job['done']}/{of} chunks, revision {job['revision']}"

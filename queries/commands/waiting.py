"""Waiting until no report is stale: the deployed query function is asked to go on until nothing is left."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from queries.commands.delivery import clock_time
from queries.ledger.port import LedgerTable
from queries.partitions import Key

ROUND_SECONDS = 20
"""One call of the query function works at most this long, so that progress is seen."""
_PAUSE = 0.2
_IDLE_ROUNDS = 2.0
"""A call that found nothing to do, since others are at it, is followed by a pause so many times as long: it
has read the whole ledger, and who works needs the processor."""
# Messages in flight are left out: a worker that died keeps one hidden for minutes, and what it tells of is
# found by comparing the lake anyway.
_QUEUED = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed")


class RefreshError(Exception):
    """The reports did not become fresh; the text says why and what to look at."""


@dataclass(frozen=True)
class Held:
    """Partitions of one report in the hands of one worker, nobody else's before `lease_until` (epoch ms)."""

    run: str
    report: str
    partitions: int
    lease_until: int

    def __str__(self) -> str:
        until = clock_time(self.lease_until / 1000)
        return f"run {self.run} holds {self.partitions} partitions of {self.report} until {until}"


def told_of(held: Sequence[Held]) -> str:
    """Why partitions that other workers hold are waited for, and what stops it; empty when none are held."""
    if not held:
        return ""
    return (
        f"{'; '.join(map(str, held))}, if its worker does not end before. A worker that was killed ends only "
        "so; on the local cloud, penstock local down and penstock local up stop it at once"
    )


@dataclass(frozen=True)
class Standing:
    """How far a refresh has come: partitions known, still stale, quarantined (with reasons); messages queued.

    `held` are the runs of other workers, which compute or were killed. `published` and `unchanged` count what
    this refresh did so far, `statements` and `bytes_scanned` its cost.
    """

    partitions: int = 0
    stale: int = 0
    queued: int = 0
    quarantined: Mapping[str, str] = field(default_factory=dict)
    published: int = 0
    unchanged: int = 0
    statements: int = 0
    bytes_scanned: int = 0
    held: Sequence[Held] = ()


def refresh_until_fresh(
    *,
    lambda_client: Any,
    sqs: Any,
    query_function: str,
    queue_url: str,
    timeout_seconds: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    progress: Callable[[Standing], None] = lambda _: None,
) -> Standing:
    """Compare the lake with the reports, and run what is stale, until nothing is and the queue is empty.

    The whole lake is compared at the beginning and at the end only: listing years of it takes long. While
    there is much to do the ledger is not read as a whole either, so that `stale` is an estimate. `clock`
    gives seconds. Raises RefreshError when the function fails, or when time is up.
    """
    deadline = clock() + timeout_seconds
    standing, everything, briefly = Standing(), True, False
    while True:
        # The queue is read first: what leaves it later has been marked when the function looks.
        began, queued = clock(), queue_depth(sqs, queue_url)
        request = {
            "penstock": "refresh",
            "seconds": ROUND_SECONDS,
            "everything": everything,
            "briefly": briefly,
        }
        answer = call(lambda_client, query_function, request)
        standing = _after(standing, answer, queued)
        progress(standing)
        is_fresh = not standing.stale and not standing.queued
        if is_fresh and everything:
            return standing
        everything = is_fresh
        # A year of partitions is read in full when there is nothing else to do, and not in each round.
        briefly = bool(answer["published"]) and not everything
        now = clock()
        if now >= deadline:
            why = f" {told_of(standing.held)}." if standing.held else ""
            raise RefreshError(
                f"After {timeout_seconds:.0f} s {standing.stale} of {standing.partitions} report partitions "
                f"are stale and {standing.queued} notifications are queued.{why} Wait longer with --timeout, "
                f"or look at the log of the function {query_function} and at: penstock reports list"
            )
        is_idle = standing.held and not answer["published"]
        sleep(max(_PAUSE, _IDLE_ROUNDS * (now - began)) if is_idle else _PAUSE)


def _after(before: Standing, answer: Mapping[str, Any], queued: int) -> Standing:
    """How far it is after a call. An answer in brief says only whether something is stale."""
    done = answer["published"] + answer["unchanged"]
    stale = answer["stale"]
    if stale and "partitions" not in answer:
        stale = max(stale, before.stale - done)
    return Standing(
        partitions=answer.get("partitions", before.partitions),
        stale=stale,
        queued=queued,
        quarantined=answer.get("quarantined", before.quarantined),
        published=before.published + answer["published"],
        unchanged=before.unchanged + answer["unchanged"],
        statements=before.statements + answer["statements"],
        bytes_scanned=before.bytes_scanned + answer["bytes_scanned"],
        held=[Held(**run) for run in answer["held"]],
    )


def wait_for(
    keys: Sequence[Key],
    *,
    ledger: LedgerTable,
    lambda_client: Any,
    query_function: str,
    timeout_seconds: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Call the query function until none of these partitions is stale; how many were published, at what cost.

    Raises RefreshError when the function fails or time is up; what is done stays done.
    """
    deadline = clock() + timeout_seconds
    done = {"published": 0, "statements_run": 0, "bytes_really_scanned": 0}
    while True:
        states = ledger.partitions(keys)
        left = [state for state in states.values() if state.is_stale and not state.quarantined]
        progress(len(keys) - len(left))
        if not left:
            aside = {str(state.key): state.last_error for state in states.values() if state.quarantined}
            return done | {"quarantined": aside}
        if clock() >= deadline:
            raise RefreshError(
                f"After {timeout_seconds:.0f} s {len(left)} of {len(keys)} partitions are stale. "
                "Run the same command again to go on."
            )
        answer = call(lambda_client, query_function, {"penstock": "work", "seconds": ROUND_SECONDS})
        done["published"] += answer["published"]
        done["statements_run"] += answer["statements"]
        done["bytes_really_scanned"] += answer["bytes_scanned"]
        sleep(_PAUSE)


def queue_depth(sqs: Any, queue_url: str) -> int:
    """Messages that wait in the queue."""
    answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(_QUEUED))
    return sum(int(answer["Attributes"].get(name, 0)) for name in _QUEUED)


def call(lambda_client: Any, query_function: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the query function and wait for its answer. Raises RefreshError when it fails."""
    answer = lambda_client.invoke(FunctionName=query_function, Payload=json.dumps(request).encode())
    said = answer["Payload"].read()
    if answer.get("FunctionError"):
        try:
            reason = json.loads(said).get("errorMessage", "")
        except ValueError:
            reason = said[:500].decode(errors="replace")
        raise RefreshError(f"The function {query_function} failed: {reason}. Its log says more.")
    found: dict[str, Any] = json.loads(said)
    return found

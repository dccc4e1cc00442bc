"""The ledger's rules: what may happen to a report partition, and what it becomes. Pure; times are epoch ms.

A notification only *marks* a partition stale. Some worker *claims* stale partitions of one report into a
`Run`, which holds them until it is published, refused or given up. A run that outlives its worker is
*adopted* by the next one. Every rule takes what was read and returns what to write; `queries.ledger.port`
writes it only if nobody wrote in between (`revision`).
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from msgspec.structs import replace

from queries.ledger.state import (
    KEPT_RUNS,
    Input,
    PartitionState,
    Published,
    Run,
    SupersededError,
)
from queries.partitions import Key

LEASE_MARGIN_MS = 60_000
"""A lease outlives the hard end of its worker by this, so that no worker is alive when its run is adopted."""
PUBLISH_MARGIN_MS = 10_000
"""A worker with less of its lease left does not begin to publish."""
MOST_ATTEMPTS = 3
"""Failures that are transient, before the partition is quarantined."""
SET_ASIDE_RETRY_MS = 3_600_000
"""A partition that only such failures have quarantined is tried again this much later, time after time: when
Athena has been down for longer than the attempts last, no operator has to retry it by hand.
"""
FENCES_APART = 1_000
"""An item that was lost begins again with a fence this much higher than the catalog's: whatever the runs of
the lost item may still try, they come too late.
"""
CHUNK = 96
"""Partitions in one run at most: an UNLOAD writes up to 100, a DynamoDB transaction has up to 100 items."""


def new(key: Key) -> PartitionState:
    """A partition that nothing is known of."""
    return PartitionState(report=key.report, partition=key.partition)


def due(now: int, *, first: int, ran_at: int, debounce: int, at_most: int) -> int:
    """When a partition is due that has been stale since `first` and is changed again now. All in ms.

    Without a debounce the first change after quiet is due at once, and later ones not before `at_most` has
    passed since the last run began. With one, it is due when `debounce` has passed without another change,
    and `at_most` after the first one at the latest.
    """
    if debounce:
        return min(now + debounce, first + at_most)
    return max(first, ran_at + at_most)


def mark(
    state: PartitionState,
    now: int,
    debounce: int,
    at_most: int,
    *,
    not_before: int = 0,
    force: bool = False,
    accept: bool = False,
    asked_by: str = "",
) -> PartitionState:
    """It is stale, and due as `due` says, but not before `not_before`.

    What `asked_by` (the round of a job) has marked before is left as it is: a step that runs twice must not
    have its partitions computed twice.
    """
    if asked_by and state.asked_by == asked_by:
        return state
    first = now if state.first_dirty_at is None else state.first_dirty_at
    when = due(now, first=first, ran_at=state.ran_at, debounce=debounce, at_most=at_most)
    waits = state.due_at is not None and not state.quarantined
    if waits and at_most and not debounce:
        when = state.due_at or 0  # its turn is set: neither a retry nor who was hastened gets another one
    when = max(when, not_before)
    return replace(
        state,
        dirty_seq=state.dirty_seq + 1,
        first_dirty_at=first,
        due_at=None if state.run_id else when,
        due_next=when if state.run_id else None,
        forced=state.forced or force,
        accepts=state.accepts or accept,
        quarantined=False,
        attempts=0 if state.quarantined else state.attempts,
        asked_by=asked_by or state.asked_by,
        asked_seq=state.dirty_seq + 1 if asked_by else state.asked_seq,
    )


def hasten(state: PartitionState, now: int) -> PartitionState:
    """A stale partition that waits, or was quarantined, becomes due now."""
    if not can_be_hastened(state, now):
        return state
    return replace(state, due_at=now, quarantined=False, attempts=0 if state.quarantined else state.attempts)


def can_be_hastened(state: PartitionState, now: int) -> bool:
    """Whether it is stale and in no run, and does not come at once anyway."""
    is_due = state.due_at is not None and state.due_at <= now and not state.quarantined
    return state.is_stale and state.run_id is None and not is_due


def is_claimable(state: PartitionState, now: int) -> bool:
    """Whether a run may take it now."""
    return state.is_stale and state.run_id is None and state.due_at is not None and state.due_at <= now


def is_unchanged(state: PartitionState, input_now: Input, sql_sha: str) -> bool:
    """Whether the published version was computed from just this input by just this SQL."""
    published = state.published
    return (
        published is not None
        and not state.forced
        and published.input.digest == input_now.digest
        and published.sql_sha == sql_sha
    )


def settle(state: PartitionState, as_of: int) -> PartitionState:
    """What is published is true of all marks so far: the input, listed at `as_of`, has not changed."""
    return replace(
        state,
        published=state.published and replace(state.published, as_of=as_of),
        published_seq=state.dirty_seq,
        accepts=False,
        first_dirty_at=None,
        due_at=None,
        attempts=0,
        quarantined=False,
        last_error="",
    )


def leave_open(state: PartitionState, input_now: Input, sql_sha: str) -> PartitionState:
    """An hour whose lake objects are what its seal would be: nothing is computed until they change."""
    return replace(
        state,
        published_seq=state.dirty_seq,
        first_dirty_at=None,
        due_at=None,
        forced=False,
        accepts=False,
        attempts=0,
        quarantined=False,
        last_error="",
        judged_input=input_now.digest,
        judged_sql=sql_sha,
    )


def claim(
    states: Sequence[PartitionState],
    inputs: Mapping[str, Input],
    *,
    prefix: str,
    sql_sha: str,
    now: int,
    as_of: int,
    hard_end: int,
) -> tuple[Run, list[PartitionState]]:
    """Put the partitions (of one report, all claimable) into a new run.

    The run's name, and with it Athena's token and the folder of its files, follows from the partitions, their
    fences and the time: no two runs share one, and whoever knows the run can ask for its query execution
    again. `hard_end` is when the worker is dead for certain.
    """
    claimed = [
        replace(
            state,
            fence=state.fence + 1,
            claimed_seq=state.dirty_seq,
            first_dirty_at=None,
            due_at=None,
            ran_at=now,
            forced=False,
        )
        for state in states
    ]
    # Athena knows tokens by account and region, not by ledger. Without the time, a second deployment, or a
    # ledger that begins again, would be given the query executions that the first one asked for.
    named = [str(as_of), *(f"{state.report}|{state.partition}|{state.fence}" for state in claimed)]
    run_id = sha256("\n".join(named).encode()).hexdigest()
    highest = max(state.fence for state in claimed)
    run = Run(
        run_id=run_id,
        report=claimed[0].report,
        location=f"{prefix}run={highest:06d}-{run_id[:12]}/",
        sql_sha=sql_sha,
        started_at=now,
        as_of=as_of,
        inputs={state.partition: inputs[state.partition] for state in claimed},
        lease_until=hard_end + LEASE_MARGIN_MS,
    )
    return run, [replace(state, run_id=run_id) for state in claimed]


def chunk_size(states: Sequence[PartitionState]) -> int:
    """How many of these, from the first on, one run may take: fewer where runs have failed before.

    So one partition that cannot be computed does not keep its neighbours from it for long, and what has
    failed often is tried alone.
    """
    size, most = 0, CHUNK
    for state in states:
        most = min(most, max(1, CHUNK // 4**state.attempts))
        if size >= most:
            break
        size += 1
    return size


def store_id(run: Run, fence: int, query_execution_id: str) -> Run:
    """The run's query execution has begun. Raises SupersededError."""
    return replace(_owned(run, fence), query_execution_id=query_execution_id)


def hand_over(run: Run, fence: int, now: int) -> Run:
    """The worker ends before the query execution does: anyone may adopt the run. Raises SupersededError."""
    return replace(_owned(run, fence), lease_until=now)


def is_adoptable(run: Run, now: int) -> bool:
    """Whether the run's worker is certainly gone."""
    return run.lease_until <= now


def adopt(run: Run, hard_end: int) -> Run:
    """Another worker takes the run over: same query execution, same folder, new fence."""
    return replace(run, fence=run.fence + 1, lease_until=hard_end + LEASE_MARGIN_MS)


def begin_publishing(run: Run, fence: int, now: int) -> Run:
    """Last check before the swap. Raises SupersededError, also when too little of the lease is left."""
    if _owned(run, fence).lease_until <= now + PUBLISH_MARGIN_MS:
        raise SupersededError(f"The lease of run {run.run_id[:12]} ends too soon to publish.")
    return replace(run, state="publishing")


def complete(state: PartitionState, run: Run, published: Published, now: int) -> PartitionState:
    """The partition's new version is what readers see. Marks since the claim make it stale again, and due
    when the last of them said.
    """
    mine(state, run)
    previous = state.previous
    if before := state.published:
        # Only of the current version it matters which hours it has read.
        before = replace(before, input=replace(before.input, by_hour={}))
        previous = (before, *previous)[:KEPT_RUNS]
    stale_again = state.dirty_seq > state.claimed_seq
    return replace(
        state,
        run_id=None,
        published_seq=state.claimed_seq,
        published=published,
        previous=previous,
        judged_input=published.input.digest,
        judged_sql=published.sql_sha,
        due_at=max(now, state.due_next or 0) if stale_again else None,
        due_next=None,
        accepts=state.accepts and stale_again,
        first_dirty_at=state.first_dirty_at if stale_again else None,
        attempts=0,
        quarantined=False,
        last_error="",
    )


def refuse(state: PartitionState, reason: str, input_now: Input, sql_sha: str) -> PartitionState:
    """Quarantine it without a run: its input is not what it must be. The published version stays.

    It is looked at again when the lake changes, when it is marked, or when its loss is accepted.
    """
    return replace(
        state,
        first_dirty_at=None,
        due_at=None,
        quarantined=True,
        last_error=reason,
        judged_input=input_now.digest,
        judged_sql=sql_sha,
    )


def give_up(
    state: PartitionState, run: Run, now: int, error: str, *, retry_in: int | None, counts: bool = True
) -> PartitionState:
    """The run did not produce this partition. Due again in `retry_in` ms; None sets it aside until marked.

    After `MOST_ATTEMPTS` it is quarantined, too, but tried again from time to time. Marks since the claim end
    any setting aside: there is new input. `counts` is False when the failure is not the partition's own.
    """
    mine(state, run)
    attempts = state.attempts + 1 if counts else state.attempts
    marked_since = state.dirty_seq > state.claimed_seq
    is_exhausted = counts and retry_in is not None and attempts > MOST_ATTEMPTS
    aside = (retry_in is None or is_exhausted) and not marked_since
    if is_exhausted:
        retry_in = 0 if marked_since else SET_ASIDE_RETRY_MS
    return replace(
        state,
        run_id=None,
        due_at=None if aside and retry_in is None else now + (retry_in or 0),
        due_next=None,
        first_dirty_at=None if aside else now,
        attempts=attempts,
        quarantined=aside,
        last_error=error,
        judged_input=run.inputs[state.partition].digest if aside else state.judged_input,
        judged_sql=run.sql_sha if aside else state.judged_sql,
    )


def release(state: PartitionState, now: int) -> PartitionState:
    """The ledger has lost the partition's run: it becomes due, under a fence that the run does not reach."""
    return replace(
        state,
        run_id=None,
        fence=state.fence + FENCES_APART,
        dirty_seq=state.dirty_seq + 1,
        first_dirty_at=now,
        due_at=now,
        due_next=None,
    )


def mine(state: PartitionState, run: Run) -> None:
    """Raise SupersededError unless the partition is in this run."""
    if state.run_id != run.run_id:
        raise SupersededError(f"{state.key} is not in run {run.run_id[:12]}.")


def _owned(run: Run, fence: int) -> Run:
    if run.fence != fence:
        raise SupersededError(f"Run {run.run_id[:12]} has another owner.")
    return run

"""Rules for going back: to an earlier version, to what was lost, to a ledger that is rebuilt (pure)."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from msgspec.structs import replace

from queries.ledger.rules import FENCES_APART, LEASE_MARGIN_MS, complete, mine
from queries.ledger.state import (
    ConflictingRunError,
    NoEarlierVersionError,
    PartitionState,
    Published,
    Run,
)
from queries.partitions import Key


def claim_earlier(state: PartitionState, *, now: int, hard_end: int) -> tuple[Run, PartitionState]:
    """A run that puts the version before the current one back, under a new fence; it computes nothing.

    Raises NoEarlierVersionError, and ConflictingRunError while another run has the partition.
    """
    if state.run_id is not None:
        raise ConflictingRunError(f"{state.key} is being computed. Try again when it is done.")
    if not state.previous:
        raise NoEarlierVersionError(f"{state.key} has no earlier version to go back to.")
    fence = state.fence + 1
    version = replace(state.previous[0], fence=fence)
    run_id = sha256(f"{state.report}|{state.partition}|{fence}|back".encode()).hexdigest()
    run = Run(
        run_id=run_id,
        report=state.report,
        location=version.location,
        sql_sha=version.sql_sha,
        started_at=now,
        as_of=version.as_of,
        inputs={state.partition: version.input},
        lease_until=hard_end + LEASE_MARGIN_MS,
        restores=version,
    )
    return run, replace(state, fence=fence, run_id=run_id, claimed_seq=state.dirty_seq, due_at=None)


def restore(state: PartitionState, run: Run, version: Published, now: int) -> PartitionState:
    """The earlier version is served again, and stays until the partition is marked again."""
    done = complete(state, run, version, now)
    # What was validated stays: else the next sweep would find the lake newer than the version, and undo this.
    return replace(
        done, previous=state.previous[1:], judged_input=state.judged_input, judged_sql=state.judged_sql
    )


def claim_again(
    states: Sequence[PartitionState], served_fences: Mapping[str, int], *, now: int
) -> tuple[Run, list[PartitionState]]:
    """A run that makes readers see what is published (of one report), where the catalog has lost it.

    It is nobody's yet: the next worker adopts it. Demand stays as it is: what was stale or quarantined
    before, is so afterwards. `served_fences` are those that the catalog shows for partitions that it has.
    """
    claimed, repeats = [], {}
    for state in states:
        assert state.published is not None and state.run_id is None
        fence = max(state.fence, served_fences.get(state.partition, 0)) + 1
        repeats[state.partition] = replace(state.published, fence=fence)
        claimed.append(replace(state, fence=fence, claimed_seq=state.dirty_seq))
    named = [str(now), "again", *(f"{state.report}|{state.partition}|{state.fence}" for state in claimed)]
    run_id = sha256("\n".join(named).encode()).hexdigest()
    first = repeats[claimed[0].partition]
    run = Run(
        run_id=run_id,
        report=claimed[0].report,
        location=first.location,
        sql_sha=first.sql_sha,
        started_at=now,
        as_of=first.as_of,
        inputs={name: version.input for name, version in repeats.items()},
        lease_until=now,
        repeats=repeats,
    )
    return run, [replace(state, run_id=run_id) for state in claimed]


def repeat(state: PartitionState, run: Run, now: int) -> PartitionState:
    """Readers see the published version again."""
    return replace(let_go(state, run, now), published=run.repeats[state.partition])


def let_go(state: PartitionState, run: Run, now: int) -> PartitionState:
    """The run is over and changed nothing. Marks since the claim make the partition due."""
    mine(state, run)
    marked = state.dirty_seq > state.claimed_seq
    due_at = max(now, state.due_next or 0) if marked else state.due_at
    return replace(state, run_id=None, due_at=due_at, due_next=None)


def rebuild(
    key: Key, published: Published, before: PartitionState | None = None, now: int = 0
) -> PartitionState:
    """The item of a partition of whose version only the catalog tells: fresh, as far as that goes.

    Whether the lake holds more is for the next comparison with it to find out; when there was an item
    `before`, of an older version, it is due at once. Earlier versions, and why the partition was quarantined
    if it was, are not known any more.
    """
    rebuilt = PartitionState(
        report=key.report,
        partition=key.partition,
        fence=published.fence + FENCES_APART,
        published=published,
        judged_input=published.input.digest,
        judged_sql=published.sql_sha,
    )
    if before is None:
        return rebuilt
    return replace(
        rebuilt,
        revision=before.revision,
        fence=max(before.fence, published.fence) + FENCES_APART,
        dirty_seq=before.dirty_seq + 1,
        published_seq=before.published_seq,
        first_dirty_at=now,
        due_at=now,
    )

"""The ledger's rules."""

import pytest
from msgspec.structs import replace

from queries.ledger import restoring
from queries.ledger import rules as ledger
from queries.ledger.state import Input, NoEarlierVersionError, PartitionState, Published, Run, SupersededError
from queries.partitions import Key

NOW = 1_000_000_000
KEY = Key("sample", "2026-11-24-10")


def due() -> PartitionState:
    return ledger.mark(ledger.new(KEY), NOW, 0, 0)


def claimed(state: PartitionState, now: int = NOW, digest: str = "d") -> tuple[Run, PartitionState]:
    inputs = {state.partition: Input(objects=1, bytes=10, digest=digest)}
    run, (after,) = ledger.claim(
        [state], inputs, prefix="p/", sql_sha="s", now=now, as_of=now, hard_end=now + 60_000
    )
    return run, after


def version(run: Run, state: PartitionState) -> Published:
    return Published(
        location=f"{run.location}x/",
        fence=state.fence,
        published_at=NOW,
        input=run.inputs[state.partition],
        sql_sha=run.sql_sha,
    )


def published() -> PartitionState:
    run, state = claimed(due())
    return ledger.complete(state, run, version(run, state), NOW)


def test_marks_wait_for_silence_but_not_for_ever() -> None:
    state = ledger.mark(ledger.new(KEY), NOW, 60_000, 300_000)
    assert state.due_at == NOW + 60_000
    for second in range(0, 400, 10):
        state = ledger.mark(state, NOW + second * 1000, 60_000, 300_000)
    assert state.due_at == NOW + 300_000


def test_the_first_change_after_quiet_is_due_at_once_and_later_ones_once_per_interval() -> None:
    state = ledger.mark(ledger.new(KEY), NOW, 0, 60_000)
    assert state.due_at == NOW
    run, state = claimed(state, NOW + 100)
    state = ledger.complete(state, run, version(run, state), NOW + 5_000)
    for second in range(10, 50, 10):
        state = ledger.mark(state, NOW + second * 1000, 0, 60_000)
        assert state.due_at == NOW + 100 + 60_000
    run, state = claimed(state, NOW + 61_000)
    state = ledger.complete(state, run, version(run, state), NOW + 66_000)
    assert ledger.mark(state, NOW + 500_000, 0, 60_000).due_at == NOW + 500_000


def test_a_mark_does_not_bring_a_retry_forward_nor_put_off_who_was_hastened() -> None:
    run, state = claimed(due())
    state = ledger.give_up(state, run, NOW + 90_000, "failed", retry_in=30_000)
    assert ledger.mark(state, NOW + 91_000, 0, 60_000).due_at == NOW + 120_000
    run, state = claimed(due())
    state = ledger.complete(ledger.mark(state, NOW + 1, 0, 60_000), run, version(run, state), NOW + 5)
    hastened = ledger.hasten(state, NOW + 10)
    assert ledger.mark(hastened, NOW + 11, 0, 60_000).due_at == NOW + 10


def test_only_what_would_come_later_is_hastened() -> None:
    waits = ledger.mark(ledger.new(KEY), NOW, 60_000, 300_000)
    hastened = ledger.hasten(waits, NOW + 1)
    assert hastened.due_at == NOW + 1
    assert ledger.hasten(hastened, NOW + 20_000) is hastened
    run, state = claimed(due())
    quarantined = ledger.give_up(state, run, NOW, "failed", retry_in=None)
    assert ledger.hasten(quarantined, NOW + 20_000).due_at == NOW + 20_000


def test_a_partition_is_claimable_once_it_is_due_and_only_by_one_run() -> None:
    state = ledger.mark(ledger.new(KEY), NOW, 60_000, 300_000)
    assert not ledger.is_claimable(state, NOW)
    assert ledger.is_claimable(state, NOW + 60_000)
    _, taken = claimed(due())
    assert not ledger.is_claimable(taken, NOW)


def test_a_mark_during_a_run_makes_the_partition_stale_again_when_the_run_is_published() -> None:
    run, state = claimed(due())
    state = ledger.mark(state, NOW + 5, 60_000, 300_000)
    assert state.due_at is None
    state = ledger.complete(state, run, version(run, state), NOW + 10)
    assert state.is_stale
    assert state.due_at == NOW + 5 + 60_000


def test_what_comes_while_a_run_lasts_longer_than_the_interval_is_due_when_the_run_ends() -> None:
    run, state = claimed(due())
    state = ledger.mark(state, NOW + 5, 0, 60_000)
    state = ledger.complete(state, run, version(run, state), NOW + 90_000)
    assert state.due_at == NOW + 90_000


def test_publishing_makes_a_partition_fresh_and_remembers_three_earlier_versions() -> None:
    state = published()
    assert state.condition == "fresh"
    for number in range(5):
        run, state = claimed(ledger.mark(state, NOW, 0, 0), digest=f"d{number}")
        state = ledger.complete(state, run, version(run, state), NOW)
    assert [one.input.digest for one in state.previous] == ["d3", "d2", "d1"]


def test_no_two_claims_share_a_name_a_token_or_a_folder() -> None:
    state, seen = due(), set()
    for _ in range(10):
        run, taken = claimed(state)
        seen.add((run.run_id, run.token, run.location))
        state = ledger.give_up(taken, run, NOW, "failed", retry_in=0, counts=False)
    assert len({run_id for run_id, _, _ in seen}) == len({place for _, _, place in seen}) == 10


def test_a_second_ledger_in_the_account_does_not_get_the_query_executions_of_the_first() -> None:
    first, _ = claimed(due())
    second, _ = claimed(due(), now=NOW + 1)
    assert first.token != second.token
    assert first.location != second.location


def test_the_token_is_one_that_athena_accepts() -> None:
    run, _ = claimed(due())
    assert 32 <= len(run.token) <= 128


def test_who_was_superseded_can_do_nothing_with_the_run() -> None:
    run, _ = claimed(due())
    taken_over = ledger.adopt(run, NOW + 60_000)
    with pytest.raises(SupersededError):
        ledger.store_id(taken_over, run.fence, "q")
    with pytest.raises(SupersededError):
        ledger.begin_publishing(taken_over, run.fence, NOW)
    with pytest.raises(SupersededError):
        ledger.hand_over(taken_over, run.fence, NOW)


def test_nobody_adopts_a_run_before_its_worker_is_dead_for_certain() -> None:
    run, _ = claimed(due())
    assert not ledger.is_adoptable(run, NOW + 60_000)
    assert ledger.is_adoptable(run, NOW + 60_000 + ledger.LEASE_MARGIN_MS)
    assert ledger.is_adoptable(ledger.hand_over(run, run.fence, NOW + 1), NOW + 1)


def test_nobody_begins_to_publish_with_too_little_of_the_lease_left() -> None:
    run, _ = claimed(due())
    with pytest.raises(SupersededError):
        ledger.begin_publishing(run, run.fence, run.lease_until - ledger.PUBLISH_MARGIN_MS)


def test_a_failure_that_may_pass_is_tried_three_times_then_quarantined_and_tried_each_hour() -> None:
    state = due()
    for attempt in range(ledger.MOST_ATTEMPTS):
        run, taken = claimed(state)
        state = ledger.give_up(taken, run, NOW, "throttled", retry_in=1000)
        assert (state.due_at, state.attempts) == (NOW + 1000, attempt + 1)
        state = replace(state, due_at=NOW)
    run, taken = claimed(state)
    state = ledger.give_up(taken, run, NOW, "throttled", retry_in=1000)
    assert state.condition == "quarantined"
    assert state.due_at == NOW + ledger.SET_ASIDE_RETRY_MS
    assert not ledger.is_claimable(state, state.due_at - 1)
    assert ledger.is_claimable(state, state.due_at)


def test_a_try_that_ended_for_another_reason_does_not_wait_an_hour() -> None:
    run, taken = claimed(replace(due(), attempts=ledger.MOST_ATTEMPTS + 1))
    state = ledger.give_up(taken, run, NOW, "the SQL was changed", retry_in=0, counts=False)
    assert (state.condition, state.due_at) == ("stale", NOW)


def test_a_failure_that_stays_is_quarantined_until_somebody_does_something() -> None:
    run, taken = claimed(due())
    state = ledger.give_up(taken, run, NOW, "failed check", retry_in=None)
    assert (state.condition, state.due_at) == ("quarantined", None)


def test_a_partition_that_was_quarantined_and_succeeds_is_fresh() -> None:
    run, taken = claimed(replace(due(), quarantined=True, attempts=ledger.MOST_ATTEMPTS + 1))
    done = ledger.complete(taken, run, version(run, taken), NOW)
    assert done.condition == "fresh"
    unchanged = ledger.settle(replace(published(), dirty_seq=2, quarantined=True), NOW)
    assert unchanged.condition == "fresh"


def test_new_input_ends_the_setting_aside() -> None:
    run, taken = claimed(due())
    aside = ledger.give_up(taken, run, NOW, "failed check", retry_in=None)
    again = ledger.mark(aside, NOW + 1, 0, 0)
    assert again.condition == "stale"
    assert again.attempts == 0


def test_new_input_during_a_failing_run_keeps_the_partition_from_being_quarantined() -> None:
    run, taken = claimed(due())
    state = ledger.give_up(ledger.mark(taken, NOW, 0, 0), run, NOW + 1, "failed check", retry_in=None)
    assert (state.condition, state.due_at) == ("stale", NOW + 1)


def test_the_old_version_stays_when_a_run_fails() -> None:
    state = published()
    run, taken = claimed(ledger.mark(state, NOW, 0, 0))
    assert ledger.give_up(taken, run, NOW, "failed", retry_in=None).published == state.published


def test_runs_get_smaller_where_runs_have_failed() -> None:
    states = [replace(ledger.new(Key("r", f"{number:03d}")), attempts=0) for number in range(200)]
    assert ledger.chunk_size(states) == 96
    assert ledger.chunk_size([replace(one, attempts=1) for one in states]) == 24
    assert ledger.chunk_size([replace(one, attempts=3) for one in states]) == 1


@pytest.mark.parametrize(
    ("attempts", "size"), [([4, 0, 0], 1), ([0, 4, 0], 1), ([0, 0, 2, 0], 4), ([0, 3], 1)]
)
def test_what_has_failed_often_is_tried_alone_whatever_its_neighbours_did(
    attempts: list[int], size: int
) -> None:
    states = [replace(ledger.new(Key("r", f"{place}")), attempts=each) for place, each in enumerate(attempts)]
    assert ledger.chunk_size(states) == size


def test_going_back_serves_the_earlier_version_under_a_new_fence_and_lasts_until_the_next_mark() -> None:
    first = published()
    run, taken = claimed(ledger.mark(first, NOW, 0, 0), digest="new")
    second = ledger.complete(taken, run, version(run, taken), NOW)
    back, moving = restoring.claim_earlier(second, now=NOW, hard_end=NOW + 1)
    assert back.restores is not None
    assert back.restores.fence > taken.fence
    state = restoring.restore(moving, back, back.restores, NOW)
    assert first.published is not None
    assert state.published is not None
    assert state.published.location == first.published.location
    assert state.condition == "fresh"
    assert state.judged_input == "new"  # so that no sweep undoes it


def test_what_was_published_once_cannot_go_back() -> None:
    with pytest.raises(NoEarlierVersionError):
        restoring.claim_earlier(published(), now=NOW, hard_end=NOW)


def test_unchanged_means_the_same_input_and_the_same_sql() -> None:
    state = published()
    assert ledger.is_unchanged(state, Input(digest="d"), "s")
    assert not ledger.is_unchanged(state, Input(digest="other"), "s")
    assert not ledger.is_unchanged(state, Input(digest="d"), "other")
    assert not ledger.is_unchanged(ledger.mark(state, NOW, 0, 0, force=True), Input(digest="d"), "s")


def test_a_round_of_a_job_marks_a_partition_once_and_its_next_round_once_more() -> None:
    asked = ledger.mark(published(), NOW, 0, 0, force=True, asked_by="job#1")
    assert (asked.asked_by, asked.asked_seq, asked.is_stale) == ("job#1", asked.dirty_seq, True)
    assert ledger.mark(asked, NOW + 1, 0, 0, force=True, asked_by="job#1") == asked
    run, state = claimed(asked)
    done = ledger.complete(state, run, version(run, state), NOW)
    assert ledger.mark(done, NOW + 1, 0, 0, force=True, asked_by="job#1") == done
    noticed = ledger.mark(done, NOW + 1, 0, 0)
    assert (noticed.asked_by, noticed.asked_seq) == ("job#1", done.asked_seq)
    assert noticed.published_seq >= noticed.asked_seq
    assert ledger.mark(noticed, NOW + 2, 0, 0, asked_by="job#2").asked_seq == noticed.dirty_seq + 1

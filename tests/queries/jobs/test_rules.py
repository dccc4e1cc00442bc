"""What may happen to a job, and what it becomes."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from queries.jobs import rules
from queries.jobs.errors import KeyReusedError, OverlapError, StateError, TooManyJobsError
from queries.jobs.state import OVER, Active, Backfill, Job
from queries.ledger.rules import CHUNK
from tests.queries.jobs.world import REQUEST, expected

JOB = Job(
    job_id="one",
    kind="backfill",
    request=REQUEST,
    owner="somebody",
    expected=expected(200),
    created_at=1,
    queued_at=1,
)
PLANNED = rules.planned(rules.begin(JOB, 2), rules.chunks_of([f"{n:04d}" for n in range(200)]))


def test_a_chunk_is_what_one_run_of_the_ledger_takes() -> None:
    assert rules.CHUNK == CHUNK


@given(st.sets(st.integers(0, 99_999), max_size=1_000))
def test_chunks_hold_every_partition_once_in_order_and_none_is_too_large(numbers: set[int]) -> None:
    names = [f"{number:05d}" for number in numbers]
    chunks = rules.chunks_of(names)
    assert [name for chunk in chunks for name in chunk] == sorted(names)
    assert all(0 < len(chunk) <= CHUNK for chunk in chunks)
    assert all(len(chunk) == CHUNK for chunk, _ in pairwise(chunks))


def test_a_year_of_hours_has_92_chunks() -> None:
    assert len(rules.chunks_of([f"{n:05d}" for n in range(365 * 24)])) == 92


def test_the_id_follows_from_who_asks_and_the_key_and_from_nothing_else() -> None:
    assert rules.id_of("a", "key") == rules.id_of("a", "key")
    assert len({rules.id_of("a", "key"), rules.id_of("b", "key"), rules.id_of("a", "yek")}) == 3
    assert rules.id_of("a|b", "c") != rules.id_of("a", "b|c")


def test_the_same_key_with_another_request_is_refused_with_what_to_do() -> None:
    assert rules.same_request(JOB, REQUEST) is JOB
    with pytest.raises(KeyReusedError, match="Use a new key"):
        rules.same_request(JOB, replace(REQUEST, force=True))


@pytest.mark.parametrize(
    ("first", "last", "meets"),
    [
        ("2026-10-01-00", "2026-10-31-23", False),
        ("2026-10-01-00", "2026-11-01-00", True),
        ("2026-11-10-00", "2026-11-10-00", True),
        ("2026-01-01-00", "2026-12-31-23", True),
        ("2026-11-30-23", "2027-01-01-00", True),
        ("2026-12-01-00", "2026-12-01-00", False),
    ],
)
def test_two_jobs_meet_when_they_have_a_partition_in_common(first: str, last: str, meets: bool) -> None:
    other = Backfill(report=REQUEST.report, first=first, last=last)
    assert rules.overlap(REQUEST, other) is rules.overlap(other, REQUEST) is meets
    assert not rules.overlap(REQUEST, replace(other, report="another"))


def test_a_job_that_meets_another_is_refused_and_the_other_named() -> None:
    with pytest.raises(OverlapError, match="Job two") as refused:
        rules.admit(Active(jobs={"two": REQUEST}), JOB)
    assert refused.value.other == "two"


def test_twenty_jobs_may_be_under_way_and_no_more() -> None:
    others = {str(n): replace(REQUEST, report=f"report_{n}") for n in range(20)}
    with pytest.raises(TooManyJobsError, match="20 jobs"):
        rules.admit(Active(jobs=others), JOB)
    del others["0"]
    assert set(rules.admit(Active(jobs=others), JOB).jobs) == {*others, "one"}


def test_a_job_with_every_chunk_published_has_succeeded() -> None:
    done = rules.chunk_done(rules.chunk_done(rules.chunk_done(PLANNED, 1), 0), 2)
    assert done.left == ()
    assert rules.finish(done, 9).state == "SUCCEEDED"
    assert rules.finish(rules.cancel(done, 8), 9).state == "SUCCEEDED"  # too late to make a difference


def test_a_failed_chunk_leaves_the_job_partly_failed_and_its_partitions_named() -> None:
    failed = rules.chunk_failed(rules.chunk_done(rules.chunk_done(PLANNED, 0), 1), 2, {"0198": "broken"})
    job = rules.finish(failed, 9)
    assert (job.state, job.failed) == ("PARTLY_FAILED", {2: {"0198": "broken"}})


def test_a_job_none_of_whose_partitions_was_published_has_failed() -> None:
    chunks = rules.chunks_of([f"{n:04d}" for n in range(200)])
    job = PLANNED
    for index, chunk in enumerate(chunks):
        job = rules.chunk_failed(job, index, dict.fromkeys(chunk, "no"))
    assert rules.finish(job, 9).state == "FAILED"


def test_a_retry_does_the_failed_partitions_and_what_was_never_begun_and_nothing_else() -> None:
    failed = rules.chunk_failed(rules.chunk_done(PLANNED, 0), 1, {"0100": "broken", "0099": "broken"})
    again = rules.retry(rules.finish(failed, 9), 10)
    assert (again.state, again.attempt, again.round, again.left) == ("QUEUED", 2, 2, (1, 2))
    assert again.again == {1: ("0099", "0100")}
    assert again.mark != failed.mark
    assert again.execution != failed.execution


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING", "SUCCEEDED"])
def test_there_is_nothing_to_retry_in_a_job_that_goes_on_or_has_succeeded(state: str) -> None:
    with pytest.raises(StateError, match="one"):
        rules.retry(replace(JOB, state=state), 9)


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_when_its_steps_have_stopped() -> None:
    assert rules.cancel(JOB, 5).state == "CANCELLED"
    stopping = rules.cancel(PLANNED, 5)
    assert (stopping.state, stopping.cancelled_at) == ("RUNNING", 5)
    assert rules.cancel(stopping, 6) == stopping
    assert rules.finish(stopping, 7).state == "CANCELLED"
    with pytest.raises(StateError, match="SUCCEEDED"):
        rules.cancel(replace(JOB, state="SUCCEEDED"), 9)


def test_a_dead_execution_is_followed_by_another_one_three_in_all() -> None:
    second = rules.next_attempt(PLANNED, 9)
    assert (second.state, second.attempt, second.round) == ("QUEUED", 2, 1)
    third = rules.next_attempt(second, 9)
    assert third.attempt == 3
    last = rules.next_attempt(third, 9)
    assert last.state == "FAILED"
    assert "3 executions" in last.error


def test_a_cancelled_job_whose_execution_died_is_cancelled() -> None:
    assert rules.next_attempt(rules.cancel(PLANNED, 5), 9).state == "CANCELLED"


def test_a_message_that_was_lost_is_sent_again_after_a_minute() -> None:
    assert not rules.needs_sending(JOB, 60_000)
    assert rules.needs_sending(JOB, 62_000)
    assert not rules.needs_sending(PLANNED, 62_000)


def test_a_job_is_forgotten_ninety_days_after_its_end_and_never_before() -> None:
    assert rules.expires_at(PLANNED) is None
    assert rules.expires_at(rules.finish(PLANNED, 5_000)) == 5 + 90 * 86_400


EVENTS: Mapping[str, Callable[[Job], Job]] = {
    "begin": lambda job: rules.begin(job, 9),
    "done": lambda job: rules.chunk_done(job, 1),
    "failed": lambda job: rules.chunk_failed(job, 2, {"0199": "no"}),
    "cancel": lambda job: rules.cancel(job, 9),
    "finish": lambda job: rules.finish(job, 9),
    "next": lambda job: rules.next_attempt(job, 9),
    "retry": lambda job: rules.retry(job, 9),
}


@given(st.lists(st.sampled_from(sorted(EVENTS)), max_size=30))
def test_whatever_happens_a_job_over_changes_only_by_a_retry_and_counts_never_fall(names: list[str]) -> None:
    job = PLANNED
    for name in names:
        before = job
        try:
            job = EVENTS[name](before)
        except StateError:
            job = before
        assert (job.attempt, job.round, len(job.done)) >= (before.attempt, before.round, len(before.done))
        if before.state in OVER and name != "retry":
            assert job.state == before.state
        assert set(job.done).isdisjoint(job.failed)

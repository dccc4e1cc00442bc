"""A job's life, run by the machine's real definition over memory: killed anywhere, cancelled, retried."""

import os
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from queries.jobs.errors import KeyReusedError, OverlapError, RequestError
from queries.jobs.port import Message
from queries.jobs.running import MalformedMessageError, message_body, read_message
from queries.jobs.state import Job
from tests.queries.jobs.world import REQUEST, World

PARTITIONS = int(os.environ.get("PENSTOCK_TEST_PARTITIONS", "200"))


def started(world: World) -> Job:
    return world.asking.start("somebody", "key", REQUEST).job


def test_a_year_of_hours_takes_92_chunks_and_fewer_than_a_thousand_transitions() -> None:
    world = World(365 * 24)
    job = world.run(started(world).job_id)
    assert (job.state, job.chunks, len(job.done)) == ("SUCCEEDED", 92, 92)
    assert world.transitions <= 1_000
    assert set(world.reports.computed.values()) == {1}
    assert len(world.reports.computed) == 365 * 24


@pytest.mark.parametrize("kill_after", [False, True])
def test_wherever_its_execution_dies_every_partition_is_computed_once(kill_after: bool) -> None:
    whole = World(PARTITIONS)
    whole.run(started(whole).job_id)
    for step in range(1, whole.steps_run + 1):
        world = World(PARTITIONS)
        world.kill_at, world.kill_after = step, kill_after
        job = world.run(started(world).job_id)
        assert job.state == "SUCCEEDED", step
        assert world.reports.computed == whole.reports.computed, step


def test_a_worker_that_died_with_the_message_is_made_up_for_by_the_tick() -> None:
    world = World(10)
    job = started(world)
    world.queue.messages.clear()
    assert world.run(job.job_id).state == "SUCCEEDED"


def test_a_message_that_comes_twice_begins_one_execution() -> None:
    world = World(10)
    job = started(world)
    message = Message(job.job_id, 1)
    assert world.running.take(message)
    assert world.running.take(message)
    assert len(world.waiting) == 1
    assert not world.running.take(Message(job.job_id, 2))
    assert not world.running.take(Message("unknown", 1))


def test_an_execution_that_goes_on_after_its_successor_began_does_nothing() -> None:
    world = World(200)
    job = started(world)
    world.steps.begin(job.job_id, 1)
    world.steps.plan(job.job_id, 1)
    world.executions[job.execution] = "ended"
    world.running.repair()
    for answer in (
        world.steps.chunk(job.job_id, 1, 0),
        world.steps.check(job.job_id, 1, 0),
        world.steps.verify(job.job_id, 1),
        world.steps.chunk_failed(job.job_id, 1, 0, "no"),
    ):
        assert answer["outcome"] == "superseded"
    world.steps.finish(job.job_id, 1, "no")
    assert not world.reports.computed
    assert world.run(job.job_id).state == "SUCCEEDED"


def test_a_step_that_fails_five_times_works_the_sixth_time() -> None:
    world = World(10)
    world.faults = {"chunk": 5}
    assert world.run(started(world).job_id).state == "SUCCEEDED"


def test_a_chunk_that_goes_on_failing_fails_alone_and_a_retry_runs_it_alone() -> None:
    world = World(200)

    def second_chunk(name: str, given: Mapping[str, Any]) -> None:
        world.faults = {"chunk": 6} if name == "chunk" and given["chunk"] == 1 else {}

    world.before_step = second_chunk
    job = world.run(started(world).job_id)
    assert (job.state, job.done) == ("PARTLY_FAILED", (0, 2))
    assert set(job.failed) == {1}
    assert len(job.failed[1]) == 96
    world.before_step = lambda _name, _given: None
    world.asking.retry(job.job_id)
    again = world.run(job.job_id)
    assert (again.state, again.failed) == ("SUCCEEDED", {})
    assert sorted(world.reports.rounds[again.mark]) == sorted(job.failed[1])
    assert set(world.reports.computed.values()) == {1}


def test_partitions_that_cannot_be_computed_are_named_and_a_retry_asks_for_these_alone() -> None:
    world = World(200, broken=["000-05", "004-10"])
    job = world.run(started(world).job_id)
    assert job.state == "PARTLY_FAILED"
    assert job.failed == {0: {"000-05": "SYNTAX_ERROR"}, 1: {"004-10": "SYNTAX_ERROR"}}
    world.reports.broken.clear()
    world.asking.retry(job.job_id)
    again = world.run(job.job_id)
    assert again.state == "SUCCEEDED"
    assert world.reports.rounds[again.mark] == ["000-05", "004-10"]
    assert set(world.reports.computed.values()) == {1}


def test_a_job_whose_plan_cannot_be_made_fails_and_says_so() -> None:
    world = World(10)
    world.faults = {"plan": 6}
    job = world.run(started(world).job_id)
    assert (job.state, job.error) == ("FAILED", "Lambda.Unknown")


def test_no_chunk_begins_after_a_cancellation() -> None:
    world = World(500)
    job = started(world)

    def cancelled(name: str, given: Mapping[str, Any]) -> None:
        if name == "check" and given["chunk"] == 1:
            world.asking.cancel(job.job_id)

    world.before_step = cancelled
    over = world.run(job.job_id)
    assert (over.state, over.done) == ("CANCELLED", (0,))
    assert len(world.reports.marked) == 2 * 96
    assert not world.table.active().jobs
    world.before_step = lambda _name, _given: None
    world.asking.retry(job.job_id)
    assert world.run(job.job_id).state == "SUCCEEDED"


def test_a_job_without_anything_to_do_succeeds() -> None:
    world = World(0)
    job = world.run(started(world).job_id)
    assert (job.state, job.chunks) == ("SUCCEEDED", 0)


def test_the_same_request_again_is_the_same_job_and_another_one_under_its_key_is_refused() -> None:
    world = World(10)
    first = world.asking.start("somebody", "key", REQUEST)
    again = world.asking.start("somebody", "key", REQUEST)
    assert (first.is_replay, again.is_replay) == (False, True)
    assert again.job.job_id == first.job.job_id
    assert len(world.queue.messages) == 1
    with pytest.raises(KeyReusedError):
        world.asking.start("somebody", "key", replace(REQUEST, force=True))
    with pytest.raises(OverlapError, match=first.job.job_id):
        world.asking.start("somebody", "another key", REQUEST)
    world.run(first.job.job_id)
    assert not world.asking.start("somebody", "another key", REQUEST).is_replay


def test_of_two_equal_requests_at_the_same_moment_one_makes_the_job() -> None:
    world = World(10)
    other: list[bool] = []

    def at_the_same_moment() -> None:
        world.table.between = lambda: None
        other.append(world.asking.start("somebody", "key", REQUEST).is_replay)

    world.table.between = at_the_same_moment
    mine = world.asking.start("somebody", "key", REQUEST)
    assert (other, mine.is_replay) == ([False], True)
    assert len(world.queue.messages) == 1


def test_two_overlapping_jobs_at_the_same_moment_are_not_both_taken() -> None:
    world = World(10)

    def at_the_same_moment() -> None:
        world.table.between = lambda: None
        world.asking.start("another", "key", REQUEST)

    world.table.between = at_the_same_moment
    with pytest.raises(OverlapError):
        world.asking.start("somebody", "key", REQUEST)


def test_a_report_that_is_not_there_makes_no_job() -> None:
    world = World(10)
    with pytest.raises(RequestError):
        world.asking.start("somebody", "key", replace(REQUEST, report="nothing"))
    assert not world.table.newest(10)


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"job_id": 1, "attempt": 1}', "no json"])
def test_a_message_of_somebody_else_is_refused_with_a_reason(body: str) -> None:
    assert read_message(message_body(Message("one", 2))) == Message("one", 2)
    with pytest.raises(MalformedMessageError, match="names no job"):
        read_message(body)

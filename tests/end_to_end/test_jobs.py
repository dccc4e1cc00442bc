"""Jobs on the running cloud: asked for over HTTP by programs and people, run by the state machine, repaired."""

import json
import math
import os
import secrets
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.cloud import LocalCloud
from queries.api.bodies import BackfillBody
from queries.commands.dlq_cli import app as dlq_app
from queries.commands.jobs_cli import JobFailedError
from queries.commands.jobs_cli import app as jobs_app
from queries.commands.jobs_client import JobsApiError
from queries.jobs.aws import execution_arn
from tests.end_to_end.jobs_rig import DAY, FIRST, LAST, REPORT, World, run, target_of, token, until
from tests.queries.events import page_viewed

pytestmark = pytest.mark.cloud

AT_ONCE = int(os.environ.get("PENSTOCK_TEST_REQUESTS", "4"))
"""Each that comes while another is answered is a cold start."""
RUNNING_MS = float(os.environ.get("PENSTOCK_TEST_RUNNING_MS", "30000"))
"""A job must run after so long, for 95 of 100."""


@pytest.fixture(scope="module")
def world(local_cloud: LocalCloud) -> World:
    made = World(local_cloud)
    producer = f"jobs-{secrets.token_hex(4)}"
    hours = [f"{DAY}-{hour:02d}" for hour in range(2, 6)]
    made.chain.put([page_viewed(hour, n, producer=producer) for hour in hours for n in range(1, 8)])
    made.chain.deliver()
    made.chain.refresh()
    assert set(made.versions()) == set(hours)
    return made


@pytest.fixture(autouse=True)
def others_are_over(world: World) -> None:
    """A job that another test began would overlap with this one's."""
    until(lambda: not world.table.active().jobs)


@pytest.fixture
def target(world: World, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    return target_of(world, monkeypatch)


@contextmanager
def shown_as_text(target: SimpleNamespace) -> Iterator[None]:
    target.json = False
    yield
    target.json = True


def test_a_backfill_by_a_job_computes_each_partition_once_and_shows_its_steps(
    world: World, target: SimpleNamespace
) -> None:
    before = world.versions()
    rows = world.chain.rows(f"SELECT * FROM {REPORT} WHERE event_hour BETWEEN '{FIRST}' AND '{LAST}'").rows
    over = run(
        jobs_app, target, "start", "backfill", REPORT, "--from", FIRST, "--to", LAST, "--force", "--wait"
    )
    assert (over["state"], over["partitions"], over["chunks_done"]) == ("SUCCEEDED", 4, 1)
    after = world.versions()
    assert len(set(after.values())) == 1, "one query execution for the chunk"
    assert set(after.values()).isdisjoint(before.values())
    again = world.chain.rows(f"SELECT * FROM {REPORT} WHERE event_hour BETWEEN '{FIRST}' AND '{LAST}'").rows
    assert sorted(map(str, again)) == sorted(map(str, rows))

    found = run(jobs_app, target, "show", over["job_id"])
    assert [step["step"] for step in found["steps"]][:3] == ["Begin", "Plan", "Chunk"]
    assert {step["state"] for step in found["steps"]} == {"DONE"}
    assert found["steps"][-1]["step"] == "Finish"
    logged = {line.get("step", "taken") for line in found["lines"]}
    assert logged == {"taken", "begin", "plan", "chunk", "check", "verify", "finish"}
    with shown_as_text(target):
        text = run(jobs_app, target, "show", over["job_id"])
    assert "4 of 4 partitions" in text
    assert over["job_id"] in json.dumps(run(jobs_app, target, "list"))


def test_without_force_nothing_is_computed_that_would_not_change(
    world: World, target: SimpleNamespace
) -> None:
    before = world.versions()
    over = run(jobs_app, target, "start", "backfill", REPORT, "--from", FIRST, "--to", LAST, "--wait")
    assert (over["state"], over["partitions"], over["chunks"]) == ("SUCCEEDED", 0, 0)
    assert world.versions() == before


def test_equal_requests_at_once_make_one_job_and_one_execution(world: World) -> None:
    key = secrets.token_hex(8)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: world.start(key), range(AT_ONCE)))
    assert {answer.status for answer in answers} == {202}
    assert sorted(answer.headers["idempotent-replayed"] for answer in answers) == [
        "false",
        *["true"] * (AT_ONCE - 1),
    ]
    assert len({json.dumps(answer.body) for answer in answers}) == 1
    job_id = answers[0].body["job_id"]
    assert answers[0].headers["location"] == f"/iam/v1/jobs/{job_id}"
    other = world.start(key, force=False)
    assert (other.status, other.body["title"]) == (422, "key reused")
    assert world.over(job_id).state == "SUCCEEDED"
    states = world.chain.client("stepfunctions")
    named = states.list_executions(stateMachineArn=world.outputs.jobs_machine_arn)["executions"]
    assert [each["name"] for each in named if each["name"].startswith(job_id)] == [f"{job_id}-1"]
    assert world.start(key).headers["idempotent-replayed"] == "true"


def test_a_job_is_soon_running_and_a_request_soon_answered(world: World) -> None:
    """Figures of `make job-requests`; by default only that there are some."""
    waited, answered = list[float](), list[float]()
    for _ in range(AT_ONCE):
        began = time.perf_counter()
        started = world.start(secrets.token_hex(8), to=FIRST, force=False)
        answered.append((time.perf_counter() - began) * 1000)
        assert started.status == 202, started.body
        over = world.over(started.body["job_id"])
        assert over.started_at is not None
        waited.append(over.started_at - over.created_at)
    waits, answers = sorted(waited), sorted(answered)
    at = math.ceil(0.95 * AT_ONCE) - 1
    sys.stdout.write(
        f"accepted to running: p50 {waits[AT_ONCE // 2]:.0f} ms, p95 {waits[at]:.0f} ms; "
        f"answered: p50 {answers[AT_ONCE // 2]:.1f} ms, p95 {answers[at]:.1f} ms\n"
    )
    assert waits[at] <= RUNNING_MS


def test_a_job_whose_execution_was_stopped_goes_on_and_pays_no_query_twice(world: World) -> None:
    started = world.start(secrets.token_hex(8))
    job_id = started.body["job_id"]
    states = world.chain.client("stepfunctions")
    arn = execution_arn(world.outputs.jobs_machine_arn, f"{job_id}-1")

    def stopped() -> bool:
        try:
            states.stop_execution(executionArn=arn)
        except states.exceptions.ExecutionDoesNotExist:
            return False
        return True

    until(stopped)
    over = world.over(job_id)
    assert over.state == "SUCCEEDED"
    assert len(set(world.versions().values())) == 1


def test_an_overlapping_job_is_refused_and_a_cancelled_one_makes_room(world: World) -> None:
    first = world.start(secrets.token_hex(8))
    second = world.start(secrets.token_hex(8), to=FIRST)
    if second.status == 409:  # unless the first one was over already
        assert second.body["job_id"] == first.body["job_id"]
    cancelled = world.signed("POST", f"/iam/v1/jobs/{first.body['job_id']}/cancel")
    assert cancelled.status in (200, 409)
    assert world.over(first.body["job_id"]).state in ("CANCELLED", "SUCCEEDED")
    assert world.start(secrets.token_hex(8)).status == 202


@pytest.mark.parametrize("path", ["/iam/v1/jobs", "/iam/v1/jobs/a", "/api/v1/jobs", "/api/v1/jobs/a"])
def test_who_has_neither_a_key_nor_a_token_is_refused(world: World, path: str) -> None:
    stranger = Credentials("AKIAIOSFODNN7EXAMPLE", "a secret that nobody has here")
    forged = Credentials(world.credentials.access_key, "a secret that nobody has here")
    for answer in (
        world.ask("GET", path),
        world.ask("GET", path, Authorization="Bearer a.b.c"),
        world.signed("GET", path, credentials=stranger),
        world.signed("GET", path, credentials=forged),
    ):
        assert answer.status in (401, 403)


def test_people_do_what_their_group_allows(world: World) -> None:
    viewer, operator, nobody = (token(world, *groups) for groups in (["viewers"], ["operators"], []))
    body = json.dumps({"kind": "backfill", "report": REPORT, "from": FIRST, "to": FIRST}).encode()

    def asked(method: str, bearer: str) -> int:
        return world.ask(
            method,
            "/api/v1/jobs",
            body if method == "POST" else b"",
            Authorization=f"Bearer {bearer}",
            Idempotency_Key=secrets.token_hex(8),
        ).status

    assert [asked("GET", each) for each in (viewer, operator, nobody)] == [200, 200, 403]
    assert [asked("POST", each) for each in (viewer, nobody)] == [403, 403]
    assert asked("POST", operator) in (202, 409)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"report": "nothing"}, "There is no report 'nothing'"),
        ({"from": "2026-11-31-00"}, "is not an hour"),
        ({"from": LAST, "to": FIRST}, "ends"),
        ({"from": "1001-01-01-00", "to": "9000-01-01-00"}, "a job takes 96,000"),
        ({"kind": "erase"}, "Invalid value 'erase'"),
        ({"why": 1}, "unknown field `why`"),
        ({"force": "yes"}, "Expected `bool`"),
    ],
)
def test_a_request_that_cannot_be_done_is_refused_with_what_is_wrong(
    world: World, changed: dict[str, Any], words: str
) -> None:
    answer = world.start(secrets.token_hex(8), **changed)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert words in answer.body["detail"]
    assert answer.body["request_id"]


def test_a_job_that_is_not_there_is_said_to_be_missing(world: World, target: SimpleNamespace) -> None:
    for verb in ("show", "cancel", "retry"):
        with pytest.raises(JobsApiError, match=r"404.*There is no job"):
            run(jobs_app, target, verb, "~active")
    assert world.signed("GET", "/iam/v1/jobs?limit=101").status == 400


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.from_type(BackfillBody).map(lambda body: json.dumps(str(body)).encode()))
def test_no_body_makes_the_api_fail(world: World, body: bytes) -> None:
    assert world.signed("POST", "/iam/v1/jobs", body, Idempotency_Key="a").status < 500


def test_a_message_in_the_dead_letters_is_shown_and_begins_its_job_when_it_is_sent_back(
    world: World, target: SimpleNamespace
) -> None:
    sqs = world.chain.client("sqs")
    sqs.send_message(QueueUrl=target.jobs_dead_letter_queue_url, MessageBody="not ours")
    [letter] = run(dlq_app, target, "list", "--queue", "jobs")
    assert letter["reason"].startswith("The message names no job")
    sqs.purge_queue(QueueUrl=target.jobs_dead_letter_queue_url)
    sqs.send_message(QueueUrl=target.jobs_dead_letter_queue_url, MessageBody='{"job_id":"a","attempt":1}')
    [letter] = run(dlq_app, target, "list", "--queue", "jobs")
    assert letter["body"] == "job a, attempt 1"
    assert run(dlq_app, target, "redrive", "--queue", "jobs") == {"redriven": 1}


def test_a_job_with_a_report_that_cannot_be_computed_is_named_as_failed(
    world: World, target: SimpleNamespace
) -> None:
    lake, key = world.outputs.lake_bucket, f"web_events/event_hour={DAY}-09/damaged.parquet"
    world.chain.client("s3").put_object(Bucket=lake, Key=key, Body=b"no parquet")
    hour = f"{DAY}-09"
    with pytest.raises(JobFailedError, match="FAILED"):
        run(jobs_app, target, "start", "backfill", REPORT, "--from", FIRST, "--to", hour, "--force", "--wait")
    newest = run(jobs_app, target, "list", "--limit", "1")[0]
    shown = world.signed("GET", f"/iam/v1/jobs/{newest['job_id']}").body
    assert (shown["state"], list(shown["failed"])) == ("PARTLY_FAILED", [hour])
    world.chain.client("s3").delete_object(Bucket=lake, Key=key)

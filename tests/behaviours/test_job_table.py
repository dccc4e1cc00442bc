"""Every table of jobs behaves the same: the one in DynamoDB, and the one that jobs are tested with."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from msgspec.structs import replace

from queries.jobs import rules
from queries.jobs.dynamodb import CREATED_AT, HASH_KEY, LISTED, NEWEST_INDEX, DynamoDbJobs
from queries.jobs.port import ChangedError, JobTable
from queries.jobs.state import Active
from tests.queries.jobs.test_rules import JOB
from tests.queries.jobs.world import MemoryJobs


@pytest.fixture(params=["dynamodb", "memory"])
def table(request: pytest.FixtureRequest) -> Iterator[JobTable]:
    if request.param == "memory":
        yield MemoryJobs()
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        client.create_table(
            TableName="jobs",
            KeySchema=[{"AttributeName": HASH_KEY, "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": HASH_KEY, "AttributeType": "S"},
                {"AttributeName": LISTED, "AttributeType": "S"},
                {"AttributeName": CREATED_AT, "AttributeType": "N"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": NEWEST_INDEX,
                    "KeySchema": [
                        {"AttributeName": LISTED, "KeyType": "HASH"},
                        {"AttributeName": CREATED_AT, "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield DynamoDbJobs(client, "jobs")


def test_what_is_written_is_read_again_with_its_revision_raised(table: JobTable) -> None:
    assert table.job(JOB.job_id) is None
    written = table.commit(JOB, rules.admit(table.active(), JOB))
    assert written == replace(JOB, revision=1)
    assert table.job(JOB.job_id) == written
    assert dict(table.active().jobs) == {JOB.job_id: JOB.request}
    failed = rules.chunk_failed(written, 3, {"a": "b"})
    assert table.commit(failed) == table.job(JOB.job_id)


def test_a_job_and_the_list_are_written_together_or_not_at_all(table: JobTable) -> None:
    written = table.commit(JOB, rules.admit(table.active(), JOB))
    for job, active in (
        (JOB, rules.leave(table.active(), JOB.job_id)),  # the job has been written meanwhile
        (written, replace(table.active(), revision=7)),  # the list has
        (JOB, None),
        (replace(JOB, job_id="two"), Active()),
    ):
        with pytest.raises(ChangedError):
            table.commit(job, active)
    assert table.job(JOB.job_id) == written
    assert set(table.active().jobs) == {JOB.job_id}
    assert table.job("two") is None


def test_the_newest_jobs_come_first_without_the_list_itself(table: JobTable) -> None:
    for number in range(4):
        job = replace(
            JOB, job_id=str(number), created_at=number, request=replace(JOB.request, report=str(number))
        )
        table.commit(job, rules.admit(table.active(), job))
    assert [job.job_id for job in table.newest(3)] == ["3", "2", "1"]
    assert table.job("~active") is None

"""Which changes of jobs become updates, and which updates a subscriber takes."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from queries.jobs.dynamodb import ACTIVE, DynamoDbJobs
from queries.jobs.state import Active, Job
from queries.updates.rules import Image, Newest, newest
from queries.updates.stream import images
from tests.queries.updates.things import PLANNED, QUEUED


def image(number: int, job: Job) -> Image:
    return Image(str(number), job.job_id, msgspec.json.encode(job).decode())


class Recorder:
    """A client of DynamoDB that keeps what is written, as the table's stream would show it."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def put_item(self, *, Item: dict[str, Any], **_: Any) -> None:  # noqa: N803 - as boto3 has it
        number = str(len(self.records) + 1)
        self.records.append({"eventName": "MODIFY", "dynamodb": {"SequenceNumber": number, "NewImage": Item}})

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> None:  # noqa: N803
        for each in TransactItems:
            self.put_item(**each["Put"])


def test_an_update_says_what_the_table_has_and_the_list_of_jobs_is_none() -> None:
    client = Recorder()
    table = DynamoDbJobs(client, "jobs")
    made = table.commit(replace(QUEUED, revision=0), Active())
    table.commit(replace(made, state="RUNNING", chunks=3, done=(0, 2)))
    client.records.append({"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "9", "Keys": {}}})
    assert [record["dynamodb"]["NewImage"]["job_id"]["S"] for record in client.records[:-1]].count(
        ACTIVE
    ) == 1
    batch = newest(images(client.records))
    ((update, number),) = batch.changed
    assert (update.job_id, update.revision, update.state) == ("one", 2, "RUNNING")
    assert (update.done, update.total, number) == (2, 3, "3")
    assert batch.unreadable == []


def test_updates_stand_in_the_order_in_which_they_came_last() -> None:
    other = replace(QUEUED, job_id="two")
    batch = newest([image(1, QUEUED), image(2, other), image(3, PLANNED)])
    assert [(update.job_id, number) for update, number in batch.changed] == [("two", "2"), ("one", "3")]


def test_a_record_that_cannot_be_read_is_named_and_its_neighbours_are_published() -> None:
    stolen = Image("2", "another", msgspec.json.encode(PLANNED).decode())
    batch = newest([Image("1", "one", "{"), stolen, image(3, PLANNED), Image("4", "one", "")])
    assert batch.unreadable == ["1", "2", "4"]
    assert [number for _, number in batch.changed] == ["3"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), max_size=30))
def test_of_each_job_the_newest_revision_is_published_once_whatever_the_order(
    given: list[tuple[str, int]],
) -> None:
    batch = newest(
        image(number, replace(QUEUED, job_id=job_id, revision=revision))
        for number, (job_id, revision) in enumerate(given)
    )
    published = {update.job_id: update.revision for update, _ in batch.changed}
    assert len(published) == len(batch.changed)
    assert published == {job: max(r for j, r in given if j == job) for job, _ in given}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 9)), max_size=30))
def test_a_subscriber_sees_revisions_of_a_job_grow_and_ends_with_the_newest(
    given: list[tuple[str, int]],
) -> None:
    seen, shown = Newest(), dict[str, list[int]]()
    for job_id, revision in given:
        if seen.take({"jobId": job_id, "revision": revision}):
            shown.setdefault(job_id, []).append(revision)
    for job_id, revisions in shown.items():
        assert revisions == sorted(set(revisions))
        assert revisions[-1] == max(revision for job, revision in given if job == job_id)

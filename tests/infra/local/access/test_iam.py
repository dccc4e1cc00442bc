"""The chain up to the lake under the template's own roles, with every call's permissions checked."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from infra.aws.outputs import Outputs
from infra.local.cloud import LocalCloud
from infra.local.parts.context import ServiceRole
from producers.simulation.simulator import Simulation
from queries.updates.appsync import AppSync, AppSyncError, AppSyncPublisher
from queries.updates.messages import JobUpdate
from queries.updates.port import NotPublishedError
from queries.updates.watching.documents import JOB, JOB_CHANGED
from queries.updates.watching.socket import subscribed
from tests.end_to_end.jobs_rig import World, until, written
from tests.shop import WEB

pytestmark = pytest.mark.cloud

FIREHOSE = "firehose.amazonaws.com"


def _roles(of: LocalCloud) -> tuple[ServiceRole, ServiceRole]:
    """(the role that reads the stream, the role that writes to the lake)."""
    names = Outputs.from_document(of.outputs)
    described = of.context.client("firehose").describe_delivery_stream(
        DeliveryStreamName=names.delivery_stream
    )
    found = described["DeliveryStreamDescription"]
    arn = found["DeliveryStreamARN"]
    source = found["Source"]["KinesisStreamSourceDescription"]["RoleARN"]
    writer = found["Destinations"][0]["ExtendedS3DestinationDescription"]["RoleARN"]
    return ServiceRole(source, FIREHOSE, arn), ServiceRole(writer, FIREHOSE, arn)


def test_events_reach_the_lake_under_the_delivery_streams_roles(guarded_cloud: LocalCloud) -> None:
    names = Outputs.from_document(guarded_cloud.outputs)
    start = datetime.now(UTC) - timedelta(hours=1)
    simulated = Simulation(WEB, seed=3, count=40, start=start, span=timedelta(minutes=30)).records()
    records = [{"Data": record.data, "PartitionKey": record.partition_key} for record in simulated]
    guarded_cloud.context.client("kinesis").put_records(StreamName=names.stream_name, Records=records)
    told = guarded_cloud.context.ask("/_firehose/flush?seconds=60", method="POST", timeout=90)
    counts = told["streams"][names.delivery_stream]
    assert told["drained"]
    assert counts["read"] == len(records) == counts["delivered"] + counts["dropped"]
    assert counts["function_errors"] == counts["failed_puts"] == 0


def test_each_role_of_the_delivery_stream_is_refused_what_the_other_may(guarded_cloud: LocalCloud) -> None:
    names = Outputs.from_document(guarded_cloud.outputs)
    source, writer = _roles(guarded_cloud)
    client = guarded_cloud.context.client
    refused: list[Callable[[], Any]] = [
        lambda: client("s3", role=source).put_object(Bucket=names.lake_bucket, Key="web_events/x", Body=b""),
        lambda: client("s3", role=writer).put_object(Bucket=names.reporting_bucket, Key="x", Body=b""),
        lambda: client("s3", role=writer).delete_object(Bucket=names.lake_bucket, Key="web_events/x"),
        lambda: client("kinesis", role=writer).list_shards(StreamName=names.stream_name),
    ]
    for call in refused:
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def test_the_roles_are_not_to_be_had_for_another_delivery_stream(guarded_cloud: LocalCloud) -> None:
    source, _ = _roles(guarded_cloud)
    other = ServiceRole(source.arn, FIREHOSE, source.source_arn + "-other")
    with pytest.raises(ClientError, match="AccessDenied"):
        guarded_cloud.context.client("kinesis", role=other)


def test_changes_of_jobs_reach_subscribers_under_the_roles_of_live_updates(
    guarded_cloud: LocalCloud,
) -> None:
    """The stream is read, the mutation sent and the query answered by what each role may do."""
    world, names = World(guarded_cloud), Outputs.from_document(guarded_cloud.outputs)
    asking = AppSync(names.updates_url, world.credentials, guarded_cloud.context.region)
    job = written(world)
    with subscribed(
        asking, names.updates_url, names.updates_realtime_url, JOB_CHANGED, {"jobId": job.job_id}
    ) as updates:
        running = written(world, job, state="RUNNING")
        while (told := updates.next(120)) is not None and told["revision"] < running.revision:
            continue
    assert (told or {})["state"] == "RUNNING"

    def answer() -> Any:
        with suppress(AppSyncError):  # a first call may take longer than whoever follows would wait
            return asking.ask(JOB, {"jobId": job.job_id})["job"]
        return None

    assert until(answer) == told


def test_a_role_that_has_no_part_in_live_updates_may_not_publish(guarded_cloud: LocalCloud) -> None:
    names, (source, _) = Outputs.from_document(guarded_cloud.outputs), _roles(guarded_cloud)
    held = Credentials(*guarded_cloud.context._assume(source).values())
    update = JobUpdate(job_id="a", revision=1, state="QUEUED", done=0, total=None)
    with pytest.raises(NotPublishedError, match=r"Unauthorized|Not Authorized"):
        AppSyncPublisher(names.updates_url, held, guarded_cloud.context.region).publish(update)

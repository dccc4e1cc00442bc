"""Many notifications, few query executions: a small run of `benchmarks.report_notices`."""

import pytest

from benchmarks.report_freshness import Versions, objects, waits
from benchmarks.report_lab import wall_clock
from benchmarks.report_notices import Queue
from infra.local.cloud import LocalCloud
from infra.local.settings import LocalSettings
from queries.ledger.dynamodb import DynamoDbLedger
from queries.partitions import Key

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def queue(local_cloud: LocalCloud) -> Queue:
    return Queue.of(local_cloud, 10, day=100)


def test_each_partition_is_computed_at_once_and_then_at_most_once_per_interval(queue: Queue) -> None:
    took = queue.put(100, 0)
    queue.wait_until_due(120)
    executions = queue.executions()
    assert set(executions) == set(queue.partitions)
    most = queue.most_executions(took, LocalSettings().debounce_scale)
    assert all(executions[name] <= most[name] for name in most)
    assert executions.total() < 50  # of 100 notifications over ten hours


def test_every_object_is_in_a_version_whose_input_was_listed_after_it_came(queue: Queue) -> None:
    versions, bucket = Versions(), queue.outputs.lake_bucket
    versions.look(DynamoDbLedger(queue.client("dynamodb"), queue.outputs.ledger_table))
    mine = [found for found in objects(queue.cloud, bucket) if found[0].split("=")[1][:13] in queue.hours]
    found = waits(mine, versions, wall_clock())
    assert (found.objects, found.unpublished) == (100, 0)
    assert len(found.seconds) == 100 * len(queue.partitions)


def test_a_version_counts_for_an_object_only_when_its_input_was_listed_after_it() -> None:
    key = Key("traffic_by_hour", "2026-01-05-00")
    versions = Versions({key: {1_000: 5_000, 2_000: 9_000}})
    assert [versions.published(key, created) for created in (900, 1_000, 1_001, 2_001)] == [
        5_000,
        5_000,
        9_000,
        None,
    ]


def test_a_redrive_leads_to_at_most_two_query_executions_for_each_partition(queue: Queue) -> None:
    before = queue.executions()
    queue.put(20, 0, "r")
    assert queue.redrive(2_000, batch=500) == 4
    assert queue.redrive_dead_letters(30) == 30
    queue.settle(120)
    executions = queue.executions() - before
    assert executions.total() > 0
    assert all(count <= 2 * queue.partitions[name] for name, count in executions.items())

"""Every ledger behaves the same: the one in DynamoDB, and the one that the simulation uses."""

from collections.abc import Iterator
from random import Random

import boto3
import pytest
from moto import mock_aws
from msgspec.structs import replace

from benchmarks.simulation_ledger import SimulatedLedger
from benchmarks.simulation_world import World
from queries.ledger import rules
from queries.ledger.dynamodb import DynamoDbLedger, table_definition
from queries.ledger.port import ConflictError, LedgerTable, Remove
from queries.ledger.state import Input, PartitionState, Published, Run
from queries.partitions import Key

KEYS = [Key("sample", f"2026-11-24-{hour:02d}") for hour in range(24)]


@pytest.fixture(params=["dynamodb", "simulated"])
def ledger(request: pytest.FixtureRequest) -> Iterator[LedgerTable]:
    if request.param == "simulated":
        yield SimulatedLedger(World(Random(0), 0), lambda _: None)
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        client.create_table(TableName="ledger", **table_definition())
        yield DynamoDbLedger(client, "ledger")


def marked(key: Key, now: int = 1000) -> PartitionState:
    return rules.mark(rules.new(key), now, 0, 0)


def a_run(members: list[PartitionState]) -> tuple[Run, list[PartitionState]]:
    inputs = {one.partition: Input(objects=1, bytes=2, newest=3, digest="d") for one in members}
    return rules.claim(members, inputs, prefix="p/", sql_sha="s", now=5, as_of=4, hard_end=60)


def test_what_was_never_written_is_absent(ledger: LedgerTable) -> None:
    assert ledger.partitions(KEYS) == {}
    assert ledger.run("nothing") is None
    assert list(ledger.runs()) == []


def test_what_is_written_is_read_back_with_its_revision_raised(ledger: LedgerTable) -> None:
    published = Published(location="x/", fence=1, published_at=2, input=Input(digest="d"))
    state = replace(marked(KEYS[0]), published=published, previous=(published, published), last_error="é")
    ledger.commit([state])
    assert ledger.partitions([KEYS[0]]) == {KEYS[0]: replace(state, revision=1)}


def test_a_write_with_an_old_revision_conflicts_and_changes_nothing(ledger: LedgerTable) -> None:
    ledger.commit([marked(KEYS[0])])
    with pytest.raises(ConflictError):
        ledger.commit([marked(KEYS[1]), marked(KEYS[0])])
    assert set(ledger.partitions(KEYS)) == {KEYS[0]}


def test_only_one_of_two_claims_of_a_partition_succeeds(ledger: LedgerTable) -> None:
    ledger.commit([marked(KEYS[0])])
    state = ledger.partitions([KEYS[0]])[KEYS[0]]
    run, members = a_run([state])
    ledger.commit([run, *members])
    with pytest.raises(ConflictError):
        ledger.commit([run, *members])
    assert [one.run_id for one in ledger.runs()] == [run.run_id]


def test_a_run_of_96_partitions_is_claimed_and_ended_in_one_commit_each(ledger: LedgerTable) -> None:
    keys = [Key("sample", f"2026-11-{day:02d}-{hour:02d}") for day in (1, 2, 3, 4) for hour in range(24)]
    ledger.commit([marked(key) for key in keys])
    run, members = a_run(list(ledger.partitions(keys).values()))
    ledger.commit([run, *members])
    stored = ledger.run(run.run_id)
    assert stored == replace(run, revision=1)
    states = [replace(one, run_id=None) for one in ledger.partitions(keys).values()]
    ledger.commit([*states, Remove(stored)])
    assert ledger.run(run.run_id) is None


def test_ending_a_run_that_another_has_ended_conflicts(ledger: LedgerTable) -> None:
    run, _ = a_run([marked(KEYS[0])])
    ledger.commit([run])
    stored = ledger.run(run.run_id)
    assert stored is not None
    ledger.commit([Remove(stored)])
    with pytest.raises(ConflictError):
        ledger.commit([Remove(stored)])


def test_only_what_is_due_is_found_the_longest_due_first(ledger: LedgerTable) -> None:
    ledger.commit([marked(KEYS[0], 300), marked(KEYS[1], 100), marked(KEYS[2], 900)])
    assert list(ledger.due(300, 10)) == [KEYS[1], KEYS[0]]
    assert list(ledger.due(300, 1)) == [KEYS[1]]


def test_a_partition_that_is_no_longer_due_leaves_the_index(ledger: LedgerTable) -> None:
    ledger.commit([marked(KEYS[0])])
    ledger.commit([rules.settle(ledger.partitions(KEYS)[KEYS[0]], 0)])
    assert list(ledger.due(10**12, 10)) == []


def test_a_reports_partitions_come_in_order_and_runs_are_not_among_them(ledger: LedgerTable) -> None:
    run, _ = a_run([marked(KEYS[0])])
    ledger.commit([marked(KEYS[3]), marked(KEYS[1]), marked(Key("other", "2026-11-24-00")), run])
    assert [one.key for one in ledger.report("sample")] == [KEYS[1], KEYS[3]]

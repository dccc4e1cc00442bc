"""Batches, buffers, checkpoints and faults: the worker's pure rules."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.firehose.buffers import Buffers
from infra.local.firehose.checkpoints import Checkpoint, CheckpointStore, ShardProgress, finish
from infra.local.firehose.faults import SWITCHES, Faults, UnknownFaultError
from infra.local.firehose.invocation import LARGEST_PAYLOAD, Batcher, encode_request
from infra.local.firehose.records import Place, UserRecord


def _records(*sizes: int, arrival_ms: int = 1000) -> list[UserRecord]:
    return [
        UserRecord(Place("shardId-0", f"{n:056d}", arrival_ms), 0, "key", b"x" * size)
        for n, size in enumerate(sizes)
    ]


def test_a_batch_is_cut_before_it_passes_the_hint() -> None:
    batcher = Batcher(1000, 60)
    full = batcher.add(_records(400, 400, 400, 1500, 10), now=0)
    assert [[len(record.data) for record in batch] for batch in full] == [[400, 400], [400], [1500]]
    assert len(batcher) == 1


@given(st.lists(st.integers(0, 60_000), max_size=60))
def test_no_request_passes_six_megabytes(sizes: list[int]) -> None:
    batcher = Batcher(3_000_000, 60)
    batches = [*batcher.add(_records(*sizes), now=0), batcher.cut()]
    assert sum(len(batch) for batch in batches) == len(sizes)
    for batch in batches:
        request = encode_request(batch, invocation_id="i", source_arn="s", delivery_arn="d", region="r")
        assert len(request) <= LARGEST_PAYLOAD


def test_a_batch_is_due_when_its_first_record_has_waited_for_the_interval() -> None:
    batcher = Batcher(1000, 60)
    assert not batcher.is_due(1000)
    batcher.add(_records(1), now=10)
    batcher.add(_records(1), now=50)
    assert not batcher.is_due(69.9)
    assert batcher.is_due(70)


def test_a_buffer_is_due_by_size_or_by_age_whichever_comes_first() -> None:
    buffers = Buffers(100, 60, 500)
    assert buffers.add(("a",), _records(1), [b"x" * 100], now=0)
    assert buffers.add(("b",), _records(1), [b"x"], now=0)
    assert [buffer.partition for buffer in buffers.take_due(1)] == [("a",)]
    assert [buffer.partition for buffer in buffers.take_due(60)] == [("b",)]
    assert len(buffers) == 0


def test_a_partition_beyond_the_limit_is_refused_until_another_was_delivered() -> None:
    buffers = Buffers(100, 60, 1)
    assert buffers.add(("a",), _records(1), [b"x"], now=0)
    assert not buffers.add(("b",), _records(1), [b"x"], now=0)
    buffers.take_due(60)
    assert buffers.add(("b",), _records(1), [b"x"], now=60)


def test_an_object_remembers_its_oldest_arrival() -> None:
    buffers = Buffers(100, 60, 1)
    buffers.add(("a",), _records(1, arrival_ms=2000), [b"x"], now=0)
    buffers.add(("a",), _records(1, arrival_ms=1000), [b"x"], now=0)
    assert buffers.take_due(60)[0].oldest_ms == 1000


@given(st.permutations(list(range(6))), st.integers(0, 6))
def test_the_checkpoint_never_passes_an_open_record(order: list[int], done: int) -> None:
    records = _records(*[1] * 6)
    progress = ShardProgress()
    progress.read([record.place for record in records])
    finished = order[:done]
    reached = None
    for index in finished:
        finish([records[index]])
        reached = progress.advance() or reached
    below = 0
    while below in finished:
        below += 1
    assert reached == (None if below == 0 else records[below - 1].place.sequence_number)
    assert progress.is_idle is (done == 6)


def test_the_checkpoint_waits_for_every_user_record_of_an_aggregate() -> None:
    place = Place("shardId-0", "1", 0, open_records=2)
    first, second = (UserRecord(place, sub, "key", b"") for sub in (0, 1))
    progress = ShardProgress()
    progress.read([place])
    finish([first])
    assert progress.advance() is None
    finish([second])
    assert progress.advance() == "1"


def test_checkpoints_are_there_for_the_next_process(tmp_path: Path) -> None:
    file = tmp_path / "checkpoints.sqlite"
    store = CheckpointStore(file)
    store.save(
        "s", {"shardId-0": Checkpoint("7", finished=True), "shardId-1": Checkpoint(None, finished=False)}
    )
    again = CheckpointStore(file)
    assert again.load("s") == {
        "shardId-0": Checkpoint("7", finished=True),
        "shardId-1": Checkpoint(None, finished=False),
    }
    again.forget("s")
    assert store.load("s") == {}


def test_a_fault_happens_as_often_as_it_was_asked_for() -> None:
    faults = Faults()
    faults.switch("data_put_fails", 1.0, times=2)
    assert [faults.happens("data_put_fails") for _ in range(4)] == [True, True, False, False]
    assert faults.listed()["data_put_fails"] == {
        "what": SWITCHES["data_put_fails"],
        "probability": 0.0,
        "happened": 2,
    }


def test_the_same_seed_gives_the_same_faults() -> None:
    def drawn(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.switch("transform_error", 0.5)
        return [faults.happens("transform_error") for _ in range(50)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_fault_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(UnknownFaultError, match="data_put_fails"):
        Faults().switch("rain", 1.0)

"""Dead letters and the last epoch on a disk that is full, or a folder that is gone."""

import errno
import json
import os
import resource
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from producers import DeadLetterFile, Producer
from producers.errors import DeadLetterError, RequestRefusedError, StateError
from producers.identity import next_epoch
from producers.sinks.memory import MemorySink, even_shards
from producers.sinks.port import Answer, SinkRecord
from tests.shop import STREAMS

BEAT = next(iter(STREAMS.values())).latest["heartbeat"].payload


class Picky(MemorySink):
    """A stream that refuses every record with "poison" in it."""

    def __init__(self) -> None:
        super().__init__(even_shards(2), lambda _shard, _record: None)

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
        if any(b"poison" in record.data for record in records):
            raise RequestRefusedError("ValidationException")
        return super().put_records(records)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes: what a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def letters_in(path: Path) -> list[str]:
    return [json.loads(line)["data"] for line in path.read_text().splitlines()]


def test_dead_letters_wait_until_their_file_can_be_written(tmp_path: Path) -> None:
    letters = DeadLetterFile(tmp_path / "missing" / "dead.ndjson")
    producer = Producer(sink=Picky(), framing="none", dead_letter=letters)
    producer.put_json({"what": "food"}, "key")
    assert producer.flush(30) == 0
    producer.put_json({"what": "poison"}, "key")
    assert producer.flush(30) == 0
    with pytest.raises(DeadLetterError, match=r"dead\.ndjson cannot be written: No such file"):
        producer.put(BEAT(host="web-1", uptime_seconds=-1))
    assert producer.stats().dead_lettered == 1
    letters.path.parent.mkdir()
    assert producer.close(30).dead_lettered == 1
    assert letters_in(letters.path) == ['{"what":"poison"}']


def test_a_letter_of_which_a_full_disk_took_a_part_is_written_whole_later(tmp_path: Path) -> None:
    letters = DeadLetterFile(tmp_path / "dead.ndjson")
    letters.write("why", b"first")
    with largest_file(letters.path.stat().st_size + 10):
        letters.keep("why", [b"second", b"third"])
        assert letters.retry() == 2
        with pytest.raises(DeadLetterError, match=os.strerror(errno.ENOSPC)):
            letters.write("why", b"fourth")
        assert letters_in(letters.path) == ["first"]
    assert letters.retry() == 0
    assert letters_in(letters.path) == ["first", "second", "third"]


def test_a_letter_is_written_once_however_many_threads_see_to_it(tmp_path: Path) -> None:
    letters = DeadLetterFile(tmp_path / "missing" / "dead.ndjson")
    letters.keep("why", [b"%d" % number for number in range(500)])
    letters.path.parent.mkdir()
    threads = [threading.Thread(target=letters.retry) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert letters_in(letters.path) == [str(number) for number in range(500)]


def test_an_epoch_that_cannot_be_remembered_is_not_used(tmp_path: Path) -> None:
    assert next_epoch(5, tmp_path / "state") == 5
    with largest_file(0), pytest.raises(StateError, match="state cannot be used"):
        next_epoch(9, tmp_path / "state")
    assert next_epoch(5, tmp_path / "state") == 6
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="file cannot be used"):
        Producer(sink=Picky(), state=tmp_path / "file")

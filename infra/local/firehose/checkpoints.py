"""How far each shard is done: the last record below which every record was delivered, failed or dropped."""

import sqlite3
import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.local.firehose.records import Place, UserRecord


class ShardProgress:
    """The records of one shard that were read, in order, until they are done.

    Buffers finish out of order, so the checkpoint follows the oldest record that is still open.
    """

    def __init__(self) -> None:
        self._places: deque[Place] = deque()

    @property
    def is_idle(self) -> bool:
        """Whether every record that was read is done."""
        return not self._places

    @property
    def oldest_open_ms(self) -> int | None:
        """When the oldest record arrived that was read and is not done, in epoch ms."""
        return next((place.arrival_ms for place in self._places if place.open), None)

    def read(self, places: Iterable[Place]) -> None:
        """Records were read from the shard, in this order."""
        self._places.extend(places)

    def advance(self) -> str | None:
        """Forget the oldest records that are done; the last one's sequence number, or None."""
        done = None
        while self._places and self._places[0].open == 0:
            done = self._places.popleft().sequence_number
        return done


def finish(records: Iterable[UserRecord]) -> int:
    """These user records are done; returns how many. Not thread-safe."""
    total = 0
    for place, count in Counter([record.place for record in records]).items():
        place.open -= count
        total += count
    return total


@dataclass(frozen=True)
class Checkpoint:
    """What is known of a shard: the last sequence number that is done, and whether it is closed and done."""

    sequence_number: str | None
    finished: bool


class CheckpointStore:
    """Checkpoints in sqlite, which survive the worker's sudden end. Thread-safe."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        # Written a few times a second and re-readable from the stream: no need to wait for the disk.
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")
        self._database.execute(
            "create table if not exists checkpoints (stream text, shard text, sequence text, finished int,"
            " primary key (stream, shard))"
        )

    def load(self, stream: str) -> dict[str, Checkpoint]:
        """Shard to checkpoint."""
        with self._lock:
            rows = self._database.execute(
                "select shard, sequence, finished from checkpoints where stream = ?", (stream,)
            ).fetchall()
        return {shard: Checkpoint(sequence, bool(finished)) for shard, sequence, finished in rows}

    def save(self, stream: str, checkpoints: dict[str, Checkpoint]) -> None:
        """Keep these, all or none."""
        rows = [(stream, shard, c.sequence_number, int(c.finished)) for shard, c in checkpoints.items()]
        with self._lock:
            self._database.execute("begin")
            self._database.executemany("insert or replace into checkpoints values (?, ?, ?, ?)", rows)
            self._database.execute("commit")

    def forget(self, stream: str) -> None:
        """The delivery stream is gone."""
        with self._lock:
            self._database.execute("delete from checkpoints where stream = ?", (stream,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

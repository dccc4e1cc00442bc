"""What was put straight on a delivery stream, kept from its acknowledgement until it is delivered.

One row per request, its records together: the checkpoint passes a request when every record of it is done,
as it passes an aggregate. Committed rows outlive the sudden end of the process; the disk is not waited for,
which guards against the end of the machine only (see `infra.local.ministack.stream_log`).
"""

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[bytes]).decode


@dataclass(frozen=True)
class Request:
    """The records that one call put, and when it arrived (epoch milliseconds)."""

    number: int
    arrival_ms: int
    records: Sequence[bytes]


class DirectLog:
    """The requests of one delivery stream that are not done yet. Thread-safe."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")
        # autoincrement: a number is never given twice, though every row is deleted in the end.
        self._database.execute(
            "create table if not exists requests"
            " (number integer primary key autoincrement, arrival_ms int, size int, records blob)"
        )

    def append(self, records: Sequence[bytes], arrival_ms: int) -> int:
        """Keep a request; returns its number. It is kept when this returns."""
        size, packed = sum(map(len, records)), _encode(list(records))
        with self._lock:
            cursor = self._database.execute(
                "insert into requests (arrival_ms, size, records) values (?, ?, ?)",
                (arrival_ms, size, packed),
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid

    def read(self, after: int, most_bytes: int) -> list[Request]:
        """The requests that follow a number, in order: at least one when there is any, and no more of them
        than have so many bytes of data.
        """
        found: list[Request] = []
        with self._lock:
            rows = self._database.execute(
                "select number, arrival_ms, size, records from requests where number > ? order by number",
                (after,),
            )
            for number, arrival_ms, size, packed in rows:
                most_bytes -= size
                if found and most_bytes < 0:
                    break
                found.append(Request(number, arrival_ms, _decode(packed)))
        return found

    def forget(self, until: int) -> None:
        """Everything up to this number is done."""
        with self._lock:
            self._database.execute("delete from requests where number <= ?", (until,))

    def oldest_ms(self) -> int | None:
        """When the oldest request arrived that is not done."""
        with self._lock:
            found = self._database.execute(
                "select arrival_ms from requests order by number limit 1"
            ).fetchone()
        return found[0] if found else None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()


def record_number(number: int) -> str:
    """A request's number as a sequence number, which sorts as a text."""
    return f"{number:020d}"


def number_of(sequence_number: str) -> int:
    """And back."""
    return int(sequence_number)

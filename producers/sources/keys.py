"""Whether a key names one event each in what is read: what stands in several rows must be the same in all.

All rows are looked at before any is sent, on the disk, so that files of any size take the same memory.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from producers.sources.files import SourceError
from producers.sources.results import SourceBatch

_SHOWN = 5


class Clash(NamedTuple):
    """One key with different events: (file, row) of each, in the order in which they were read."""

    places: tuple[tuple[str, int], ...]


class NotUniqueError(SourceError):
    """The declared key is not one: several rows have it and differ.

    Attributes:
        clashes: how many keys; `shown` are the first of them.
    """

    def __init__(self, key: Iterable[str], clashes: int, shown: list[Clash]) -> None:
        self.clashes = clashes
        self.shown = shown
        keys = "1 key stands" if clashes == 1 else f"{clashes:,} keys stand"
        listed = "; ".join(map(_told, shown))
        more = "; ..." if clashes > len(shown) else ""
        super().__init__(
            f"The key {', '.join(key)} is not unique: {keys} in several rows that differ ({listed}{more}). "
            "Nothing was sent. Name more columns in the source's 'key'; where a later row corrects an "
            "earlier one, read their files in runs of their own."
        )


class KeyIndex:
    """The keys of everything that is read in one run, on the disk."""

    def __init__(self) -> None:
        # An empty name is a file that SQLite deletes, and writes only what does not fit into memory.
        self._table = sqlite3.connect("", isolation_level=None)
        self._table.execute("PRAGMA journal_mode = OFF")
        self._table.execute("PRAGMA cache_size = -65536")
        self._table.execute("CREATE TABLE event (id BLOB, content BLOB, file TEXT, row INTEGER)")
        self.rows = 0

    def add(self, batch: SourceBatch) -> None:
        """Take in the events of a batch of a source with a key."""
        self._table.execute("BEGIN")
        self._table.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?)",
            (
                (_id_bytes(each.event_id or ""), _content(each.event_us, each.event_type.name, each.data),
                 batch.file, each.row)
                for each in batch.events
            ),
        )  # fmt: skip
        self._table.execute("COMMIT")
        self.rows += len(batch.events)

    def clashes(self, limit: int = _SHOWN) -> tuple[int, list[Clash]]:
        """How many keys have different events, and the first of them."""
        self._table.execute(
            "CREATE TEMP TABLE clash AS SELECT id, min(rowid) AS at FROM event "
            "GROUP BY id HAVING count(DISTINCT content) > 1"
        )
        (count,) = self._table.execute("SELECT count(*) FROM clash").fetchone()
        firsts = self._table.execute("SELECT id FROM clash ORDER BY at LIMIT ?", (limit,)).fetchall()
        return count, [Clash(tuple(self._places(each))) for (each,) in firsts]

    def repeated(self) -> int:
        """How many rows say again what a row before them says."""
        (count,) = self._table.execute("SELECT count(*) - count(DISTINCT id) FROM event").fetchone()
        return int(count)

    def close(self) -> None:
        """Stops it; the file is gone."""
        self._table.close()

    def _places(self, event_id: bytes) -> Iterator[tuple[str, int]]:
        yield from self._table.execute("SELECT file, row FROM event WHERE id = ? ORDER BY rowid", (event_id,))


def _id_bytes(event_id: str) -> bytes:
    return bytes.fromhex(event_id.replace("-", ""))


def _content(us: int, event_type: str, data: bytes) -> bytes:
    digest = blake2b(data, digest_size=8)
    digest.update(f"{us}{event_type}".encode())
    return digest.digest()


def _told(clash: Clash) -> str:
    files = dict.fromkeys(file for file, _ in clash.places)
    if len(files) == 1:
        rows = [f"{row:,}" for _, row in clash.places[:4]]
        return f"{next(iter(files))} rows {' and '.join(rows)}"
    return " and ".join(f"{file} row {row:,}" for file, row in clash.places[:4])

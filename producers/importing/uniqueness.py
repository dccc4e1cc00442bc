"""Whether each event of an import is named once: one id for rows that differ means that the key is not a key.

Ids are kept on the disk by their last digits, so that memory is a small part of theirs.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import NamedTuple

from producers.importing.line_columns import POSSIBLE
from producers.sources.results import EventColumns

BUCKETS = 64
SHOWN = 10
"""Groups of rows that a message names."""
_HELD_BYTES = 1 << 22
_ENTRY = Struct(">16sqIQ")


class Group(NamedTuple):
    """Rows of one file that have one id and differ."""

    file: int
    rows: tuple[int, ...]


@dataclass(frozen=True)
class DuplicateKeys:
    """Groups of rows with one key, in order of file and row: the first ones, and how many there are."""

    groups: Sequence[Group]
    count: int

    def __bool__(self) -> bool:
        return self.count > 0

    def text(self, files: Sequence[str]) -> str:
        """What is wrong, with the rows."""
        named = [
            f"{files[group.file]}: rows {' and '.join(f'{row:,}' for row in group.rows)}"
            for group in self.groups[:SHOWN]
        ]
        more = f"; and {self.count - len(named):,} more" if self.count > len(named) else ""
        return (
            f"The source's key is not unique: {self.count:,} keys name several different rows. "
            f"{'; '.join(named)}{more}. Add a column to `key` that tells them apart. Nothing was imported."
        )


class IdCheck:
    """Takes the ids of all events with what they say, and finds those that one file gives to several."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._held: list[list[bytes]] = [[] for _ in range(BUCKETS)]
        self._size = 0

    def add(self, entries: Iterable[tuple[str, int, int, Hashable]]) -> None:
        """Take (id, file, row, content) of events. Contents are compared by their hashes, of this process."""
        pack, held = _ENTRY.pack, self._held
        count = 0
        for event_id, file, row, content in entries:
            raw = bytes.fromhex(event_id.replace("-", ""))
            held[raw[15] % BUCKETS].append(pack(raw, hash(content), file, row))
            count += 1
        self._size += count * _ENTRY.size
        if self._size > _HELD_BYTES:
            self._spill()

    def add_columns(self, file: int, columns: EventColumns) -> None:
        """Take events of one file, as `add` does."""
        import numpy as np

        events = np.empty(
            len(columns.event_ids),
            [("id", np.uint8, 16), ("content", ">i8"), ("file", ">u4"), ("row", ">u8")],
        )
        raw = bytes.fromhex("".join(columns.event_ids).replace("-", ""))
        events["id"] = np.frombuffer(raw, np.uint8).reshape(-1, 16)
        events["content"] = [
            *map(hash, zip(columns.event_us.to_pylist(), columns.data.to_pylist(), strict=True))
        ]
        events["file"], events["row"] = file, columns.rows.to_numpy()
        buckets = events["id"][:, 15] % BUCKETS
        order = np.argsort(buckets, kind="stable")
        ends = np.cumsum(np.bincount(buckets, minlength=BUCKETS)).tolist()
        body = events[order].tobytes()
        for held, start, end in zip(self._held, [0, *ends], ends, strict=False):
            held.append(body[start * _ENTRY.size : end * _ENTRY.size])
        self._size += len(body)
        if self._size > _HELD_BYTES:
            self._spill()

    def duplicates(self) -> DuplicateKeys:
        """The rows that share an id with others of their file and differ from them."""
        self._spill()
        groups: list[Group] = []
        for bucket in range(BUCKETS):
            groups += self._in_bucket(bucket)
        groups.sort()
        return DuplicateKeys(groups, len(groups))

    def _in_bucket(self, bucket: int) -> list[Group]:
        path = self._path(bucket)
        if not path.exists():
            return []
        body = path.read_bytes()
        if POSSIBLE and _surely_differ(body):
            return []
        ids = Counter(body[at : at + 16] for at in range(0, len(body), _ENTRY.size))
        twice = {event_id for event_id, count in ids.items() if count > 1}
        if not twice:
            return []
        found: dict[tuple[bytes, int], dict[int, int]] = {}
        for event_id, content, file, row in _ENTRY.iter_unpack(body):
            if event_id in twice:
                found.setdefault((event_id, file), {}).setdefault(content, row)
        return [
            Group(file, tuple(sorted(rows.values()))) for (_, file), rows in found.items() if len(rows) > 1
        ]

    def _spill(self) -> None:
        for bucket, entries in enumerate(self._held):
            if entries:
                with self._path(bucket).open("ab") as file:
                    file.write(b"".join(entries))
                entries.clear()
        self._size = 0

    def _path(self, bucket: int) -> Path:
        return self._folder / f"ids-{bucket:02d}"


def _surely_differ(body: bytes) -> bool:
    """Whether no two entries have the second half of an id in common; in some ids the first is a time."""
    import numpy as np

    halves = np.frombuffer(body, [("time", "V8"), ("half", ">u8"), ("rest", f"V{_ENTRY.size - 16}")])["half"]
    ordered = np.sort(halves.astype(np.uint64))
    return not (ordered[1:] == ordered[:-1]).any()

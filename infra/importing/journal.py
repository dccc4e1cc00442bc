"""What an import remembers on the disk, so that another process can go on with it after any end of this one.

A part's object, and the numbers of its events, are written down before the object is. So whoever goes on
writes the same object again, byte for byte, and never another one for the same events.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from producers.contracts import FilePlace


class Intent(NamedTuple):
    """A part that is about to be written."""

    hour: str
    number: int
    key: str
    first_seq: int
    events: int


@dataclass
class Totals:
    """What has come of an import so far, in events; `objects` and `bytes` of the lake.

    `settled` were in the lake already, `copies` were given more than once.
    """

    landed: int = 0
    failed: int = 0
    settled: int = 0
    copies: int = 0
    objects: int = 0
    bytes: int = 0
    corrections: int = 0

    def add(self, other: "Totals") -> None:
        """Count these, too."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class Remembered:
    """What the journal says. `replaced` are keys of lake objects that may have been given other rows."""

    head: Mapping[str, Any]
    intents: dict[tuple[str, int], Intent] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    totals: Totals = field(default_factory=Totals)
    corrections: list[FilePlace] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    _own: dict[str, dict[int, str]] | None = None

    @property
    def next_seq(self) -> int:
        """The first number that no event has."""
        return max((each.first_seq + each.events for each in self.intents.values()), default=1)

    def own(self, hour: str) -> Mapping[int, str]:
        """The keys that parts of the hour have been given."""
        if self._own is None:
            self._own = {}
            for (named, number), each in self.intents.items():
                self._own.setdefault(named, {})[number] = each.key
        return self._own.get(hour, {})


class Journal:
    """The journal in `folder`. One process at a time writes it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.ndjson"

    def begin(self, head: Mapping[str, Any]) -> Remembered:
        """What was remembered before, or a new journal with this head."""
        if self._path.exists() and (found := self._read()) is not None:
            return found
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps({"head": dict(head)}) + "\n")
        draft.replace(self._path)
        return Remembered(head)

    def intend(self, intents: Iterable[Intent]) -> None:
        """Remember these parts; they are on the disk when it returns."""
        self._write([{"part": list(intent)} for intent in intents])

    def settle(self, parts: Iterable[str], totals: Totals, corrections: Iterable[FilePlace]) -> None:
        """These parts (`hour:number`) are done, with this outcome."""
        places = [list(place) for place in corrections]
        self._write([{"done": list(parts), "totals": asdict(totals), "corrections": places}])

    def replace(self, keys: Iterable[str], corrections: Iterable[FilePlace]) -> None:
        """Remember that these objects of the lake will be given these corrected rows."""
        self._write([{"replaced": list(keys), "corrections": [list(place) for place in corrections]}])

    def _write(self, entries: Iterable[Mapping[str, Any]]) -> None:
        with self._path.open("ab") as file:
            file.write(b"".join(json.dumps(entry).encode() + b"\n" for entry in entries))
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> Remembered | None:
        lines = self._path.read_bytes().split(b"\n")
        if len(lines) < 2:
            return None
        found = Remembered(json.loads(lines[0])["head"])
        whole = len(lines[0]) + 1
        for line in lines[1:-1]:
            entry = _entry(line)
            if entry is None:
                break
            whole += len(line) + 1
            if "part" in entry:
                intent = Intent(*entry["part"])
                found.intents[intent.hour, intent.number] = intent
            else:
                found.replaced += entry.get("replaced", ())
                found.done.update(entry.get("done", ()))
                found.totals.add(Totals(**entry.get("totals", {})))
                found.corrections += [FilePlace(*place) for place in entry.get("corrections", ())]
        os.truncate(self._path, whole)  # what a process that was killed had only begun to write
        return found


def _entry(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None

"""How far a replay got: the line before which everything is delivered, not the last one that was read."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from producers.producer import Producer
from producers.sources import SourceItem

KEPT_EVERY = 50_000  # lines between two checkpoints


class Checkpoint:
    """A small file that names a content and a line of it."""

    def __init__(self, path: Path, identity: bytes) -> None:
        self._path = path
        self._identity = identity.hex()
        self.line = 0
        with suppress(FileNotFoundError, ValueError, KeyError):
            held = json.loads(path.read_text())
            if held["content"] == self._identity:
                self.line = int(held["line"])

    def save(self, line: int) -> None:
        """Everything up to this line is delivered."""
        draft = self._path.with_name(self._path.name + ".new")
        draft.write_text(json.dumps({"content": self._identity, "line": line}) + "\n")
        draft.replace(self._path)

    def keeping(self, items: Iterable[SourceItem], producer: Producer) -> Iterator[SourceItem]:
        """The items; now and then it waits until those so far are delivered, and notes that."""
        last = self.line
        for count, item in enumerate(items, start=1):
            yield item
            if count % KEPT_EVERY == 0 and producer.flush() == 0:
                # The item that was just yielded may still wait to be handed over with others.
                self.save(last)
            last = item.number

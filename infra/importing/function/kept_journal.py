"""The journal of an import whose disk is gone with its process: each entry is kept in a bucket, too."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from infra.importing.journal import Journal, Remembered
from transforms.failed.bucket import Objects


class KeptJournal(Journal):
    """The journal in `folder`, and the same bytes under `key`, from where another process goes on."""

    def __init__(self, folder: Path, objects: Objects, key: str) -> None:
        super().__init__(folder)
        self._objects, self._key = objects, key

    def begin(self, head: Mapping[str, Any]) -> Remembered:
        """What was remembered by any process before, or a new journal with this head."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Listed first: reading what is not there is refused to whoever may not list the whole bucket.
        if any(name.key == self._key for name in self._objects.names(self._key)):
            self._path.write_bytes(self._objects.get(self._key) or b"")
        found = super().begin(head)
        self._keep()
        return found

    def _write(self, entries: Iterable[Mapping[str, Any]]) -> None:
        super()._write(entries)
        self._keep()

    def _keep(self) -> None:
        self._objects.put(self._key, self._path.read_bytes())

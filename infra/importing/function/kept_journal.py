"""The journal of an import whose disk is gone with its process: each entry is kept in a bucket, too."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from infra.importing.function.places import Files
from infra.importing.journal import Journal, Remembered


class KeptJournal(Journal):
    """The journal in `folder`, and the same bytes under `key`, from where another process goes on.

    Whoever begins takes the journal over: what a process before it writes from then on is refused with
    OverwrittenError, so two of them never give one number to two records.
    """

    def __init__(self, folder: Path, files: Files, key: str) -> None:
        super().__init__(folder)
        self._files, self._key, self._tag = files, key, ""

    def begin(self, head: Mapping[str, Any]) -> Remembered:
        """What was remembered by any process before, or a new journal with this head."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Listed first: reading what is not there is refused to whoever may not list the whole bucket.
        self._tag = next((name.tag for name in self._files.names(self._key) if name.key == self._key), "")
        if self._tag:
            self._path.write_bytes(self._files.get(self._key) or b"")
        found = super().begin(head)
        # An entry of its own, for the journal's tag follows from its bytes.
        self._write([{"begun": True}])
        return found

    def _write(self, entries: Iterable[Mapping[str, Any]]) -> None:
        super()._write(entries)
        self._tag = self._files.put_over(self._key, self._path.read_bytes(), self._tag)

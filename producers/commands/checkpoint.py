"""How far replays got: for every content the line up to which everything is delivered, or in the spool."""

import json
import os
from pathlib import Path
from typing import Any

from producers.errors import ResumeFileError

EVERY_LINES = 50_000  # between two checkpoints
EVERY_SECONDS = 5.0


class Checkpoint:
    """The place of one content, sent to one stream, in a resume file that has one for each.

    Attributes:
        line: everything up to this line, or row, is delivered.
    """

    def __init__(self, path: Path, identity: bytes, stream: str, name: str = "") -> None:
        """`name` is only for whoever reads the file. Raises ResumeFileError for a file of another kind."""
        self._path = path
        self._content = identity.hex()
        self._stream = stream
        self._name = name
        self.line = 0
        for entry in _entries(path):
            if self._is_own(entry):
                self.line = max(self.line, int(entry["line"]))

    def save(self, line: int) -> None:
        """Everything up to this line is delivered. Raises OSError; the file is then as it was."""
        if line <= self.line and self._path.exists():
            return
        self.line = max(self.line, line)
        entries = [entry for entry in _entries(self._path) if not self._is_own(entry)]
        entries.append(
            {"content": self._content, "stream": self._stream, "name": self._name, "line": self.line}
        )
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            with draft.open("w", encoding="utf-8") as file:
                json.dump({"replays": entries}, file, indent=1)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        finally:
            draft.unlink(missing_ok=True)

    def _is_own(self, entry: dict[str, Any]) -> bool:
        # Files of earlier versions name no stream.
        return (entry["content"], entry.get("stream", self._stream)) == (self._content, self._stream)


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    if not text.strip():
        return []
    try:
        held = json.loads(text)
        entries: list[dict[str, Any]] = held.get("replays", [held])
        if all(isinstance(entry["content"], str) and isinstance(entry["line"], int) for entry in entries):
            return entries
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ResumeFileError(
        f"{path} is not a resume file. It is left as it is; name another one with --resume, or delete it."
    )

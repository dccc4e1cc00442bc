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

    A replay that goes on keeps its sequence, so that what is sent again has the name that it had: otherwise
    the places behind a checkpoint, of which some never arrived, would be missing for ever.

    Attributes:
        line: everything up to this line, or row, is delivered.
        epoch: of the sequence in which it was sent; None before the first replay.
        seq: the last place of the sequence up to that line.
    """

    def __init__(self, path: Path, identity: bytes, stream: str, name: str = "", reading: str = "") -> None:
        """`name` is only for whoever reads the file. `reading`: how the content is read; another way gives
        other events, which get a sequence of their own. Raises ResumeFileError for a file of another kind.
        """
        self._path = path
        self._content = identity.hex()
        self._stream = stream
        self._name = name
        self._reading = reading
        self.line = self.seq = 0
        self.epoch: int | None = None
        for entry in _entries(path):
            if self._is_own(entry):
                self._take(entry)

    def _take(self, entry: dict[str, Any]) -> None:
        self.line = max(self.line, int(entry["line"]))
        if entry.get("reading", "") == self._reading and isinstance(entry.get("epoch"), int):
            self.epoch, self.seq = entry["epoch"], int(entry["seq"])

    def begin(self, epoch: int) -> int:
        """The epoch of the sequence that the replay goes on with: a new one is `epoch`, and is saved before
        anything is sent. Raises OSError.
        """
        if self.epoch is None:
            self.epoch, self.seq = epoch, 0
            self._write()
        return self.epoch

    def save(self, line: int, seq: int) -> None:
        """Everything up to this line and this place is delivered. Raises OSError; the file is then as it
        was.
        """
        if line <= self.line and self._path.exists():
            return
        self.line, self.seq = max(self.line, line), seq
        self._write()

    def _write(self) -> None:
        entries = [entry for entry in _entries(self._path) if not self._is_own(entry)]
        entries.append(
            {
                "content": self._content,
                "stream": self._stream,
                "name": self._name,
                "line": self.line,
                "reading": self._reading,
                "epoch": self.epoch,
                "seq": self.seq,
            }
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

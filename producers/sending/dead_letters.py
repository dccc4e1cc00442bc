"""A file for events that cannot be sent: one JSON object per line, with the reason and all bytes."""

import base64
import errno
import json
import logging
import os
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from producers.errors import DeadLetterError

_log = logging.getLogger(__name__)


class DeadLetterFile:
    """Appends to a file. `data` is the event's text, or `data_base64` when it is not UTF-8.

    Safe to use from several threads.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._has_complained = False

    def write(self, reason: str, data: bytes, key: str | None = None) -> None:
        """Keeps one event. Raises DeadLetterError when the file cannot be written; it is then as it was."""
        with self._lock:
            self._append(_line(reason, data, key))

    def keep(self, reason: str, events: Iterable[bytes]) -> None:
        """Keeps events whose sender has nobody to tell: what cannot be written waits in memory."""
        with self._lock:
            self._waiting.extend(_line(reason, data, None) for data in events)
        self.retry()

    def retry(self) -> int:
        """Writes what waits, each letter once; returns how many still wait."""
        with self._lock:
            while self._waiting:
                try:
                    self._append(self._waiting[0])
                except DeadLetterError as error:
                    if not self._has_complained:
                        _log.warning("%s Events wait in memory for it.", error)
                    self._has_complained = True
                    break
                self._waiting.popleft()
                self._has_complained = False
            return len(self._waiting)

    def in_child(self) -> None:
        """After a fork: what waits is the parent's, which writes it."""
        self._lock = threading.Lock()
        self._waiting = deque()
        self._has_complained = False

    def _append(self, line: bytes) -> None:
        try:
            with self.path.open("ab", buffering=0) as file:
                end = file.seek(0, os.SEEK_END)
                if file.write(line) != len(line):
                    # A full disk took a part of it.
                    file.truncate(end)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise DeadLetterError(
                f"The dead-letter file {self.path} cannot be written: {error.strerror or error}."
            ) from error


def _line(reason: str, data: bytes, key: str | None) -> bytes:
    try:
        held = {"data": data.decode()}
    except UnicodeDecodeError:
        held = {"data_base64": base64.b64encode(data).decode()}
    return json.dumps({"reason": reason, "partition_key": key, **held}).encode() + b"\n"

"""A file for events that cannot be sent: one JSON object per line, with the reason and all bytes."""

import base64
import json
import threading
from pathlib import Path


class DeadLetterFile:
    """Appends to a file. `data` is the event's text, or `data_base64` when it is not UTF-8."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()

    def write(self, reason: str, data: bytes, key: str | None = None) -> None:
        """Keeps one event. Raises OSError when the file cannot be written."""
        try:
            held = {"data": data.decode()}
        except UnicodeDecodeError:
            held = {"data_base64": base64.b64encode(data).decode()}
        line = json.dumps({"reason": reason, "partition_key": key, **held}) + "\n"
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line)

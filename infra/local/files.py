"""Small JSON files that a command may be killed over: they hold the old document or the new one."""

import json
from pathlib import Path
from typing import Any


def write_json(file: Path, document: Any) -> None:
    """Write the file whole, or leave it as it was. Raises OSError."""
    beside = file.with_name(file.name + ".tmp")
    beside.write_text(json.dumps(document, indent=1), encoding="utf-8")
    beside.replace(file)


def read_json(file: Path) -> Any | None:
    """The document; None when there is no file, or not a JSON one."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None

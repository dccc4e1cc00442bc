"""Keeps what cannot be read of a spool's segment: a file beside it, one JSON object per span of bytes."""

import base64
import json
import os
from pathlib import Path
from zlib import crc32

QUARANTINE_SUFFIX = ".damaged"


def quarantine(path: Path, damaged: list[tuple[int, int]]) -> Path:
    """Copies spans, (start, length), of a segment; returns the file that has them. Raises OSError.

    The same damage always gets the same file. `missing` bytes were in the segment and are not any more.
    """
    lines = []
    with path.open("rb") as file:
        for start, length in damaged:
            file.seek(start)
            content = file.read(length)
            line = {"segment": path.name, "start": start, "length": length, "missing": length - len(content)}
            lines.append(json.dumps(line | {"base64": base64.b64encode(content).decode()}) + "\n")
    text = "".join(lines).encode()
    kept = path.with_name(f"{path.stem}-{crc32(text):08x}{QUARANTINE_SUFFIX}")
    draft = kept.with_suffix(".new")
    try:
        with draft.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(kept)
    finally:
        draft.unlink(missing_ok=True)
    return kept


def numbers_in_use(folder: Path) -> list[int]:
    """Numbers of segments whose quarantined bytes lie in a folder."""
    stems = [path.stem.partition("-")[0] for path in folder.glob(f"*{QUARANTINE_SUFFIX}")]
    return [int(stem) for stem in stems if stem.isdigit()]

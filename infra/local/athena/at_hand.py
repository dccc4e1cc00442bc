"""Objects whose files lie on this machine, read from there: a request takes twenty times the CPU of a small file.

What is read counts only when its digest is the ETag that S3 listed. So a file that is another one by now, or
an object that MiniStack keeps elsewhere, is fetched from S3 as ever.
"""

from hashlib import md5
from pathlib import Path

from infra.local.athena.objects import StoredObject

MOST_BYTES = 4 << 20
"""Of one object: the larger it is, the less a request matters."""


class AtHand:
    """Reads objects below `folder`, which has a folder for each bucket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, stored: StoredObject) -> bytes | None:
        """The object's bytes; None when they must be fetched."""
        if stored.size > MOST_BYTES or ".." in stored.key.split("/"):
            return None
        path = (
            self._folder / f"{stored.bucket}/{stored.key}"
        )  # joined so, a key that begins with / stays below
        try:
            if path.stat().st_size != stored.size:
                return None
            body = path.read_bytes()
        except (OSError, ValueError):
            return None
        return body if md5(body, usedforsecurity=False).hexdigest() == stored.etag else None

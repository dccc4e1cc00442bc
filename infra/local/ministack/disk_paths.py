"""Where an object lies on the disk, found with three looks at it instead of thirty.

MiniStack resolves every part of the path for links, four times for an object that is put. Nobody but
MiniStack writes below its folder, and a key makes no links.
"""

# Texts are a tenth of the cost of paths, for each object that is read or written.
# ruff: noqa: PTH110, PTH112, PTH113, PTH118, PTH120
import os
from typing import Any


class DiskPaths:
    """Gives the paths that MiniStack's own functions give. `s3` is its module."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self._slow, self._slow_other = s3._key_disk_path, s3._other_key_disk_path
        self._roots: dict[str, str] = {}

    def path(self, base: str, key: str) -> str | None:
        """Where the key lies, or will lie, below `base`."""
        root = self._root(base)
        if not self._s3._plain_path_key(key):
            return self._found(base, key)
        plain = os.path.join(root, key)
        if os.path.isfile(plain):
            return plain
        if self._has_encoded(root) or os.path.isdir(plain):
            return self._found(base, key)
        parent = os.path.dirname(plain)
        while not os.path.exists(parent):
            parent = os.path.dirname(parent)
        return plain if os.path.isdir(parent) else self._found(base, key)

    def other(self, base: str, key: str, path: str) -> str | None:
        """The other place where the key may lie; None when nothing can be there."""
        root = self._root(base)
        if path == os.path.join(root, key) and not self._has_encoded(root):
            return None
        found: str | None = self._slow_other(base, key, path)
        return found

    def _found(self, base: str, key: str) -> str | None:
        found: str | None = self._slow(base, key)
        return found

    def _root(self, base: str) -> str:
        if base not in self._roots:
            self._roots[base] = os.path.realpath(base)
        return self._roots[base]

    def _has_encoded(self, root: str) -> bool:
        """Whether any key of the bucket could not be a path."""
        return os.path.isdir(os.path.join(root, self._s3._ENCODED_KEYS_DIR))


def install() -> None:
    """Make MiniStack use them. `expire.install` has checked the version."""
    from ministack.services import s3

    paths = DiskPaths(s3)
    s3._key_disk_path, s3._other_key_disk_path = paths.path, paths.other

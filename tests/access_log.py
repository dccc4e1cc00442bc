"""The access log of the tests, and what it is known to hold."""

import gzip
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden" / "access_log"
VARIABLE = "PENSTOCK_TEST_ACCESS_LOG"
"""Path of the whole log, where it is at hand. Without it tests read the committed cut."""


@dataclass(frozen=True)
class AccessLog:
    """A log, and figures that were counted from its text.

    Attributes:
        lines, pages: lines, and those of them that can be read.
        hours: hours with pages.
        without_size: pages that have no size.
        views: page views of some paths, most first.
    """

    path: Path
    lines: int
    pages: int
    hours: int
    errors: int
    bytes_sent: int
    without_size: int
    views_by_day: Sequence[int]
    views: Mapping[str, int]

    def text(self) -> str:
        """The log, unpacked."""
        content = self.path.read_bytes()
        return (gzip.decompress(content) if self.path.suffix == ".gz" else content).decode("utf-8", "replace")


def access_log() -> AccessLog:
    """The whole log where it is named by the environment, otherwise the cut."""
    facts: dict[str, Any] = tomllib.loads((FOLDER / "facts.toml").read_text(encoding="utf-8"))
    whole = os.environ.get(VARIABLE)
    if whole:
        return AccessLog(Path(whole), **facts["whole"])
    return AccessLog(FOLDER / "access.log", **facts["cut"])

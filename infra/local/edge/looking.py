"""Whether a page of the report site is open: only then is each publish drawn at once on this machine.

A drawing costs more CPU than the report that it shows, and here there are two cores for all.
"""

import time
from collections.abc import Callable
from pathlib import Path

PATHS = "/api/v1/dashboards"
"""What a page asks for while it is open."""
SECONDS = 60.0
"""So long after the last question a page counts as closed."""
_NOTED_EVERY = 1.0


class Looking:
    """A file whose time is that of the last question; the edge writes it and the local server reads it."""

    def __init__(self, run: Path, clock: Callable[[], float] = time.time) -> None:
        self._file, self._clock, self._noted = run / "site-looked", clock, 0.0

    def note(self, path: str) -> None:
        """A question came for this path."""
        now = self._clock()
        if path.startswith(PATHS) and now - self._noted >= _NOTED_EVERY:
            self._noted = now
            self._file.touch()

    def __call__(self) -> bool:
        """Whether a page is open."""
        try:
            return self._clock() - self._file.stat().st_mtime < SECONDS
        except FileNotFoundError:
            return False

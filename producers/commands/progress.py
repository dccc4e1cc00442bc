"""Progress on stderr: a bar with rate and remaining time on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable

from producers.commands.feeding import Fed
from producers.contracts import echo

LINE_EVERY_SECONDS = 5.0


def progress(noun: str, share: Callable[[], float] | None = None) -> Callable[[Fed], None]:
    """What to call with the counts so far. `share` tells how much is done, from 0 to 1, where that is
    known.
    """
    return _Bar(noun, share).show if sys.stderr.isatty() else _Lines(noun, share).show


class _Lines:
    def __init__(self, noun: str, share: Callable[[], float] | None) -> None:
        self._noun = noun
        self._share = share
        self._began = self._told = time.monotonic()

    def show(self, fed: Fed) -> None:
        now = time.monotonic()
        if now - self._told >= LINE_EVERY_SECONDS:
            self._told = now
            echo(self.text(fed, now), err=True)

    def text(self, fed: Fed, now: float) -> str:
        seconds = max(now - self._began, 1e-9)
        told = f"{fed.put:,} {self._noun}, {fed.put / seconds:,.0f} per second"
        done = self._share() if self._share is not None else 0.0
        if 0 < done < 1:
            told += f", {done:.0%}, {seconds / done - seconds:,.0f} s left"
        return told


class _Bar(_Lines):
    def show(self, fed: Fed) -> None:
        now = time.monotonic()
        if now - self._told >= 0.1:
            self._told = now
            print(f"\r\x1b[K{self._bar()}{self.text(fed, now)}", end="", file=sys.stderr, flush=True)  # noqa: T201

    def _bar(self) -> str:
        if self._share is None:
            return ""
        filled = int(30 * min(1.0, self._share()))
        return f"[{'#' * filled}{'.' * (30 - filled)}] "

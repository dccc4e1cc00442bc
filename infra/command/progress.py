"""Progress on stderr: one line per step. On a terminal the step that runs now moves; in a log none does."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.status import Status
from rich.text import Text

from producers.contracts import printable

Detail = Callable[[str], None]
"""Says how far the step that runs now has come."""


class Steps:
    """Says what is being done now, and how long each step took. Never writes to stdout."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = Console(
            file=stream or sys.stderr, highlight=False, soft_wrap=True, markup=False, emoji=False
        )
        self._clock = clock

    @contextmanager
    def step(self, title: str) -> Iterator[Detail]:
        """Run the block as one step; the function it gets shows details of how far it is."""
        begun, last = self._clock(), ""
        with Status(_line(title), console=self.console) as status:

            def detail(text: str) -> None:
                nonlocal last
                last = text
                status.update(_line(title, " ", (text, "dim")))

            try:
                yield detail
            except BaseException:
                self.console.print(_line(("✗", "red"), " ", title))
                raise
        seconds = self._clock() - begun
        found = f": {last}" if last else ""
        self.console.print(_line(("✓", "green"), " ", title, found, " ", (f"{seconds:.1f} s", "dim")))

    def say(self, text: str) -> None:
        """One line that is not a step."""
        self.console.print(_line(text))


def _line(*parts: str | tuple[str, str]) -> Text:
    """One line of plain texts and (text, style), none of them read for markup."""
    return Text.assemble(
        *(printable(part) if isinstance(part, str) else (printable(part[0]), part[1]) for part in parts)
    )

"""Progress on stderr: one line per step. On a terminal the step that runs now moves; in a log none does."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.status import Status

Detail = Callable[[str], None]
"""Says how far the step that runs now has come."""


class Steps:
    """Says what is being done now, and how long each step took. Never writes to stdout."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self._clock = clock

    @contextmanager
    def step(self, title: str) -> Iterator[Detail]:
        """Run the block as one step; the function it gets shows details of how far it is."""
        begun, last = self._clock(), ""
        with Status(title, console=self.console) as status:

            def detail(text: str) -> None:
                nonlocal last
                last = text
                status.update(f"{title} [dim]{text}[/dim]")

            try:
                yield detail
            except BaseException:
                self.console.print(f"[red]✗[/red] {title}")
                raise
        seconds = self._clock() - begun
        self.console.print(f"[green]✓[/green] {title}{': ' if last else ''}{last} [dim]{seconds:.1f} s[/dim]")

    def say(self, text: str) -> None:
        """One line that is no step."""
        self.console.print(text)

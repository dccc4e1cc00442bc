"""How a command stops on Ctrl-C and SIGTERM: between two calls of the producer, never inside one.

An exception that a signal raises in the middle of `put` can leave an event packed and not counted. So while a
producer is called the signal is only noted, and whatever the call waits for is given up.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

STOPPED_BY = (signal.SIGINT, signal.SIGTERM)
SIGNAL_EXIT = 128  # plus the signal's number: what a shell reports of a program that a signal ended


class Interruption:
    """Whether the command was told to stop. As a context manager: around every call of a producer.

    Attributes:
        signal_number: the first signal that came, None before.
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self._give_up: Callable[[], None] | None = None
        self._depth = 0

    @property
    def exit_code(self) -> int:
        """Of a command that was told to stop: 130 for Ctrl-C, 143 for SIGTERM."""
        return SIGNAL_EXIT + (self.signal_number or signal.SIGINT)

    def watch(self, give_up: Callable[[], None]) -> None:
        """`give_up` ends what a call of the producer waits for. It must take no lock."""
        self._give_up = give_up

    def __enter__(self) -> Self:
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if not self._depth and self.signal_number is not None:
            raise KeyboardInterrupt

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Around the last call, whose result is wanted also when a signal comes meanwhile."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    @contextmanager
    def installed(self) -> Iterator[Self]:
        """Takes the signals; gives them back at the end."""
        before = {number: signal.signal(number, self._handle) for number in STOPPED_BY}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.signal_number is None:
            self.signal_number = number
        if self._give_up is not None:
            self._give_up()
        if not self._depth:
            raise KeyboardInterrupt

"""Keeps a run of the command within the event hours that its delivery stream may have open, and says so."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import timedelta
from typing import Any, Protocol

from producers.commands.hour_counting import counted
from producers.commands.hour_pacing import Delivery, HourPace, OpenHours, Plan, plan, told
from producers.commands.pacing import Pace
from producers.contracts import Stream, echo, message
from producers.errors import StreamRefusedError
from producers.sources.files import STDIN, Format, shown_path

_LATE_HOURS = 48  # simulated events that are late lie so far before the span at most
_PIPE_BURST = 0.5  # what comes from a pipe cannot be counted first: half of the hours may open at once


class Target(Protocol):
    """Where events go."""

    @property
    def delivery(self) -> Delivery:
        """What its delivery stream does with event hours."""
        ...


class HourGuard:
    """The hours of one file, pipe or simulation."""

    def __init__(self, target: Target, *, is_paced: bool = True, is_dry_run: bool = False) -> None:
        """`target` is asked when there is something to send. A dry run waits for nothing."""
        self._target = target
        self._is_paced = is_paced
        self._is_dry_run = is_dry_run
        self._plan: Plan | None = None
        self._open: OpenHours | None = None

    def of_file(self, path: str, stream: Stream, form: Format | None) -> "HourGuard":
        """Counts a file's hours; a pipe's cannot be known before. Raises SourceError."""
        if path != STDIN:
            self._have(shown_path(path), counted(path, stream, form, self._delivery))
        return self

    def of_plan(self, path: str, found: Plan | None) -> "HourGuard":
        """The hours of a file that were counted before; nothing for a pipe."""
        if found is not None:
            self._have(shown_path(path), found)
        return self

    def over(self, span: timedelta) -> "HourGuard":
        """The hours of simulated traffic."""
        hours = int(span.total_seconds() // 3600) + 1
        if hours > self._delivery.hours - _LATE_HOURS:
            self._have("The simulation", plan(range(hours), self._delivery))
        else:
            self._plan = Plan(hours)
        return self

    @property
    def is_exceeded(self) -> bool:
        """Whether events were diverted, or would be, because more hours were open than may be."""
        if self._open is not None:
            return self._open.most > self._delivery.partitions
        return not self._is_paced and self._plan is not None and self._plan.hours > self._delivery.partitions

    def pace(
        self,
        settle: Callable[[float], object],
        inner: Pace | None = None,
        guard: AbstractContextManager[object] | None = None,
    ) -> Pace | None:
        """How events have to leave; `inner` where hours do not matter.

        `settle` waits, for at most so many seconds, until the stream has taken what was sent; `guard` is
        entered around it.
        """
        if self._is_dry_run or (self._plan is not None and not self._plan.seconds):
            return inner
        window = self._delivery.window_seconds
        if not self._is_paced:
            self._open = OpenHours.unlimited(window)
        elif self._plan is None:
            self._open = OpenHours(self._delivery.hours, window, _PIPE_BURST)
        else:
            self._open = OpenHours(self._delivery.hours, window)
        held = guard or nullcontext()

        def settled() -> None:
            # A stream that refuses is reported by the producer; with a spool its events are kept.
            with held, suppress(StreamRefusedError):
                settle(window)

        return HourPace(self._open, time.monotonic, time.sleep, settled, inner)

    def as_dict(self) -> dict[str, Any]:
        """For the summary of the run."""
        found: dict[str, Any] = {}
        if self._plan is not None:
            found["event_hours"] = self._plan.hours
            if self._plan.seconds:
                found["paced_seconds"] = round(self._plan.seconds, 1) if self._is_paced else 0.0
        if self.is_exceeded:
            found["hours_exceeded"] = True
        return found

    @property
    def _delivery(self) -> Delivery:
        return self._target.delivery

    def _have(self, name: str, found: Plan) -> None:
        self._plan = found
        if found.seconds:
            echo(message(told(name, found, self._delivery, is_paced=self._is_paced)), err=True)

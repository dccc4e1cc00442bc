"""What changes, without a gap: subscribed first, then asked for, and again after every break."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from queries.updates.watching.protocol import SubscriptionLostError

FETCH_SECONDS = 60.0
"""A subscription that is acknowledged may still miss an update, so jobs are asked for this often anyway."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds before a lost connection is opened again: at most the first, doubled with each failure."""


class Subscription(Protocol):
    """One connection that is subscribed."""

    def next(self, seconds: float) -> Mapping[str, Any] | None:
        """The next update, or None when none came for so long. Raises SubscriptionLostError."""
        ...


class NoAnswerError(RuntimeError):
    """Nobody has answered for as long as one would wait; the text says how long that was, and why."""


class Watching:
    """Follows what changes: jobs, or reports.

    `subscribe` opens a connection; `fetch` asks what there is now, and raises SubscriptionLostError where
    nobody answers. `is_new` says of what comes either way whether it was not seen yet. `clock` gives seconds
    that only grow, `chance` a number below 1. `patience` is how many seconds may pass without an answer.
    """

    def __init__(
        self,
        subscribe: Callable[[], AbstractContextManager[Subscription]],
        fetch: Callable[[], Sequence[Mapping[str, Any]]],
        *,
        is_new: Callable[[Mapping[str, Any]], bool],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        chance: Callable[[], float],
        lost: Callable[[str, float], None],
        patience: float,
    ) -> None:
        """`lost` gets why a connection was lost, and in how many seconds another one is opened."""
        self._subscribe, self._fetch, self._is_new = subscribe, fetch, is_new
        self._clock, self._sleep, self._chance, self._lost = clock, sleep, chance, lost
        self._failures, self._patience = 0, patience

    def changes(self) -> Iterator[Mapping[str, Any]]:
        """What there is, and what is new whenever that changes.

        It goes on until nobody asks any more. Raises SubscriptionRefusedError, NoAnswerError, and what
        `fetch` raises.
        """
        self._answered = self._clock()
        while True:
            try:
                with self._subscribe() as subscription:
                    yield from self._followed(subscription)
            except SubscriptionLostError as error:
                self._wait(str(error))

    def _followed(self, subscription: Subscription) -> Iterator[Mapping[str, Any]]:
        while True:
            found = self._fetch()
            self._failures, self._answered = 0, self._clock()
            yield from self._new(found)
            until = self._clock() + FETCH_SECONDS
            while (left := until - self._clock()) > 0:
                update = self._heard(subscription, left)
                yield from self._new([] if update is None else [update])

    def _heard(self, subscription: Subscription, seconds: float) -> Mapping[str, Any] | None:
        try:
            return subscription.next(seconds)
        finally:
            self._answered = self._clock()  # the connection was there until now

    def _wait(self, why: str) -> None:
        left = self._answered + self._patience - self._clock()
        if left <= 0:
            raise NoAnswerError(f"No answer for {self._patience:g} seconds. {why}")
        seconds = min(wait(self._failures, self._chance()), left)
        self._lost(why, seconds)
        self._sleep(seconds)
        self._failures += 1

    def _new(self, found: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        return filter(self._is_new, found)


def wait(failures: int, chance: float) -> float:
    """Seconds before the next attempt: any share of a limit that doubles, so that clients come apart."""
    return chance * min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures, 10))

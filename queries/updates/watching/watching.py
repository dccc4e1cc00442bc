"""Jobs as they change, without a gap: subscribed first, then asked for, and again after every break."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from queries.updates.rules import Newest
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


class Watching:
    """Follows jobs.

    `subscribe` opens a connection; `fetch` asks what jobs are now, and raises SubscriptionLostError where
    nobody answers. `clock` gives seconds that only grow, `chance` a number below 1.
    """

    def __init__(
        self,
        subscribe: Callable[[], AbstractContextManager[Subscription]],
        fetch: Callable[[], Sequence[Mapping[str, Any]]],
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        chance: Callable[[], float],
        lost: Callable[[str], None],
    ) -> None:
        """`lost` gets why a connection was lost."""
        self._subscribe, self._fetch = subscribe, fetch
        self._clock, self._sleep, self._chance, self._lost = clock, sleep, chance, lost
        self._newest, self._failures = Newest(), 0

    def changes(self) -> Iterator[Mapping[str, Any]]:
        """Every job as it is found, and as it is whenever that changes; revisions of a job only grow.

        It goes on until nobody asks any more. Raises SubscriptionRefusedError, and what `fetch` raises.
        """
        while True:
            try:
                with self._subscribe() as subscription:
                    yield from self._followed(subscription)
            except SubscriptionLostError as error:
                self._lost(str(error))
                self._sleep(wait(self._failures, self._chance()))
                self._failures += 1

    def _followed(self, subscription: Subscription) -> Iterator[Mapping[str, Any]]:
        while True:
            yield from self._new(self._fetch())
            self._failures, until = 0, self._clock() + FETCH_SECONDS
            while (left := until - self._clock()) > 0:
                update = subscription.next(left)
                yield from self._new([] if update is None else [update])

    def _new(self, found: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        return (each for each in found if self._newest.take(each["jobId"], each["revision"]))


def wait(failures: int, chance: float) -> float:
    """Seconds before the next attempt: any share of a limit that doubles, so that clients come apart."""
    return chance * min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures, 10))

"""What is known of the stream, what follows from it, and when to poll again (pure: time is passed in)."""

from collections.abc import Callable
from random import Random

from producers.errors import StreamRefusedError
from producers.packing.record import Framing
from producers.sending.retry import MAP_BACKOFF
from producers.sinks.port import StreamFacts
from producers.sinks.shard_map import ShardMap

FRUITLESS_LOOKS = 3  # at an unchanged map before misrouted records are taken to be the stream's way


class StreamWatch:
    """See the module. `warn` is called with what degrades the service.

    Attributes:
        framing: how events are packed: as asked, or singly once the stream does not allow more.
        is_stale: the stream has to be described before anything is sent.
    """

    def __init__(self, framing: Framing, random: Random, warn: Callable[[str], None]) -> None:
        self.framing: Framing = framing
        self.is_stale = True
        self._asked: Framing = framing
        self._is_unlisted = False
        self._random = random
        self._warn = warn
        self._facts: StreamFacts | None = None
        self._is_looking = False
        self._look_at = 0.0
        self._fruitless = 0

    def may_look(self, now: float) -> bool:
        """Whether the stream should be polled now."""
        return not self._is_looking and now >= self._look_at

    def wake_at(self, now: float) -> float | None:
        """When to poll; None while a poll is under way."""
        return None if self._is_looking else max(now, self._look_at)

    def looking(self) -> None:
        """A poll is under way."""
        self._is_looking = True

    def failed(self) -> None:
        """The poll failed."""
        self._is_looking = False

    def recovered(self) -> None:
        """Somebody fixed what kept the stream from taking records: more may be allowed now."""
        self.is_stale = self.is_stale or self._is_unlisted

    def doubt(self, now: float) -> None:
        """Something speaks against the map, but nothing is lost by it: poll when it is time again."""
        if self.framing != "none" and now >= self._look_at:
            self.is_stale = True

    def outdated(self) -> None:
        """Records landed where their keys do not belong: poll before anything else is sent."""
        self.is_stale = True

    def looked(self, facts: StreamFacts, now: float) -> None:
        """The stream as it is now.

        Raises StreamRefusedError when it cannot be used as asked; the facts are taken all the same.
        """
        self._is_looking = False
        self.is_stale = False
        if self._is_unlisted and facts.shards is not None:
            self.framing, self._is_unlisted = self._asked, False
        before, self._facts = self._facts, facts
        if self.framing != "kpl":
            return
        if not facts.takes_aggregates:
            self.framing = "none"
        elif facts.ignores_keys:
            if before is None:
                raise StreamRefusedError(
                    "The stream distributes records itself (AUTO); consumers would drop aggregates. "
                    "Use framing='lines', or 'none'."
                )
            self._stop_aggregating("the stream distributes records itself now (AUTO)")
        elif facts.shards is None:
            self._is_unlisted = True
            self._stop_aggregating("its shards cannot be listed (kinesis:ListShards is denied)")
        elif before is not None and _same(before.shards, facts.shards):
            self._fruitless += 1
            self._look_at = now + MAP_BACKOFF.wait(self._fruitless, self._random)
            if self._fruitless >= FRUITLESS_LOOKS:
                self._stop_aggregating("records land in other shards than their keys say")
        else:
            self._fruitless = 0

    def _stop_aggregating(self, reason: str) -> None:
        self.framing = "none"
        self._warn(f"Events are sent one per record from now on: {reason}.")


def _same(one: ShardMap | None, other: ShardMap | None) -> bool:
    return one is not None and other is not None and one.shards == other.shards

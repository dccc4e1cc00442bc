"""How long to wait before trying again (pure: the random source is passed in)."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Backoff:
    """Full jitter: a wait drawn evenly between `floor` and a ceiling that doubles with every failure.

    All times in seconds.
    """

    first: float
    most: float
    floor: float = 0.0

    def wait(self, failures: int, random: Random) -> float:
        """The wait after so many failures in a row (from 1)."""
        ceiling: float = min(self.most, self.first * 2 ** min(failures - 1, 32))
        return self.floor + random.random() * max(0.0, ceiling - self.floor)


RECORD_BACKOFF = Backoff(first=0.1, most=5.0)
"""After a shard refused records: most often it is full for the rest of the second."""

ENDPOINT_BACKOFF = Backoff(first=2.0, most=8.0, floor=1.05)
"""After a request failed as a whole. Never below a second: an endpoint that is down is asked gently."""

REFUSED_BACKOFF = Backoff(first=4.0, most=60.0, floor=2.0)
"""After the stream refused for a reason that a person has to fix: it may take hours."""

MAP_BACKOFF = Backoff(first=1.0, most=30.0)
"""Between two polls of the stream's shards."""

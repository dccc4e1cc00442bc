"""MiniStack's Kinesis looks at every record and iterator on every call; this looks at the expired ones.

Without it, reading the tail of a stream of 200,000 records takes 56 ms a call, and each call makes one more
iterator that the next five minutes of calls look at again.
"""

import time
from collections.abc import MutableMapping
from importlib.metadata import version
from typing import Any

PATCHED_VERSION = "1.5.33"
ITERATOR_SECONDS = 300.0


class EmulatorVersionError(RuntimeError):
    """The installed MiniStack is not the one that this code was tested with."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"MiniStack {found} is installed, but the local cloud is tested with {PATCHED_VERSION} only. "
            f"Run: pip install ministack=={PATCHED_VERSION}"
        )
        self.found = found


def expire_records(stream: dict[str, Any], *, now: float | None = None) -> None:
    """Delete the records of a MiniStack stream that are past its retention.

    They lie in order of arrival, so the first live one ends the search.
    """
    cutoff = (time.time() if now is None else now) - stream["RetentionPeriodHours"] * 3600
    for shard in stream["shards"].values():
        records, dead = shard["records"], 0
        while dead < len(records) and records[dead]["ApproximateArrivalTimestamp"] < cutoff:
            dead += 1
        if dead:
            del records[:dead]


def expire_iterators(iterators: MutableMapping[Any, dict[str, Any]], *, now: float | None = None) -> None:
    """Delete the iterators that are past their life. They lie in order of creation."""
    cutoff = (time.time() if now is None else now) - ITERATOR_SECONDS
    dead = []
    for key, state in iterators.items():
        if state["created_at"] >= cutoff:
            break
        dead.append(key)
    for key in dead:
        del iterators[key]


def install(found: str | None = None) -> None:
    """Replace MiniStack's own functions. Raises EmulatorVersionError on any other version."""
    found = found or version("ministack")
    if found != PATCHED_VERSION:
        raise EmulatorVersionError(found)
    from ministack.services import kinesis

    kinesis._expire_records = expire_records
    kinesis._expire_iterators = lambda: expire_iterators(kinesis._shard_iterators._data)

"""What was put on a stream while it had no delivery stream: from when until when (pure).

A delivery stream begins with what comes after it was made. The stream keeps what came before, from the moment
at which the delivery stream before it ended, or from its own beginning.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

CREATION = timedelta(minutes=15)
"""Longer than Firehose takes from a delivery stream's creation to its first read of the stream."""


@dataclass(frozen=True)
class Gap:
    """Arrivals that no delivery stream took.

    Attributes:
        begin: everything that had arrived by then is in the lake; None when nobody knows, so that the stream
            is read from its oldest record.
        end: what arrived later is delivered.
    """

    begin: datetime | None
    end: datetime


def gap_of(
    *, made: datetime, ended: datetime | None, delivered: datetime | None, kept: timedelta, now: datetime
) -> Gap | None:
    """The gap before a delivery stream, or None when the stream no longer has any of it.

    `made` is when the delivery stream was made, `ended` when its stack was deleted before that, `delivered`
    until when everything was in the lake by then, `kept` how long the stream keeps a record. All times have a
    zone. A stack that was deleted after `made` says nothing of it.
    """
    end = made + CREATION
    if end < now - kept:
        return None
    if ended is None or ended > made or delivered is None:
        return Gap(None, end)
    return Gap(min(delivered, ended), end)

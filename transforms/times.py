"""Times at the speed of a table look-up: event hours, milliseconds and their text, without strftime."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CAPACITY = 4096

MINUTE_SECOND = tuple(f"{minute:02d}:{second:02d}" for minute in range(60) for second in range(60))
"""`mm:ss` of each second of an hour."""
MILLISECOND = tuple(f".{millisecond:03d}Z" for millisecond in range(1000))
"""`.mmmZ` of each millisecond of a second."""


class Hour(NamedTuple):
    """One UTC hour."""

    event_hour: str
    """`2026-11-24-10`."""
    text: str
    """`2026-11-24T10:`, to be followed by an entry of MINUTE_SECOND and one of MILLISECOND."""
    start_ms: int


class Hours(dict[int, Hour]):
    """Hour number (`toordinal() * 24 + hour`) -> Hour. Forgets everything when full."""

    def __missing__(self, number: int) -> Hour:
        ordinal, hour = divmod(number, 24)
        start = datetime.fromordinal(ordinal).replace(hour=hour, tzinfo=UTC)
        if len(self) >= _CAPACITY:
            self.clear()
        self[number] = answer = Hour(
            f"{start:%Y-%m-%d-%H}".rjust(13, "0"),
            f"{start:%Y-%m-%dT%H:}".rjust(14, "0"),
            (start - _EPOCH) // timedelta(milliseconds=1),
        )
        return answer


class Arrivals(dict[int, str]):
    """Epoch milliseconds -> `2026-11-24T10:00:00.123Z`. Forgets everything when full."""

    def __missing__(self, arrival_ms: int) -> str:
        seconds, millisecond = divmod(arrival_ms, 1000)
        if len(self) >= _CAPACITY:
            self.clear()
        text = (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19] + MILLISECOND[millisecond]
        self[arrival_ms] = text
        return text


def milliseconds(moment: datetime) -> int:
    """Epoch milliseconds, rounded down. The moment must carry a zone."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)

"""Times at the speed of a table look-up: event hours, milliseconds and their text."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CAPACITY = 4096
_SIXTY: Mapping[str, int] = {f":{number:02d}": number for number in range(60)}

MILLISECOND_OF: Mapping[str, int] = {f".{millisecond:03d}Z": millisecond for millisecond in range(1000)}
"""How a time ends in the form that rows have, `.mmmZ`, to its milliseconds."""

_parse = msgspec.json.Decoder(Annotated[datetime, Meta(tz=True)]).decode


class EventTime(NamedTuple):
    """A checked event time, in UTC."""

    event_hour: str
    """`2026-11-24-10`."""
    text: str
    """`2026-11-24T10:11:12.123Z`."""
    epoch_ms: int


class Seconds(dict[str, tuple[str, int]]):
    """`2026-11-24T10:11:12` -> (event hour, epoch milliseconds), for hours that a checked time has had.

    Producers write most times in one form, and most of a batch falls into few seconds, so that a time need
    not be parsed but looked up: its first 19 characters here, the others in MILLISECOND_OF. Raises KeyError
    for what must be parsed. Forgets everything when full.
    """

    def __init__(self) -> None:
        super().__init__()
        self._hours: dict[str, tuple[str, int]] = {}

    def __missing__(self, second: str) -> tuple[str, int]:
        event_hour, hour_ms = self._hours[second[:13]]
        if len(self) >= _CAPACITY:
            self.clear()
        in_hour_ms = _SIXTY[second[13:16]] * 60_000 + _SIXTY[second[16:]] * 1000
        self[second] = found = (event_hour, hour_ms + in_hour_ms)
        return found

    def read(self, text: str) -> EventTime:
        """Parse a time in any form of RFC 3339, rounded down to milliseconds.

        Raises msgspec.ValidationError for what is not a time with a zone, OverflowError for a time that in
        UTC is outside of the years 1 to 9999.
        """
        moment = _parse(msgspec.json.encode(text)).astimezone(UTC)
        epoch_ms = milliseconds(moment)
        if len(text) == 24 and text[10] == "T" and text[19] == "." and text[23] == "Z":
            event_hour = f"{text[:10]}-{text[11:13]}"
            if len(self._hours) >= _CAPACITY:
                self._hours.clear()
            self._hours[text[:13]] = (event_hour, epoch_ms - epoch_ms % 3_600_000)
            return EventTime(event_hour, text, epoch_ms)
        canonical = f"{moment.isoformat(timespec='milliseconds')[:23]}Z"
        return EventTime(f"{canonical[:10]}-{canonical[11:13]}", canonical, epoch_ms)


class Arrivals:
    """Arrival times as rows have them; of a batch, most fall into few seconds."""

    _second: int | None = None
    _text = ""

    def text(self, arrival_ms: int) -> str:
        """Epoch milliseconds as `2026-11-24T10:00:00.123Z`."""
        second = arrival_ms // 1000
        if second != self._second:
            self._second, self._text = second, (_EPOCH + timedelta(seconds=second)).isoformat()[:19]
        return f"{self._text}.{arrival_ms % 1000:03d}Z"


def milliseconds(moment: datetime) -> int:
    """Epoch milliseconds, rounded down. The moment must carry a zone."""
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000

"""Local times as times in UTC (pure: the zone's rules are the machine's time zone database).

A local time that the clock showed twice, when summer time ended, or never, when it began, is not guessed at.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from producers.sources.definition import Ambiguous, Nonexistent

_MINUTE_US = 60_000_000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  of clocks on a wall
_KEPT = 1 << 20


class LocalTimeError(ValueError):
    """The local time stands for no moment, or for two."""


class Zone:
    """Reads local times of one zone."""

    def __init__(
        self, name: str, ambiguous: Ambiguous = "refuse", nonexistent: Nonexistent = "refuse"
    ) -> None:
        self._name = name
        self._zone = ZoneInfo(name)
        self._ambiguous = ambiguous
        self._nonexistent = nonexistent
        self._shifts: dict[int, int | str] = {}

    def utc(self, local_us: int) -> int:
        """Microseconds since 1970 in UTC of what a clock showed as these. Raises LocalTimeError."""
        minute = local_us // _MINUTE_US
        shift = self._shifts.get(minute)
        if shift is None:
            if len(self._shifts) >= _KEPT:
                self._shifts.clear()
            shift = self._shifts[minute] = self._shift(minute)
        if isinstance(shift, str):
            raise LocalTimeError(shift)
        return local_us - shift

    def _shift(self, minute: int) -> int | str:
        """How far the clock was ahead of UTC in that minute, in microseconds; or why nobody can say."""
        try:
            local = _EPOCH + timedelta(minutes=minute)
            early = local.replace(tzinfo=self._zone, fold=0)
            late = local.replace(tzinfo=self._zone, fold=1)
            first, second = early.utcoffset(), late.utcoffset()
            exists = early.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) == local
        except (OverflowError, ValueError):
            return "the time is outside the years 1 to 9999"
        assert first is not None
        assert second is not None
        if first == second:
            return first // timedelta(microseconds=1)
        if not exists:
            if self._nonexistent == "refuse":
                return (
                    f"clocks in {self._name} never showed {local:%Y-%m-%d %H:%M}: they were put forward. "
                    "Say 'nonexistent: shift' in the header to read it as that much later"
                )
            # As far behind the change as the clock that was not put forward says.
            return first // timedelta(microseconds=1)
        if self._ambiguous == "refuse":
            return (
                f"clocks in {self._name} showed {local:%Y-%m-%d %H:%M} twice. "
                "Say 'ambiguous: earlier' or 'ambiguous: later' in the header to choose one"
            )
        chosen = first if self._ambiguous == "earlier" else second
        return chosen // timedelta(microseconds=1)

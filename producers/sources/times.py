"""Times of rows as moments in UTC, and why one is not accepted (pure)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from producers.contracts import Stream
from producers.sources.definition import SourceDefinition
from producers.sources.plan import Plan
from producers.sources.zones import LocalTimeError, Zone

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) * 1_000_000
_MINUTE_US = 60_000_000


class Times:
    """The times of one source."""

    def __init__(self, definition: SourceDefinition, stream: Stream) -> None:
        zone = definition.zone
        self._zone = Zone(zone, definition.ambiguous, definition.nonexistent) if zone else None
        self._is_utc = zone == "UTC"
        self._floor_us = int(stream.history_floor.timestamp()) * 1_000_000
        self._too_old = (
            f"is before {stream.history_floor:%Y-%m-%d}, the history_floor of stream {stream.name}"
        )

    def moment(self, us: int | None, is_zoned: bool | None) -> tuple[int, str | None]:
        """Microseconds since 1970 in UTC of an event's time; or 0 and why it cannot be one."""
        if us is None:
            return 0, "is missing"
        at, wrong = self.utc(us, is_zoned)
        if wrong is None and at < self._floor_us:
            return 0, self._too_old
        return at, wrong

    def utc(self, us: int, is_zoned: bool | None) -> tuple[int, str | None]:
        """The same for any time of a row."""
        if not is_zoned and not self._is_utc:
            if self._zone is None:
                return 0, "has no zone, and neither has the header. Add 'zone: UTC', or the zone of the file"
            try:
                us = self._zone.utc(us)
            except LocalTimeError as error:
                return 0, str(error)
        if us > _LAST_US:
            return 0, "is after the year 9999"
        return us, None

    def all_utc(
        self, us: "pa.ChunkedArray", is_zoned: "pa.ChunkedArray"
    ) -> "tuple[pa.Array, pa.BooleanArray]":
        """Columns of what `moment` takes and gives: the times in UTC, and which of them can be an event's."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        given = pc.fill_null(us, -1 - _LAST_US).to_numpy()
        is_sure = (given >= -_LAST_US) & (given <= 2 * _LAST_US)
        if not self._is_utc:
            is_local = is_sure & ~pc.fill_null(is_zoned, False).to_numpy()
            if is_local.any():
                given, is_sure = given.copy(), is_sure.copy()
                given[is_local], is_sure[is_local] = self._all_of_zone(given[is_local])
        is_sure &= (given >= self._floor_us) & (given <= _LAST_US)
        return pa.array(np.where(is_sure, given, 0)), pa.array(is_sure)

    def _all_of_zone(
        self, local: "np.ndarray[Any, Any]"
    ) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        """The same for times of the source's zone, whose clocks are looked at once for each minute."""
        import numpy as np

        minutes, places = np.unique(local // _MINUTE_US, return_inverse=True)
        shifts = [self._shift(minute * _MINUTE_US) for minute in minutes.tolist()]
        known = np.array([shift is not None for shift in shifts], bool)
        return local - np.array([shift or 0 for shift in shifts], np.int64)[places], known[places]

    def _shift(self, local: int) -> int | None:
        at, wrong = self.utc(local, None)
        return local - at if wrong is None else None


class TimeMembers:
    """Times in the payloads of a chunk's rows, as members of their JSON."""

    def __init__(self, plan: Plan, columns: Mapping[str, Sequence[Any]], times: Times) -> None:
        self._times = times
        self._fields = [
            (field.event_type, field.name, columns[f"__t{at}"], columns[f"__z{at}"])
            for at, field in enumerate(plan.time_fields)
        ]

    def of(self, index: int, event_type: str) -> tuple[str, str, str | None]:
        """The members of a row's payload; or the field at fault and why it is."""
        members = []
        for kind, name, values, zoned in self._fields:
            if kind != event_type or values[index] is None:
                continue
            us, wrong = self._times.utc(values[index], zoned[index])
            if wrong is not None:
                return "", name, wrong
            members.append(f'"{name}":"{time_text(us)}"')
        return ",".join(members), "", None


def time_text(us: int) -> str:
    """RFC 3339 in UTC."""
    return (_EPOCH + timedelta(microseconds=us)).isoformat().replace("+00:00", "Z")


def as_datetime(us: int) -> datetime:
    """The moment as Python has it."""
    return _EPOCH + timedelta(microseconds=us)

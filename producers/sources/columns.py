"""Rows of one event type as events, whole columns at a time: the fast path of `producers.sources.making`.

It takes the rows that surely keep the contract, and gives for them what the slow way gives, byte for byte.
All others are left to the slow way, which says what is wrong.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from producers.contracts import ColumnChecks, EventType, column_checks
from producers.identity import KeyedIds, derived_event_id
from producers.sources.plan import ROW, Plan
from producers.sources.results import EventColumns
from producers.sources.times import Times

if TYPE_CHECKING:
    import pyarrow as pa

_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')
"""Characters that JSON may write in more than one way."""


class Sure(NamedTuple):
    """The rows of a chunk that are events, by their places in the chunk; and the places of the others."""

    events: EventColumns
    places: "pa.Array"
    others: "pa.Array"


class ColumnReader:
    """Makes columns of events for one source."""

    def __init__(self, times: Times, ids: KeyedIds) -> None:
        self._times, self._ids = times, ids
        self._checks: dict[EventType, ColumnChecks | None] = {}

    def takes(self, plan: Plan) -> bool:
        """Whether `plan.values` can be asked for in place of `plan.query`."""
        return plan.event_type is not None and self._checks_of(plan.event_type) is not None

    def sure(self, found: "pa.Table", plan: Plan, numbers: Sequence[int], content_id: bytes | None) -> Sure:
        """The events of what `plan.values` has answered for rows with these numbers; with `content_id`, ids
        follow from it and the number, else from the key.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        event_type = plan.event_type
        assert event_type is not None
        checks = self._checks_of(event_type)
        assert checks is not None
        event_us, is_sure = self._times.all_utc(found.column("__time"), found.column("__zoned"))
        values = {name: found.column(f"__v{at}").combine_chunks() for at, name in enumerate(plan.fields)}
        if (passing := checks.passing(values, len(found))) is not None:
            is_sure = pc.and_(is_sure, passing)
        keys = found.column("__key").combine_chunks()
        if content_id is None:
            is_sure = pc.and_(is_sure, keys.is_valid())
        places, others = found.column(ROW).combine_chunks(), pa.array([], pa.int32())
        if is_sure.true_count < len(found):
            others = places.filter(pc.invert(is_sure))
            places, event_us, keys = (each.filter(is_sure) for each in (places, event_us, keys))
            values = {name: each.filter(is_sure) for name, each in values.items()}
        rows = pa.array(numbers, pa.int64()).take(places)
        if content_id is None:
            ids = self._keyed(keys, event_us, is_timed=plan.has_time_in_key)
        else:
            ids = _placed(content_id, event_us, rows)
        data = _json(checks, values, len(places))
        return Sure(EventColumns(rows, ids, event_us, event_type, data), places, others)

    def _keyed(self, keys: "pa.Array", event_us: "pa.Array", *, is_timed: bool) -> list[str]:
        import pyarrow as pa
        import pyarrow.compute as pc

        if is_timed:
            keys = pc.binary_join_element_wise(keys, event_us.cast(pa.string()), "@")
        return [*map(self._ids.of, keys.cast(pa.binary()).to_pylist())]

    def _checks_of(self, event_type: EventType) -> ColumnChecks | None:
        if event_type not in self._checks:
            self._checks[event_type] = column_checks(event_type.payload, _is_plain)
        return self._checks[event_type]


def _placed(content_id: bytes, event_us: "pa.Array", rows: "pa.Array") -> list[str]:
    """Ids that follow from a file's content and the rows' numbers."""
    places = zip(event_us.to_pylist(), rows.to_pylist(), strict=True)
    return [derived_event_id(us // 1000, content_id, str(row).encode()) for us, row in places]


def _is_plain(text: str) -> bool:
    return _ESCAPED.search(text) is None


def _json(checks: ColumnChecks, values: dict[str, "pa.Array"], rows: int) -> "pa.Array":
    """The payloads as msgspec writes them: members in the contract's order, without those that are empty."""
    import pyarrow as pa
    import pyarrow.compute as pc

    members = [*_members(checks, values)]
    if not members:
        return pa.array([b"{}"] * rows, pa.binary())
    # Each begins with a comma: Arrow's own way to leave out what is not there loses rows without anything.
    joined = pc.binary_join_element_wise(*members, "", null_handling="replace", null_replacement="")
    return pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(joined, 1), "}", "").cast(pa.binary())


def _members(checks: ColumnChecks, values: dict[str, "pa.Array"]) -> Iterator["pa.Array"]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for column in checks.columns:
        array = values.get(column.name)
        if array is None or array.null_count == len(array):
            continue
        start = f',"{column.name}":'
        if column.kind is str:
            yield pc.binary_join_element_wise(f'{start}"', array, '"', "")
        elif column.kind is float:
            # As msgspec writes numbers; DuckDB and Arrow write some of them in another way.
            texts = msgspec.json.encode(array.to_pylist()).decode()[1:-1].split(",")
            given = pa.array(texts, pa.string())
            yield pc.if_else(array.is_valid(), pc.binary_join_element_wise(start, given, ""), None)
        else:
            yield pc.binary_join_element_wise(start, array.cast(pa.string()), "")


class Passed:
    """When the events in columns were, for rows between them that have no time."""

    def __init__(self, places: "pa.Array | None" = None, event_us: "pa.Array | None" = None) -> None:
        self._places, self._event_us = places, event_us
        self._count = 0

    def before(self, place: int, last_us: int) -> int:
        """The time of the last event before this place; `last_us` when none came since it was asked last."""
        if self._places is None or self._event_us is None:
            return last_us
        count = bisect_left(self._places, place, key=_as_int)
        if count <= self._count:
            return last_us
        self._count = count
        return int(self._event_us[count - 1].as_py())


def _as_int(value: Any) -> int:
    return int(value.as_py())

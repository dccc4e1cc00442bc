"""One page of a report's rows: which versions it is read from, and where the next one begins."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from queries.api.reading.asking import MOST_PARTITIONS, RowsAsked
from queries.api.reading.cursors import Cursor
from queries.api.reading.errors import CursorGoneError
from queries.api.reading.port import Row, RowReader, Selection, Standings, Version
from queries.api.reading.row_rules import Seen
from queries.contracts import Report
from queries.ledger.state import PartitionState

MOST_BYTES = 4 * 2**20
"""Of a page's rows; Lambda answers with 6 MB at most."""
WINDOW_BYTES = 48 * 2**20
"""Of Parquet that one page looks through; the rest is left to the next one."""
FEW = 8
"""Partitions that the ledger is asked for first where every row is wanted: most pages need no more."""


class Window(NamedTuple):
    """Versions that a page is read from, in order; `following` is the first partition behind them, if any."""

    versions: tuple[Version, ...]
    following: str | None


@dataclass(frozen=True)
class Page:
    """Rows as they are given, and where the next page begins; None: there are no more."""

    encoded: Sequence[bytes]
    following: Cursor | None


def window_of(standings: Standings, report: Report, asked: RowsAsked, seen: Seen) -> Window:
    """What the page is read from: at most 100 partitions, and no more than have its rows where each row is
    wanted. Raises CursorGoneError.
    """
    first = max(asked.first, asked.cursor.partition) if asked.cursor else asked.first
    if first > asked.last:
        return Window((), None)
    is_whole = not asked.filters and seen.values is None
    wanted = asked.limit + 1 + (asked.cursor.offset if asked.cursor else 0)
    versions: list[Version] = []
    size = rows = 0
    states = _states(standings, report.name, first, asked.last, FEW if is_whole else MOST_PARTITIONS + 1)
    for number, state in enumerate(states):
        version = _version(state, asked.cursor)
        size += (version.published.bytes or 0) if version else 0
        if number == MOST_PARTITIONS or (versions and size > WINDOW_BYTES):
            return Window(tuple(versions), state.partition)
        if version and version.published.rows:
            versions.append(version)
            rows += version.published.rows
            if is_whole and rows >= wanted:
                break  # the next page begins in one of these
    return Window(tuple(versions), None)


def _states(standings: Standings, report: str, first: str, last: str, few: int) -> Iterator[PartitionState]:
    """The partitions from `first` to `last` in order, read `few` at first and then many at a time."""
    while found := standings.between(report, first, last, few):
        yield from found
        if len(found) < few or found[-1].partition >= last:
            return
        # No name has a space in it, and every character of one sorts behind it.
        first, few = f"{found[-1].partition} ", MOST_PARTITIONS + 1


def _version(state: PartitionState, cursor: Cursor | None) -> Version | None:
    """The version that is served; of the partition that a cursor stands in, the one that it was made for."""
    if cursor is None or cursor.partition != state.partition or not cursor.offset:
        return Version(state.partition, state.published) if state.published else None
    for published in (state.published, *state.previous):
        if published is not None and published.fence == cursor.fence:
            return Version(state.partition, published)
    raise CursorGoneError(
        f"Partition {state.partition} was published several times since the page before. Start again "
        f"from it: from={state.partition}."
    )


def page_of(
    reader: RowReader,
    report: Report,
    asked: RowsAsked,
    window: Window,
    seen: Seen,
    encode: Callable[[Row], bytes],
) -> Page:
    """The rows of the window that the caller sees and asks for. Raises RowsMissingError, TooLargeError."""
    conditions: dict[str, tuple[Any, ...]] = dict(asked.filters)
    if seen.values is not None:
        wanted = conditions.get(seen.column)
        mine = seen.values if wanted is None else seen.values.intersection(wanted)
        conditions[seen.column] = tuple(sorted(mine))
    skip = _given(asked.cursor, window)
    after = Cursor(window.following, 0, 0) if window.following else None
    if any(not values for values in conditions.values()):
        return Page([], None)
    found = _found(reader, Selection(report, conditions), window.versions, skip, asked.limit + 1)
    encoded = [encode(row) for row in found[: asked.limit]]
    count = _fitting(encoded)
    if count == len(found):
        return Page(encoded, after)
    last = found[count - 1].partition
    same = sum(1 for row in found[:count] if row.partition == last)
    before = skip if last == window.versions[0].partition else 0
    fence = next(one.published.fence for one in window.versions if one.partition == last)
    return Page(encoded[:count], Cursor(last, fence, before + same))


def _given(cursor: Cursor | None, window: Window) -> int:
    """How many rows of the window's first partition the pages before had."""
    is_in = cursor is not None and window.versions and window.versions[0].partition == cursor.partition
    return cursor.offset if cursor is not None and is_in else 0


def _found(
    reader: RowReader, selection: Selection, versions: Sequence[Version], skip: int, wanted: int
) -> list[Row]:
    """The first rows, read from no more partitions than it takes: as many as would do without conditions,
    then twice as many as before.
    """
    found: list[Row] = []
    rest, few = list(versions), 8 if selection.conditions else 1
    while rest and len(found) < wanted:
        count = rows = 0
        while count < len(rest) and (count < few or rows < wanted - len(found) + skip):
            rows += rest[count].published.rows
            count += 1
        batch, rest, few = rest[:count], rest[count:], count * 2
        found += reader.rows(selection, batch, skip=skip, limit=wanted - len(found))
        skip = 0
    return found


def _fitting(encoded: Sequence[bytes]) -> int:
    """How many of the first rows fit into an answer; one at least."""
    size = 0
    for count, row in enumerate(encoded):
        size += len(row) + 2
        if size > MOST_BYTES and count:
            return count
    return len(encoded)

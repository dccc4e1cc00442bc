"""The listing of failed records as text: counts, lines that could not be read, and what is to be replayed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from transforms.failed.index import IndexEntry, counted
from transforms.text_table import text_table

_FIRST = 3


@dataclass(frozen=True)
class UnreadableLines:
    """Lines of sources that could not be read for one reason.

    Attributes:
        reason: in known words; empty when it has none.
        lines, events: distinct lines, and how often they were sent in all.
        first: of a few of them the record and the number of the line in its source.
    """

    reason: str
    lines: int
    events: int
    first: tuple[tuple[str, int | None], ...]


def unreadable_lines(found: Sequence[IndexEntry]) -> list[UnreadableLines]:
    """The unreadable lines by reason, the most frequent first."""
    groups: defaultdict[str, list[IndexEntry]] = defaultdict(list)
    for entry in found:
        if entry.line_length is not None:
            groups[entry.line_reason].append(entry)
    made = [_grouped(reason, entries) for reason, entries in groups.items()]
    return sorted(made, key=lambda each: (-each.lines, each.reason))


def _grouped(reason: str, entries: list[IndexEntry]) -> UnreadableLines:
    """A copy has the name of its event, and is not a line of its own."""
    distinct: dict[tuple[object, ...], IndexEntry] = {}
    for entry in entries:
        distinct.setdefault((entry.producer_id, entry.epoch, entry.seq), entry)
    first = [(entry.record_id, entry.line) for entry in islice(distinct.values(), _FIRST)]
    return UnreadableLines(reason, len(distinct), len(entries), tuple(first))


def to_replay(records: int, command: str) -> str:
    """What is still to be replayed, and how; nothing when there is nothing."""
    if not records:
        return ""
    return (
        f"{records:,} failed records pass the rules as they are and are not in the lake. They count as "
        f"failed until they are replayed: {command}"
    )


def listing(found: Sequence[IndexEntry], by: str, *, records: bool) -> str:
    """The tables of a listing."""
    if not found:
        return "No failed records."
    parts = [text_table((by, "records"), counted(found, by).items())]
    if records:
        parts.append(text_table(_COLUMNS, map(_row, found)))
    groups = unreadable_lines(found)
    if groups:
        rows = [
            (each.reason or "(other words)", each.lines, each.events, _positions(each)) for each in groups
        ]
        parts.append(text_table(("why lines could not be read", "lines", "sent", "for example"), rows))
    return "\n\n".join(parts)


def _positions(group: UnreadableLines) -> str:
    shown = ", ".join(f"line {line if line is not None else '?'} ({record})" for record, line in group.first)
    return shown if group.lines <= len(group.first) else f"{shown}, ..."


_COLUMNS = (
    *("id", "arrived", "kind", "reason", "place", "type", "producer", "epoch", "seq", "replayed"),
    *("source line", "characters"),
)


def _row(entry: IndexEntry) -> tuple[object, ...]:
    return (
        entry.record_id,
        entry.arrival_time,
        entry.kind,
        entry.reason,
        entry.place,
        entry.event_type,
        entry.producer_id,
        entry.epoch,
        entry.seq,
        "yes" if entry.is_replayed else "no",
        entry.line,
        entry.line_length,
    )

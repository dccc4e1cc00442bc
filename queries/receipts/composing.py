"""A receipt from what was found: its first line, its findings, its digest (pure)."""

import json
import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from queries.commands.present import plain
from queries.engine.port import Rows
from queries.receipts.around import Around, RunName
from queries.receipts.cell import Cell, shown
from queries.receipts.model import EventGroup, LakeObject, ProducerRun, Sample, Version

_PREFIX = "penstock_"
Records = Sequence[Mapping[str, Any]]


def records(found: Rows) -> list[dict[str, Any]]:
    """The rows by column, without the prefix of marks."""
    names = [name.removeprefix(_PREFIX) for name in found.columns]
    return [dict(zip(names, row, strict=True)) for row in found.rows]


def groups_of(counts: Records) -> tuple[EventGroup, ...]:
    """Events by type and source, from the counts of a listing."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in counts:
        sums = found[row["event_type"], row["source"]]
        sums[0] += row["events"]
        sums[1] += row["events"] if row["is_late"] else 0
        sums[2] += row["copies"]
    return tuple(EventGroup(*name, *sums) for name, sums in sorted(found.items()))


def came_since(counts: Records, had: Collection[str]) -> tuple[int, int]:
    """How many of the events lie in none of the objects `had` (URLs), and how many of those are late."""
    came = [row for row in counts if row["path"] not in had]
    return sum(row["events"] for row in came), sum(row["events"] for row in came if row["is_late"])


def objects_of(counts: Records, read: Mapping[str, tuple[int, int]]) -> tuple[LakeObject, ...]:
    """The objects that were read (URL to bytes and time), with how many of the events lie in each."""
    events: dict[str, int] = defaultdict(int)
    for row in counts:
        events[row["path"]] += row["events"]
    return tuple(LakeObject(url, *facts, events[url]) for url, facts in sorted(read.items()))


def producers_of(counts: Records, around: Around) -> tuple[ProducerRun, ...]:
    """The producer runs that the events came from, with their sequences where these are known."""
    found: dict[RunName, list[int]] = {}
    for row in counts:
        first, last = int(row["lowest_seq"]), int(row["last_seq"])
        sums = found.setdefault(RunName(row["producer_id"], int(row["epoch"])), [0, first, last])
        sums[:] = [sums[0] + row["events"], min(sums[1], first), max(sums[2], last)]
    made = []
    for name, (events, first, last) in sorted(found.items()):
        told = around.sequences.get(name)
        facts = {} if told is None else {each: getattr(told, each) for each in _TOLD}
        made.append(
            ProducerRun(
                producer_id=name.producer_id,
                epoch=name.epoch,
                events=events,
                first_seq=first,
                last_seq=last,
                **facts,
            )
        )
    return tuple(made)


_TOLD = ("known", "is_audited", "has_ended", "landed", "failed", "dropped", "missing", "missing_count")


def sample(row: Mapping[str, Any]) -> Sample:
    """An event as a receipt names it."""
    return Sample(
        event_id=str(row["event_id"]),
        event_type=str(row["event_type"]),
        event_time=utc(row["event_time"]),
        arrival_time=utc(row["arrival_time"]),
        is_late=bool(row["is_late"]),
        source=str(row["source"]),
        producer_id=str(row["producer_id"]),
        epoch=int(row["epoch"]),
        seq=int(row["seq"]),
        object=str(row["object"]),
    )


def samples_of(counts: Records, most: int) -> tuple[Sample, ...]:
    """The first events of the counts' groups, in order of time."""
    names = ("event_id", "event_time", "arrival_time", "seq")
    found = [
        sample({**row, **{name: row[f"first_{name}"] for name in names}, "object": row["path"]})
        for row in counts
    ]
    return tuple(sorted(found, key=lambda each: (each.event_time, each.event_id))[:most])


def utc(moment: datetime) -> str:
    """A lake's time, which is UTC without a zone."""
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def gaps(producers: Sequence[ProducerRun], around: Around) -> list[str]:
    """Numbers of sequences that are in no place, by the producer run."""
    until = ""
    if around.delivered_until:
        moment = datetime.fromtimestamp(around.delivered_until / 1000, UTC)
        until = f" (the lake has all that was on the streams until {moment:%Y-%m-%dT%H:%M:%SZ})"
    lacking = [one for one in producers if one.missing_count]
    where = "in flight, lost, or in hours that cannot be read" if around.unreadable else "in flight or lost"
    if around.nameless >= sum(one.missing_count for one in lacking):
        return []
    return [
        f"{one.producer_id}/{one.epoch} lacks {_short(one.missing)} of its numbers up to {one.known:,}, "
        f"which are {where}{until}"
        for one in lacking
    ]


def not_looked_at(around: Around, inexact: str) -> tuple[str, ...]:
    """What the receipt does not know, and why."""
    hours = (f"numbers in {hour}: {reason}" for hour, reason in sorted(around.unreadable.items()))
    return (*around.unknown, *hours, *([inexact] if inexact else []))


def findings(*, lost: str, gap: Sequence[str], untraced: str, quarantined: str) -> tuple[str, ...]:
    """What keeps the number from being whole, the gravest first."""
    found = [f"LOST: {lost}"] if lost else []
    found += [f"GAP: {each}" for each in gap]
    found += [f"QUARANTINED: {quarantined}"] if quarantined else []
    return (*found, *([f"NOT TRACED: {untraced}"] if untraced else []))


def headline(cell: Cell, value: Any, events: int, found: Sequence[str], unknown: Sequence[str]) -> str:
    """The first line."""
    number = f"{cell} = {shown(value)}"
    if found:
        return f"{found[0]} [{number}]"
    rest = "" if not unknown else f"; not looked at: {len(unknown)}"
    return f"WHOLE: {number}, from {events:,} events that give it alone; nothing of it is missing{rest}"


def same_value(published: Any, computed: Any) -> bool:
    """Whether two values are the same number; sums of doubles depend on their order in the last digits."""
    if isinstance(published, float) or isinstance(computed, float):
        if published is None or computed is None:
            return published is computed
        return math.isclose(published, computed, rel_tol=1e-9, abs_tol=1e-12) or published == computed
    if isinstance(published, Decimal) or isinstance(computed, Decimal):
        return bool(published == computed)
    return type(published) is type(computed) and bool(published == computed)


def json_value(value: Any) -> Any:
    """The value as JSON has it."""
    return str(value) if isinstance(value, datetime | date | Decimal) else plain(value)


def digest(cell: Cell, version: Version) -> str:
    """Equal for two receipts of the same cell that had the same input, SQL and value."""
    said = [
        cell.report.name,
        cell.partition,
        {name: shown(value) for name, value in cell.keys.items()},
        cell.column,
        version.value,
        version.input_digest,
        version.sql_sha,
    ]
    return sha256(json.dumps(said, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _short(numbers: str, most: int = 120) -> str:
    return numbers if len(numbers) <= most else f"{numbers[:most]}… (all of them with --json)"

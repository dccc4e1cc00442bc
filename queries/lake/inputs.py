"""What the lake holds for report partitions, and whether that can be what the lake was given."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType

from queries.contracts import Report
from queries.hours import ranges
from queries.lake.port import LakeIndex, Listed, summarize
from queries.ledger.state import Input, PartitionState
from queries.partitions import LakeHour, input_hours, input_of
from transforms.contracts import LakeTable

NO_REFERENCES: Mapping[str, str] = MappingProxyType({})
"""Of a report that joins no reference table."""
LISTED_OVER = 24
"""Hours that are not asked for, but listed all the same when they lie between two that are."""
SHOWN = 3
"""Objects and hours that a reason names."""


def read_objects(
    lake: LakeIndex, report: Report, partitions: Sequence[str]
) -> Mapping[LakeHour, Sequence[Listed]]:
    """List the hours that these partitions read, and those between them where that takes fewer requests."""
    objects: dict[LakeHour, Sequence[Listed]] = {}
    for first, last in ranges(input_hours(report, partitions), over=LISTED_OVER):
        for table in report.sources:
            listed = lake.objects(table, first, last)
            objects |= {LakeHour(table, hour): found for hour, found in listed.items()}
    return objects


def read_inputs(
    lake: LakeIndex, report: Report, partitions: Sequence[str], references: Mapping[str, str] = NO_REFERENCES
) -> dict[str, Input]:
    """List the hours that these partitions read, and sum them up for each partition."""
    return inputs_of(report, partitions, read_objects(lake, report, partitions), references)


def inputs_of(
    report: Report,
    partitions: Sequence[str],
    objects: Mapping[LakeHour, Sequence[Listed]],
    references: Mapping[str, str] = NO_REFERENCES,
) -> dict[str, Input]:
    """The input of each of these partitions, from the objects of their hours and the versions of the
    reference tables.
    """
    hours = {hour: held for hour, listed in objects.items() if (held := summarize(listed)).objects}
    return {partition: combine(report, partition, hours, references) for partition in partitions}


def combine(
    report: Report,
    partition: str,
    hours: Mapping[LakeHour, Input],
    references: Mapping[str, str] = NO_REFERENCES,
) -> Input:
    """The partition's input, from that of the hours of its tables, and the versions of the reference tables
    that its report joins.
    """
    found = [(_label(report, hour), hours[hour]) for hour in input_of(report, [partition]) if hour in hours]
    if not found:
        return Input()
    parts = [f"{name}|{one.digest}" for name, one in found]
    parts += [f"{table}@{location}" for table, location in sorted(references.items())]
    digest = sha256("\n".join(parts).encode()).hexdigest()[:20]
    return Input(
        objects=sum(one.objects for _, one in found),
        bytes=sum(one.bytes for _, one in found),
        newest=max(one.newest for _, one in found),
        digest=digest,
        by_hour={name: one.objects for name, one in found},
        references=references,
    )


def _label(report: Report, hour: LakeHour) -> str:
    """The hour's name in an input: with its table where the report reads several."""
    return hour.hour if len(report.sources) == 1 else f"{hour.table}/{hour.hour}"


def _is_read(report: Report, label: str) -> bool:
    """Whether the hour of this name is of a table that the report reads today."""
    table, of_several, _ = label.rpartition("/")
    reads_several = len(report.sources) > 1
    return reads_several and table in report.sources if of_several else not reads_several


def shrunk(report: Report, before: Input | None, now: Input) -> str:
    """What the input lacks that it had before: hours with fewer objects; empty when it lacks nothing (pure).

    Nothing in the pipeline ever deletes an object of the lake. What was read of tables that the report reads
    no more is not missed.
    """
    if before is None:
        return ""
    fewer = [
        f"the hour {hour} had {count} objects and has {now.by_hour.get(hour, 0)}"
        for hour, count in sorted(before.by_hour.items())
        if now.by_hour.get(hour, 0) < count and _is_read(report, hour)
    ]
    if not before.by_hour and now.objects < before.objects:
        fewer = [f"it had {before.objects} objects and has {now.objects}"]
    return _sentence("Objects of the lake are gone", fewer)


def damaged(
    lake: LakeIndex,
    report: Report,
    tables: Sequence[LakeTable],
    states: Sequence[PartitionState],
    objects: Mapping[LakeHour, Sequence[Listed]],
) -> dict[str, str]:
    """By partition, what is wrong with objects that its published version was not computed from; empty when
    nothing is.

    Only their footers are read, and that of the oldest one: columns are added to a table and never taken
    away, so an object has every column that an older one has. All of them are read at once: of a year of
    hours, each is a request.
    """
    looks = {
        state.partition: [
            _New(
                table,
                [one for hour in hours for one in objects.get(hour, ()) if hour.table == table.name],
                since,
            )
            for table in tables
        ]
        for state in states
        for hours in [input_of(report, [state.partition])]
        for since in [state.published.input.newest if state.published else -1]
    }
    columns = lake.columns(
        dict.fromkeys(one for found in looks.values() for each in found for one in each.read)
    )
    return {
        partition: _sentence(
            "Objects of the lake cannot be what was delivered",
            [text for each in found for text in each.wrong(columns)],
        )
        for partition, found in looks.items()
    }


class _New:
    """A table's objects in a partition's input, of which those modified after `since` are looked at."""

    def __init__(self, table: LakeTable, listed: Sequence[Listed], since: int) -> None:
        new = [one for one in listed if one.modified > since]
        self._table, self._empty = table, [one.key for one in new if not one.bytes]
        self._new = [one for one in new if one.bytes]
        self._oldest = min((one for one in listed if one.bytes), key=lambda one: one.modified, default=None)

    @property
    def read(self) -> Sequence[Listed]:
        """The objects whose footers are needed."""
        return [*self._new, *([self._oldest] if self._oldest and self._new else [])]

    def wrong(self, columns: Mapping[str, Sequence[str] | str]) -> list[str]:
        """What is wrong with them, by what is in their footers."""
        wrong = [f"{key} is empty" for key in self._empty]
        wanted = required = set(required_columns(self._table))
        if self._oldest and self._new and not isinstance(older := columns[self._oldest.key], str):
            wanted = required | set(older)
        for one in self._new:
            found = columns[one.key]
            if isinstance(found, str):
                wrong.append(f"{one.key} {found}")
            elif lacking := sorted((wanted if one != self._oldest else required) - set(found)):
                wrong.append(f"{one.key} lacks {_some(lacking, 'columns')}")
        return wrong


def required_columns(table: LakeTable) -> list[str]:
    """Columns that every object of the lake table has had from the first day on."""
    return [
        column.name
        for column in table.columns
        if column not in table.payload_columns and column.name not in table.personal_columns
    ]


def _sentence(what: str, found: Sequence[str]) -> str:
    if not found:
        return ""
    found = ["".join(c if c.isprintable() else "?" for c in text) for text in found]
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return (
        f"{what}: {'; '.join(found[:SHOWN])}{more}. Bring them back, or accept the loss: see docs/recovery.md"
    )


def _some(names: Iterable[str], noun: str) -> str:
    listed = list(names)
    if len(listed) <= SHOWN:
        return f"the {noun} {', '.join(listed)}" if len(listed) > 1 else f"the column {listed[0]}"
    return f"{len(listed)} {noun}, {listed[0]} among them"

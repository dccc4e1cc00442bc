"""Notifications that never came: the lake is listed and compared with what partitions were computed from."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from queries.contracts import Report
from queries.hours import hour_of, parse_hour
from queries.lake.inputs import combine
from queries.lake.port import LakeIndex
from queries.ledger.port import LedgerTable
from queries.ledger.state import Input, PartitionState
from queries.partitions import Key, LakeHour, stale_partitions, window
from queries.refresh.catalog import ReportQuery
from queries.refresh.freshness import complete_at
from queries.refresh.rendering import sql_sha


class Swept(NamedTuple):
    """What a comparison with the lake found: partitions to mark, and every one that it read in the ledger."""

    lost: list[Key]
    known: Mapping[Key, PartitionState]


class Sweep:
    """Finds partitions that the lake, or their SQL, has moved away from."""

    def __init__(
        self,
        ledger: LedgerTable,
        lake: LakeIndex,
        queries: Mapping[str, ReportQuery],
        references: Callable[[Report], Mapping[str, str]] = lambda _: {},
    ) -> None:
        """`references` gives the versions of the reference tables that a report joins."""
        self._ledger, self._lake, self._queries, self._references = ledger, lake, queries, references

    def compare(
        self, *, since: datetime | None, now: int, known: Mapping[Key, PartitionState] | None = None
    ) -> Swept:
        """Partitions whose input changed without anybody marking them, or has just become complete.

        Looks at the partitions from `since` (the start of a day; at all when None) to `now` (epoch ms). With
        `known` the ledger is not read: they are all that is in it. A partition that is stale already is not
        among the lost, nor one whose last try failed on this very input.
        """
        sources = {source for query in self._queries.values() for source in query.report.sources}
        # A day more than asked for: a report's context may reach into it.
        first = "" if since is None else hour_of(since - timedelta(days=1))
        hours = {
            LakeHour(source, hour): held
            for source in sorted(sources)
            for hour, held in self._lake.hours(source, first).items()
        }
        keys = self._keys(hours, since)
        states = self._ledger.partitions(keys) if known is None else known
        keys += self._emptied(keys, known or {})
        versions = {name: self._references(query.report) for name, query in self._queries.items()}
        lost = []
        for key in keys:
            report = self._queries[key.report].report
            found = combine(report, key.partition, hours, versions[key.report])
            if self._is_lost(states.get(key), found, now):
                lost.append(key)
        return Swept(lost, states)

    def _emptied(self, listed: list[Key], known: Mapping[Key, PartitionState]) -> list[Key]:
        """Partitions that were computed from objects, of which the lake has none at all any more."""
        there = set(listed)
        return [
            key
            for key, state in known.items()
            if key.report in self._queries
            and key not in there
            and state.published is not None
            and state.published.input.objects
        ]

    def _keys(self, hours: Iterable[LakeHour], since: datetime | None) -> list[Key]:
        return [
            key
            for key in stale_partitions(
                (hour for hour in hours if since is None or parse_hour(hour.hour) >= since),
                [query.report for query in self._queries.values()],
            )
            if since is None or window(self._queries[key.report].report, key.partition)[0] >= since
        ]

    def _is_lost(self, state: PartitionState | None, found: Input, now: int) -> bool:
        if state is None:
            return True
        if state.quarantined:
            return found.digest != state.judged_input
        return not state.is_stale and (
            found.digest != state.judged_input or self._has_become_complete(state, found, now)
        )

    def _has_become_complete(self, state: PartitionState, found: Input, now: int) -> bool:
        """Whether what it was computed from, still the same, did not count as complete then and does now.

        Looking once more costs no query; readers then know that nothing else is awaited.
        """
        query, published = self._queries[state.report], state.published
        return (
            published is not None
            and not query.waits_for_lateness
            and published.input.digest == found.digest
            and published.sql_sha == sql_sha(query)
            and published.as_of < complete_at(query.report, state.partition) <= now
        )

    def repaired(self, known: Iterable[PartitionState]) -> list[Key]:
        """Those of these partitions that were quarantined under SQL that is another by now."""
        return [
            state.key
            for state in known
            if state.quarantined and state.judged_sql != sql_sha(self._queries[state.report])
        ]


def whole_days(now: int, hours_back: int) -> datetime:
    """The start of the day that `now` (epoch ms), less so many hours, lies in."""
    moment = datetime.fromtimestamp(now / 1000, UTC) - timedelta(hours=hours_back)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)

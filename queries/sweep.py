"""Notifications that never came: the lake is listed and compared with what partitions were computed from."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from queries.catalog import ReportQuery
from queries.contracts import Report
from queries.freshness import complete_at
from queries.hours import hour_of, parse_hour
from queries.inputs import combine
from queries.lake_index import LakeIndex
from queries.ledger import Input, PartitionState
from queries.ledger_table import LedgerTable
from queries.partitions import Key, LakeHour, stale_partitions, window
from queries.rendering import sql_sha


class Sweep:
    """Finds partitions that the lake, or their SQL, has moved away from."""

    def __init__(self, ledger: LedgerTable, lake: LakeIndex, queries: Mapping[str, ReportQuery]) -> None:
        self._ledger, self._lake, self._queries = ledger, lake, queries

    def lost(self, *, now: int, hours_back: int | None = None) -> list[Key]:
        """Partitions whose input changed without anybody marking them, or has just become complete.

        Looks at the partitions of the last `hours_back` hours (at all when None) before `now` (epoch ms), in
        whole days. A partition that is stale already is not among them, nor one whose last try failed on this
        very input.
        """
        since = None
        if hours_back is not None:
            moment = datetime.fromtimestamp(now / 1000, UTC) - timedelta(hours=hours_back)
            since = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        by_source: dict[str, list[Report]] = {}
        for query in self._queries.values():
            by_source.setdefault(query.report.source, []).append(query.report)
        return [
            key for source in sorted(by_source) for key in self._lost(source, by_source[source], since, now)
        ]

    def _lost(self, source: str, reports: list[Report], since: datetime | None, now: int) -> list[Key]:
        # A day more than asked for: a report's context may reach into it.
        first = "" if since is None else hour_of(since - timedelta(days=1))
        hours = dict(self._lake.hours(source, first))
        keys = [
            key
            for key in stale_partitions(
                (LakeHour(source, hour) for hour in hours if since is None or parse_hour(hour) >= since),
                reports,
            )
            if since is None or window(self._queries[key.report].report.grain, key.partition)[0] >= since
        ]
        known = self._ledger.partitions(keys)
        lost = []
        for key in keys:
            state = known.get(key)
            report = self._queries[key.report].report
            found = combine(report, key.partition, hours)
            if state is None or (
                not state.is_stale
                and (found.digest != state.judged_input or self._has_become_complete(state, found, now))
            ):
                lost.append(key)
        return lost

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

    def repaired(self) -> list[Key]:
        """Partitions that were set aside under SQL that is another by now."""
        return [
            state.key
            for name, query in self._queries.items()
            for state in self._ledger.report(name)
            if state.quarantined and state.judged_sql != sql_sha(query)
        ]

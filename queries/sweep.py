"""Notifications that never came: the lake is listed and compared with what partitions were computed from."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from queries.catalog import ReportQuery
from queries.contracts import Report
from queries.hours import hour_of, parse_hour
from queries.inputs import combine
from queries.lake_index import LakeIndex
from queries.ledger_table import LedgerTable
from queries.partitions import Key, LakeHour, stale_partitions, window
from queries.rendering import sql_sha


class Sweep:
    """Finds partitions that the lake, or their SQL, has moved away from."""

    def __init__(self, ledger: LedgerTable, lake: LakeIndex, queries: Mapping[str, ReportQuery]) -> None:
        self._ledger, self._lake, self._queries = ledger, lake, queries

    def lost(self, *, now: int, hours_back: int | None = None) -> list[Key]:
        """Partitions whose input changed without anybody marking them.

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
        return [key for source in sorted(by_source) for key in self._lost(source, by_source[source], since)]

    def _lost(self, source: str, reports: list[Report], since: datetime | None) -> list[Key]:
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
            found = combine(self._queries[key.report].report, key.partition, hours)
            if state is None or (not state.is_stale and found.digest != state.judged_input):
                lost.append(key)
        return lost

    def repaired(self) -> list[Key]:
        """Partitions that were set aside under SQL that is another by now."""
        return [
            state.key
            for name, query in self._queries.items()
            for state in self._ledger.report(name)
            if state.quarantined and state.judged_sql != sql_sha(query)
        ]

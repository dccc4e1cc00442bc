"""A report on the pipeline's own health for any stream: duplicates, lateness and lag (pure).

It reads columns of the envelope alone, which every lake table has.
"""

from collections.abc import Mapping
from string import Template

from transforms.contracts import LakeTable

_SQL = Template("""-- report:   $report
-- title:    $title
-- owner:    $owner
-- source:   $table
-- dedupe:   none
-- grain:    event_hour
-- columns:  events bigint, duplicates bigint, late bigint, p50_lag_seconds double, p95_lag_seconds double
-- checks:   rows between 0 and 1, not_null(events), events >= 1, duplicates >= 0, late <= events
WITH copies AS (
    SELECT event_hour,
           event_id,
           is_late,
           date_diff('millisecond', event_time, arrival_time) / 1000.0e0 AS lag_seconds,
           row_number() OVER (PARTITION BY event_hour, event_id
                              ORDER BY arrival_time, producer_id, epoch, seq) AS copy,
           row_number() OVER (PARTITION BY event_hour, producer_id, epoch, seq, event_id
                              ORDER BY arrival_time) AS delivery
    FROM $table
    WHERE seq > 0
)
SELECT event_hour,
       count_if(copy = 1)                                             AS events,
       count_if(delivery > 1)                                         AS duplicates,
       count_if(copy = 1 AND is_late)                                 AS late,
       approx_percentile(CASE WHEN copy = 1 THEN lag_seconds END, 0.5e0)  AS p50_lag_seconds,
       approx_percentile(CASE WHEN copy = 1 THEN lag_seconds END, 0.95e0) AS p95_lag_seconds
FROM copies
GROUP BY event_hour
""")


class UnknownStreamError(LookupError):
    """The project has no stream of that name, or several and none is named."""


def table_of(tables: Mapping[str, LakeTable], stream: str | None) -> LakeTable:
    """The lake table of that stream; the only one without a name. Raises UnknownStreamError."""
    by_stream = {table.stream.name: table for table in tables.values()}
    if stream is None and len(by_stream) == 1:
        return next(iter(by_stream.values()))
    if stream is None:
        raise UnknownStreamError(
            f"The project has several streams: {', '.join(by_stream)}. Name one with --stream."
        )
    if stream not in by_stream:
        raise UnknownStreamError(f"The project has no stream {stream!r}. It has: {', '.join(by_stream)}.")
    return by_stream[stream]


def health_sql(table: LakeTable) -> tuple[str, str]:
    """(the report's name, its SQL) for this table."""
    stream = table.stream
    name = stream.named("health", "_")
    title = "Pipeline health" if stream.plain_names else f"Pipeline health of {stream.name}"
    owner = stream.owner or "data-platform"
    return name, _SQL.substitute(report=name, title=title, owner=owner, table=table.name)

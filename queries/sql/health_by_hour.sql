-- report:   health_by_hour
-- title:    Pipeline health by hour
-- owner:    data-platform
-- source:   web_events
-- dedupe:   none
-- grain:    event_hour
-- columns:  events bigint, duplicates bigint, late bigint, p50_lag_seconds double, p95_lag_seconds double
-- checks:   rows between 0 and 1, not_null(events), events >= 1, duplicates >= 0, late <= events
WITH copies AS (
    SELECT event_hour,
           event_id,
           is_late,
           date_diff('millisecond', event_time, arrival_time) / 1000.0e0 AS lag_seconds,
           row_number() OVER (PARTITION BY event_hour, event_id ORDER BY arrival_time, producer_id, epoch, seq) AS copy,
           row_number() OVER (PARTITION BY event_hour, producer_id, epoch, seq, event_id ORDER BY arrival_time) AS delivery
    FROM web_events
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

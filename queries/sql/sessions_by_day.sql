-- report:   sessions_by_day
-- title:    Sessions by day
-- owner:    web-analytics
-- source:   web_events
-- grain:    event_date
-- columns:  sessions bigint, bounces bigint, median_seconds double, p95_seconds double
-- checks:   rows between 0 and 1, not_null(sessions), sessions >= 1, bounces <= sessions
WITH views AS (
    SELECT event_date,
           client_key,
           event_time,
           lag(event_time) OVER (PARTITION BY event_date, client_key ORDER BY event_time) AS previous_time
    FROM web_events
    WHERE event_type = 'page_viewed' AND client_key IS NOT NULL
),
numbered AS (
    SELECT event_date,
           client_key,
           event_time,
           sum(CASE WHEN previous_time IS NULL OR event_time > previous_time + INTERVAL '30' MINUTE THEN 1 ELSE 0 END)
               OVER (PARTITION BY event_date, client_key ORDER BY event_time ROWS UNBOUNDED PRECEDING) AS session_number
    FROM views
),
sessions AS (
    SELECT event_date,
           count(*)                                                   AS page_views,
           date_diff('millisecond', min(event_time), max(event_time)) / 1000.0e0 AS seconds
    FROM numbered
    GROUP BY event_date, client_key, session_number
)
SELECT event_date,
       count(*)                              AS sessions,
       count_if(page_views = 1)              AS bounces,
       approx_percentile(seconds, 0.5e0)     AS median_seconds,
       approx_percentile(seconds, 0.95e0)    AS p95_seconds
FROM sessions
GROUP BY event_date

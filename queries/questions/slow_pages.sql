-- title: Slow pages
-- says:  The pages of the last 24 hours that take longest to answer, with how many views that is.
SELECT path, count(*) AS page_views, approx_percentile(duration_ms, 0.95e0) AS p95_duration_ms
FROM page_viewed
WHERE event_hour >= date_format(current_timestamp - INTERVAL '24' HOUR, '%Y-%m-%d-%H')
  AND duration_ms IS NOT NULL
GROUP BY path
ORDER BY p95_duration_ms DESC, path
LIMIT 50

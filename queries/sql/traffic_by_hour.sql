-- report:   traffic_by_hour
-- title:    Traffic by hour
-- owner:    web-analytics
-- source:   web_events
-- grain:    event_hour
-- columns:  page_views bigint, visitors bigint, bytes_sent bigint, errors bigint
-- checks:   rows between 0 and 1, not_null(page_views), page_views >= 0, errors <= page_views
SELECT event_hour,
       count(*)                                       AS page_views,
       count(DISTINCT client_key)                     AS visitors,
       coalesce(sum(page_viewed.bytes_sent), 0)       AS bytes_sent,
       count_if(page_viewed.status >= 400)            AS errors
FROM web_events
WHERE event_type = 'page_viewed'
GROUP BY event_hour

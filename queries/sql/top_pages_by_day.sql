-- report:   top_pages_by_day
-- title:    Pages by day
-- owner:    web-analytics
-- source:   web_events
-- grain:    event_date
-- columns:  path varchar, page_views bigint, visitors bigint
-- keys:     path
-- checks:   unique(path), not_null(path), page_views >= 1
SELECT event_date,
       page_viewed.path           AS path,
       count(*)                   AS page_views,
       count(DISTINCT client_key) AS visitors
FROM web_events
WHERE event_type = 'page_viewed'
  AND page_viewed.path IS NOT NULL
GROUP BY event_date, page_viewed.path

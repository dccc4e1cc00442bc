-- title: Page views by hour
-- says:  Page views and visitors of the last 24 hours, from the events themselves.
SELECT event_hour, count(*) AS page_views, count(DISTINCT client_key) AS visitors
FROM page_viewed
WHERE event_hour >= date_format(current_timestamp - INTERVAL '24' HOUR, '%Y-%m-%d-%H')
GROUP BY event_hour
ORDER BY event_hour

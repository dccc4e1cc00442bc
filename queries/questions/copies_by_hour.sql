-- title: Copies by hour
-- says:  How many rows of the last 24 hours are copies of an event that came before; views leave them out.
SELECT event_hour, count(*) AS arrived, count(DISTINCT event_id) AS events, count(*) - count(DISTINCT event_id) AS copies
FROM web_events
WHERE event_hour >= date_format(current_timestamp - INTERVAL '24' HOUR, '%Y-%m-%d-%H')
GROUP BY event_hour
ORDER BY event_hour

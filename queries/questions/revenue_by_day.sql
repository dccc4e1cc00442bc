-- title: Revenue by day
-- says:  Orders and revenue of the last 30 days in each currency, from the report orders_by_hour.
SELECT substr(event_hour, 1, 10) AS event_date, currency, sum(orders) AS orders, sum(revenue_minor) AS revenue_minor
FROM orders_by_hour
WHERE event_hour >= date_format(current_timestamp - INTERVAL '30' DAY, '%Y-%m-%d-%H')
GROUP BY substr(event_hour, 1, 10), currency
ORDER BY event_date, currency

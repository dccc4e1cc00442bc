-- report:   funnel_by_day
-- title:    From page to order
-- owner:    shop-analytics
-- source:   web_events
-- grain:    event_date
-- columns:  step varchar, visitors bigint, rate double
-- keys:     step
-- checks:   unique(step), not_null(step), visitors >= 0, rate >= 0
WITH steps (step, event_type) AS (
    VALUES ('1 page', 'page_viewed'), ('2 product', 'product_viewed'), ('3 cart', 'cart_updated'), ('4 order', 'order_placed')
),
reached AS (
    SELECT event_date, event_type, count(DISTINCT client_key) AS visitors
    FROM web_events
    WHERE event_type IN ('page_viewed', 'product_viewed', 'cart_updated', 'order_placed')
    GROUP BY event_date, event_type
),
dates AS (
    SELECT DISTINCT event_date FROM reached
),
counted AS (
    SELECT dates.event_date, steps.step, coalesce(reached.visitors, 0) AS visitors
    FROM dates
    CROSS JOIN steps
    LEFT JOIN reached ON reached.event_date = dates.event_date AND reached.event_type = steps.event_type
)
SELECT event_date,
       step,
       visitors,
       CAST(visitors AS double) / nullif(max(CASE WHEN step = '1 page' THEN visitors END) OVER (PARTITION BY event_date), 0) AS rate
FROM counted

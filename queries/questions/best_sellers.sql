-- title: Best sellers
-- says:  Products ordered in the last 24 hours, by currency: pieces and what they brought.
SELECT currency, item.product_id, sum(item.quantity) AS pieces, sum(item.quantity * item.price_minor) AS revenue_minor
FROM order_placed
CROSS JOIN UNNEST(items) AS item (product_id, quantity, price_minor)
WHERE event_hour >= date_format(current_timestamp - INTERVAL '24' HOUR, '%Y-%m-%d-%H')
GROUP BY currency, item.product_id
ORDER BY revenue_minor DESC, product_id
LIMIT 50

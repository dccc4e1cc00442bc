-- source:      stripe
-- title:       Webhooks of Stripe: orders that were paid in Stripe Checkout
-- owner:       shop-analytics
-- stream:      web
-- event:       order_placed
-- format:      ndjson
-- webhook:     stripe
-- event_time:  to_timestamp(CAST(created AS BIGINT))
-- key:         id
SELECT data->>'$.object.client_reference_id' AS order_id,
       -- The shop's own server made the checkout, and wrote there who asked.
       data->>'$.object.metadata.client_address' AS client_address,
       data->>'$.object.metadata.user_id' AS user_id,
       data->>'$.object.metadata.items' AS items,
       data->>'$.object.amount_total' AS total_minor,
       upper(data->>'$.object.currency') AS currency
FROM file
WHERE type = 'checkout.session.completed'

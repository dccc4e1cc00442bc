-- source:      access_log
-- title:       Access logs of nginx (main, combined), Apache (common, combined, vhost_combined) and Traefik
-- owner:       shop-analytics
-- stream:      web
-- event:       page_viewed
-- format:      access-log
-- event_time:  time
SELECT target AS url,
       client_address,
       status,
       referrer,
       user_agent,
       "user" AS user_id,
       bytes_sent
FROM file

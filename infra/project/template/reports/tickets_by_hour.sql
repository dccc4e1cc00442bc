-- report:   tickets_by_hour
-- title:    Tickets by hour
-- owner:    support
-- source:   support_events
-- grain:    event_hour
-- columns:  topic varchar, opened bigint, closed bigint, average_open_minutes double
-- keys:     topic
-- checks:   unique(topic), not_null(topic), opened >= 0, closed >= 0
SELECT event_hour,
       coalesce(ticket_opened.topic, ticket_closed.topic)  AS topic,
       count_if(event_type = 'ticket_opened')              AS opened,
       count_if(event_type = 'ticket_closed')              AS closed,
       avg(ticket_closed.open_minutes)                     AS average_open_minutes
FROM support_events
WHERE event_type IN ('ticket_opened', 'ticket_closed')
GROUP BY event_hour, coalesce(ticket_opened.topic, ticket_closed.topic)

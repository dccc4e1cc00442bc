-- report:   temperatures_by_hour
-- title:    Temperatures by hour
-- owner:    cold-rooms
-- source:   sensors_events
-- grain:    event_hour
-- columns:  room varchar, readings bigint, highest_tenths bigint
-- keys:     room
-- checks:   unique(room), not_null(room), readings >= 1
SELECT event_hour,
       temperature_read.room        AS room,
       count(*)                     AS readings,
       max(temperature_read.tenths) AS highest_tenths
FROM sensors_events
WHERE event_type = 'temperature_read'
GROUP BY event_hour, temperature_read.room

-- report:   departures_by_local_day
-- title:    Departures by day of New York and airport
-- owner:    airports
-- source:   flights_events
-- grain:    event_date in America/New_York
-- columns:  origin varchar, flights bigint, cancelled bigint, delay_minutes bigint
-- keys:     origin
-- checks:   unique(origin), not_null(origin), flights >= 1, cancelled <= flights
SELECT event_date,
       flight_scheduled.origin                                AS origin,
       count(*)                                               AS flights,
       count_if(flight_scheduled.departure_delay IS NULL)     AS cancelled,
       coalesce(sum(flight_scheduled.departure_delay), 0)     AS delay_minutes
FROM flights_events
WHERE event_type = 'flight_scheduled'
GROUP BY event_date, flight_scheduled.origin

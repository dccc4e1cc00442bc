-- report:   carriers_by_day
-- title:    Departures by day and carrier
-- owner:    airports
-- source:   flights_events
-- grain:    event_date
-- columns:  carrier varchar, flights bigint, cancelled bigint, delay_minutes bigint
-- keys:     carrier
-- checks:   unique(carrier), not_null(carrier), flights >= 1, cancelled <= flights
SELECT event_date,
       flight_scheduled.carrier                               AS carrier,
       count(*)                                               AS flights,
       count_if(flight_scheduled.departure_delay IS NULL)     AS cancelled,
       coalesce(sum(flight_scheduled.departure_delay), 0)     AS delay_minutes
FROM flights_events
WHERE event_type = 'flight_scheduled'
GROUP BY event_date, flight_scheduled.carrier

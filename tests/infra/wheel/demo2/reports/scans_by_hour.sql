-- report:   scans_by_hour
-- title:    Scans by hour
-- owner:    depots
-- source:   parcels_events
-- grain:    event_hour
-- columns:  depot varchar, scans bigint, grams bigint
-- keys:     depot
-- checks:   unique(depot), not_null(depot), scans >= 1
SELECT event_hour,
       parcel_scanned.depot      AS depot,
       count(*)                  AS scans,
       sum(parcel_scanned.grams) AS grams
FROM parcels_events
WHERE event_type = 'parcel_scanned'
GROUP BY event_hour, parcel_scanned.depot

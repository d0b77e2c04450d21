-- The ten queries of the README, each ended by a semicolon.

-- 1. How full is every floor?
SELECT name, free, total_slots, occupancy_percentage FROM v_floors WHERE is_active AND NOT is_deleted ORDER BY free DESC;

-- 2. The last twenty events, in local time
SELECT time_local, floor, direction, vehicle_type, camera_id FROM v_events_local ORDER BY timestamp DESC LIMIT 20;

-- 3. Today by the hour
SELECT hour_local, floor, entries, exits FROM v_hourly WHERE hour >= unixepoch('now', 'localtime', 'start of day', 'utc') * 1000000;

-- 4. Entries and exits of each of the last 30 days
SELECT date(hour_local) AS day, sum(entries) AS entries, sum(exits) AS exits FROM v_hourly
WHERE hour >= unixepoch('now', '-30 days') * 1000000 GROUP BY day ORDER BY day;

-- 5. The busiest hours of the day, over the last year
SELECT strftime('%H', hour_local) AS hour_of_day, sum(entries + exits) AS events FROM v_hourly
WHERE hour >= unixepoch('now', '-1 year') * 1000000 GROUP BY hour_of_day ORDER BY events DESC LIMIT 5;

-- 6. What kinds of vehicles come, by floor
SELECT floor, sum(car) AS cars, sum(motorcycle) AS motorcycles, sum(truck) AS trucks, sum(bus) AS buses FROM v_hourly GROUP BY floor;

-- 7. Drift: how often was a floor's count off, and by how much
SELECT f.name, a.reason, count(*) AS times, sum(a.delta) AS vehicles
FROM adjustments a JOIN floors f ON f.id = a.floor_id GROUP BY f.name, a.reason;

-- 8. Does each count agree with its ledger?
SELECT f.name, f.current_vehicles,
       f.opening_vehicles + coalesce((SELECT sum(entries - exits) FROM event_hourly h WHERE h.floor_id = f.id), 0)
                          + coalesce((SELECT sum(delta) FROM adjustments a WHERE a.floor_id = f.id), 0) AS ledger
FROM floors f;

-- 9. Is a camera silent? The last event of each
SELECT camera_id, datetime(max(timestamp) / 1000000, 'unixepoch', 'localtime') AS last_event FROM events GROUP BY camera_id;

-- 10. Who changed something this week?
SELECT datetime(at / 1000000, 'unixepoch', 'localtime') AS time_local, actor, action, subject, before, after, note
FROM audit_log WHERE at >= unixepoch('now', '-7 days') * 1000000 ORDER BY id DESC;

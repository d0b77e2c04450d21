"""Migrates version 1 to 2: soft deletion, clock state, actors, audit log, hourly totals, indexes for time ranges.

The statements are plain SQL, because the models will change later and a released migration must not.
"""

from __future__ import annotations

NAME = "hourly totals, audit log, soft deletion"

_HOUR = "(timestamp - ((timestamp % 3600000000) + 3600000000) % 3600000000)"


def _sum(vehicle_type: str) -> str:
    return f"sum(vehicle_type = '{vehicle_type}')"


STATEMENTS = (
    "ALTER TABLE floors ADD COLUMN deleted_at INTEGER",
    "ALTER TABLE floors ADD COLUMN is_configured INTEGER NOT NULL DEFAULT TRUE",
    "CREATE INDEX floor_is_active ON floors (is_active)",
    "CREATE INDEX floor_updated_at ON floors (updated_at)",
    (
        "ALTER TABLE events ADD COLUMN clock_state TEXT NOT NULL DEFAULT 'unknown'"
        " CHECK (clock_state IN ('synchronised', 'unsynchronised', 'unknown'))"
    ),
    "CREATE INDEX event_camera_id_timestamp ON events (camera_id, timestamp)",
    "CREATE INDEX event_timestamp ON events (timestamp)",
    "ALTER TABLE adjustments ADD COLUMN actor TEXT NOT NULL DEFAULT ''",
    # A clamp now has the time of its event, no longer that of the recording.
    (
        "UPDATE adjustments SET at = (SELECT timestamp FROM events e WHERE e.event_id = adjustments.event_id)"
        " WHERE EXISTS (SELECT 1 FROM events e WHERE e.event_id = adjustments.event_id)"
    ),
    # The id is computed from a key that is unique already; its index was a page more for each event.
    "DROP INDEX event_event_id",
    "DROP INDEX adjustment_floor_id",
    "CREATE INDEX adjustment_floor_id_at ON adjustments (floor_id, at)",
    (
        "CREATE TABLE event_hourly (hour INTEGER NOT NULL, floor_id INTEGER NOT NULL, entries INTEGER NOT NULL,"
        " exits INTEGER NOT NULL, car INTEGER NOT NULL, motorcycle INTEGER NOT NULL, bus INTEGER NOT NULL,"
        " truck INTEGER NOT NULL, bicycle INTEGER NOT NULL, other INTEGER NOT NULL, confidence_sum REAL NOT NULL,"
        " removed_entries INTEGER NOT NULL DEFAULT 0, removed_exits INTEGER NOT NULL DEFAULT 0,"
        " PRIMARY KEY (hour, floor_id), FOREIGN KEY (floor_id) REFERENCES floors (id) ON DELETE CASCADE,"
        " CHECK (hour % 3600000000 = 0), CHECK (entries >= 0 AND exits >= 0),"
        " CHECK (entries + exits = car + motorcycle + bus + truck + bicycle + other),"
        " CHECK (removed_entries >= 0 AND removed_entries <= entries),"
        " CHECK (removed_exits >= 0 AND removed_exits <= exits)) WITHOUT ROWID"
    ),
    "CREATE INDEX eventhourly_floor_id ON event_hourly (floor_id)",
    (
        f"INSERT INTO event_hourly SELECT {_HOUR}, floor_id, sum(direction = 'entry'), sum(direction = 'exit'),"
        f" {_sum('car')}, {_sum('motorcycle')}, {_sum('bus')}, {_sum('truck')}, {_sum('bicycle')}, {_sum('other')},"
        f" sum(confidence), 0, 0 FROM events GROUP BY {_HOUR}, floor_id"
    ),
    (
        "CREATE TABLE audit_log (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
        " actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, before TEXT, after TEXT,"
        " note TEXT NOT NULL,"
        " CHECK (actor <> ''), CHECK (action <> ''))"
    ),
    (
        "CREATE TABLE schema_migrations (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL,"
        " applied_at INTEGER NOT NULL, program_version TEXT NOT NULL)"
    ),
    # When version 1 was created is not stored in it.
    ("INSERT INTO schema_migrations SELECT 1, 'created', coalesce(min(created_at), 0), '0.1.0' FROM floors"),
)

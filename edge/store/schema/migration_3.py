"""Migrates version 2 to 3: blind intervals, clock changes, the order of events after a step, the clock state `stepped`.

The statements are plain SQL, because the models will change later and a released migration must not.
"""

from __future__ import annotations

NAME_OF_3 = "blind intervals, clock changes"

STATEMENTS_OF_3 = (
    # SQLite cannot change a constraint. To write the table's definition is the way that its documentation gives for a
    # change that concerns no stored row (https://sqlite.org/lang_altertable.html): a copy of ten million events would
    # take minutes and as much room again. The new list holds every value of the old list.
    "PRAGMA writable_schema = ON",
    (
        "UPDATE sqlite_master SET sql = replace(sql,"
        " 'clock_state IN (''synchronised'', ''unsynchronised'', ''unknown'')',"
        " 'clock_state IN (''synchronised'', ''unsynchronised'', ''stepped'', ''unknown'')')"
        " WHERE type = 'table' AND name = 'events'"
    ),
    # Reads the definitions again. The statements below change SQLite's counter, by which other connections do so too.
    "PRAGMA writable_schema = RESET",
    "ALTER TABLE events ADD COLUMN order_at INTEGER",
    "ALTER TABLE events ADD COLUMN correction INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX event_order_at ON events (order_at) WHERE order_at IS NOT NULL",
    "ALTER TABLE floors ADD COLUMN counted_at INTEGER",
    "ALTER TABLE floors ADD COLUMN counted_interval INTEGER NOT NULL DEFAULT 0",
    (
        "CREATE TABLE blind_intervals (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, camera_id TEXT NOT NULL,"
        " began_at INTEGER NOT NULL, ended_at INTEGER, reason TEXT NOT NULL, began_clock INTEGER, ended_clock INTEGER,"
        " CHECK (camera_id <> ''), CHECK (reason <> ''))"
    ),
    (
        "CREATE TABLE clock_changes (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
        " kind TEXT NOT NULL, boot_id TEXT NOT NULL, offset_micros INTEGER NOT NULL, step_micros INTEGER NOT NULL,"
        " last_event INTEGER NOT NULL,"
        " CHECK (kind IN ('start', 'step', 'synchronised')), CHECK (boot_id <> ''))"
    ),
)

"""Defines views for people with a plain ``sqlite3`` shell: names instead of ids, local time instead of microseconds.

They are written in SQLite's own SQL and exist there only; the program never reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import SqliteDatabase

from edge.store.sql.query import execute_sql

if TYPE_CHECKING:
    from peewee import Database


def _local(column: str) -> str:
    # In the machine's time zone, whole seconds; the view has the column itself too, for who needs the microseconds.
    return f"datetime({column} / 1000000, 'unixepoch', 'localtime')"


_VIEWS = {
    "v_floors": f"""
        SELECT id, name, total_slots - current_vehicles AS free, total_slots, current_vehicles,
               CASE WHEN total_slots > 0 THEN round(100.0 * current_vehicles / total_slots, 1) ELSE 100.0 END
                   AS occupancy_percentage,
               is_active, deleted_at IS NOT NULL AS is_deleted,
               {_local("updated_at")} AS updated_local, description
        FROM floors""",
    "v_events_local": f"""
        SELECT e.id, {_local("e.timestamp")} AS time_local, f.name AS floor, e.direction, e.vehicle_type, e.confidence,
               e.camera_id, e.gate_id, e.track_id, e.clock_state, e.event_id, e.timestamp, e.floor_id
        FROM events e JOIN floors f ON f.id = e.floor_id""",
    "v_hourly": f"""
        SELECT {_local("h.hour")} AS hour_local, f.name AS floor, h.entries, h.exits, h.entries - h.exits AS net,
               h.car, h.motorcycle, h.bus, h.truck, h.bicycle, h.other,
               round(h.confidence_sum / (h.entries + h.exits), 4) AS mean_confidence,
               h.removed_entries + h.removed_exits AS cleaned_up, h.hour, h.floor_id
        FROM event_hourly h JOIN floors f ON f.id = h.floor_id""",
}


def create_views(db: Database) -> None:
    """Create all views. Does nothing on other databases than SQLite's."""
    if isinstance(db, SqliteDatabase):
        for name, query in _VIEWS.items():
            execute_sql(db, f"CREATE VIEW {name} AS {query}")


def drop_views(db: Database) -> None:
    """Remove the views. SQLite refuses many changes of a table while a view uses it."""
    if isinstance(db, SqliteDatabase):
        for name in _VIEWS:
            execute_sql(db, f"DROP VIEW IF EXISTS {name}")

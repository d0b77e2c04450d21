"""Tests that the databases of the bench are those that recording would have made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from benchmarks import store_data

from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.schema.connect import open_database
from edge.store.schema.versions import create_tables
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = 2400


def test_a_database_in_bulk_is_the_one_that_recording_makes(tmp_path: Path) -> None:
    """Both have the same rows, clamps among them, and ``verify`` finds no fault."""
    bulk, one_by_one = tmp_path / "bulk.db", tmp_path / "recorded.db"
    store_data.build(bulk, EVENTS, days=3)
    with (
        closing(open_database(bulk, busy_timeout=5.0)) as built,
        closing(open_database(one_by_one, busy_timeout=5)) as db,
    ):
        assert verify(built) == []
        create_tables(db)
        Floors(db).create_missing(store_data.FLOORS, store_data.END)
        for stored in list(Events(built).stream()):
            # The time of recording is each event's own, so each has its own transaction.
            db.execute_sql("PRAGMA synchronous = OFF")
            Events(db).record(stored.event, stored.created_at)
        Outbox(db).acknowledge(range(1, EVENTS + 1))
    assert rows(bulk) == rows(one_by_one)
    assert len(rows(bulk)["events"]) == EVENTS
    assert rows(bulk)["adjustments"]


def rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of the tables that recording writes to, with rounded sums, and the last ids."""
    with closing(sqlite3.connect(path)) as db:
        found = {
            name: db.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in ("events", "adjustments")
        }
        found["hours"] = [
            (*row[:10], round(row[10], 6), *row[11:])
            for row in db.execute("SELECT * FROM event_hourly ORDER BY hour, floor_id")
        ]
        found["floors"] = db.execute("SELECT id, current_vehicles, seq, updated_at FROM floors ORDER BY id").fetchall()
        found["ids"] = db.execute("SELECT name, seq FROM sqlite_sequence ORDER BY name").fetchall()
    return found

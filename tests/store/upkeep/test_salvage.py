"""Tests of what is carried over from a damaged database: corrected events keep their ids, blind intervals stay."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from edge.core.events import ClockState
from edge.store.counts.audit import Attribution
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.quality.blind_intervals import BlindIntervals
from edge.store.quality.clock_changes import ClockChange, ClockChanges
from edge.store.schema.connect import open_database
from edge.store.schema.quality_models import ClockChangeKind
from edge.store.upkeep.backup import Backups
from edge.store.upkeep.recovery import recover
from edge.store.upkeep.salvage import salvage
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.core.events import Event

NOW = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("counted", [False, True])
def test_corrected_events_and_blind_intervals_are_carried_over(
    path: Path, file_with_floors: bytes, make_event: Callable[..., Event], now: datetime, counted: bool
) -> None:
    """A corrected event keeps the id that the broker knows, and an interval that ended since the backup its end.

    Also where a floor was counted meanwhile, which gives the interval another number.
    """
    path.write_bytes(file_with_floors)
    backups = Backups(path.parent / "backups", path)
    with closing(open_database(path, busy_timeout=1.0)) as db:
        blind = BlindIntervals(db)
        blind.begin("ramp", now, "dark")
        backups.make(db, NOW - timedelta(days=1))
        if counted:
            floor = Floors(db).all()[0]
            Floors(db).correct(floor.name, floor.current_vehicles)
        blind.end("ramp", now, now + HOUR, "dark")
        blind.begin("street", now, "no frames")
        ClockChanges(db).record(ClockChange(ClockChangeKind.START, now, "boot", timedelta(0)))
        Events(db).record(make_event(1, clock_state=ClockState.UNSYNCHRONISED), now)
        ClockChanges(db).record(ClockChange(ClockChangeKind.SYNCHRONISED, now + HOUR, "boot", HOUR))
        [event] = Events(db).newest()
        db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = dict(db.execute_sql("SELECT name, rootpage FROM sqlite_master").fetchall())
        [(size,)] = db.execute_sql("PRAGMA page_size").fetchall()
    content = bytearray(path.read_bytes())
    begin = (pages["event_camera_id_timestamp"] - 1) * size
    content[begin : begin + size] = b"\xff" * size
    path.write_bytes(content)
    done = recover(path, backups, NOW)
    assert done is not None
    with closing(open_database(path, busy_timeout=1.0)) as db:
        assert Events(db).count() == 0
        assert salvage(db, done, Attribution("recovery", NOW)).events == 1
        [saved] = Events(db).newest()
        assert (saved.event_id, saved.timestamp, saved.correction) == (event.event_id, event.timestamp, HOUR)
        [waiting] = Outbox(db).pending(9)
        assert waiting.event_id == event.event_id
        assert [(row.camera_id, row.seconds) for row in reversed(BlindIntervals(db).newest())] == [
            ("ramp", 3600.0),
            ("street", None),
        ]
        assert verify(db) == []

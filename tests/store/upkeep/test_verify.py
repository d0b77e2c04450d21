"""Tests of verifying: every inconsistency is one expected."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

import pytest

from edge.core.events import Direction
from edge.store.counts.events import Events
from edge.store.schema.connect import open_database
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from peewee import Database, SqliteDatabase

    from edge.core.events import Event


Handle = TypeVar("Handle", bound="Database")


def record_events(db: Handle, make_event: Callable[..., Event], now: datetime) -> Handle:
    """Three entries and an exit on Ground, four entries on Roof, two of which are clamped."""
    ground = [make_event(n) for n in range(3)] + [make_event(3, direction=Direction.EXIT)]
    Events(db).record_all(ground + [make_event(10 + n, floor="Roof") for n in range(4)], now)
    return db


@pytest.fixture
def used(db: Database, make_event: Callable[..., Event], now: datetime) -> Database:
    """A database with these events."""
    return record_events(db, make_event, now)


@pytest.fixture
def used_file(sqlite_db: SqliteDatabase, make_event: Callable[..., Event], now: datetime) -> SqliteDatabase:
    """A file with these events; a server guards its files and constraints by itself."""
    return record_events(sqlite_db, make_event, now)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            "UPDATE floors SET current_vehicles = 13 WHERE id = 1",
            "'Ground'.* has 13 vehicles, its ledger says 12: 10 at",
        ),
        ("UPDATE floors SET opening_vehicles = 9 WHERE id = 1", "'Ground'.* has 12 vehicles, its ledger says 11"),
        ("UPDATE event_hourly SET entries = 2, car = 3 WHERE floor_id = 1", "ledger says 11: .* 2 entries - 1 exits"),
        ("DELETE FROM adjustments WHERE id = 1", r"'Roof'.* has 2 vehicles, its ledger says 3: .*\-1 adjusted"),
        ("UPDATE adjustments SET delta = -3, after = before - 3 WHERE id = 1", "'Roof'.* ledger says 0"),
        ("INSERT INTO adjustments VALUES (99, 1, 2, 'x', NULL, '', 0, 2, 0, '')", "'Ground'.* ledger says 14"),
    ],
)
def test_a_count_that_is_not_its_ledger_is_found(used: Database, change: str, expected: str) -> None:
    """Whichever part of the sum was changed, that floor is named with both numbers, and no other."""
    assert verify(used) == []
    used.execute_sql(change)
    [found] = [line for line in verify(used) if not line.startswith("The hour ")]
    assert re.search(expected, found)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("DELETE FROM events WHERE id = 1", "08:00Z of floor 1 .* 3 entries and 1 exits .* has 2 and 1"),
        ("UPDATE events SET direction = 'exit' WHERE id = 1", "3 entries and 1 exits .* has 2 and 2"),
        ("UPDATE events SET vehicle_type = 'bus' WHERE id = 1", "has 3 and 1; or their types"),
        ("UPDATE events SET confidence = 0.1 WHERE id = 1", "has 3 and 1; or their types or confidences"),
        ("UPDATE events SET timestamp = 7 WHERE id = 8", "4 entries and 0 exits .* has 3 and 0"),
        ("UPDATE event_hourly SET removed_entries = 1 WHERE floor_id = 2", "3 entries and 0 exits .* has 4 and 0"),
        ("UPDATE event_hourly SET hour = 0 WHERE floor_id = 2", "1970-01-01T00:00Z of floor 2 .* has 0 and 0"),
    ],
)
def test_an_hour_that_is_not_its_events_is_found(used: Database, change: str, expected: str) -> None:
    """Missing, moved and changed events differ from the hourly totals; the floor and the hour are named."""
    used.execute_sql(change)
    found = verify(used)
    assert any(re.search(expected, line) for line in found), found
    assert all(line.startswith("The hour ") for line in found)


def test_rows_without_their_parents_are_found(used_file: SqliteDatabase, path: Path) -> None:
    """A program that does not check foreign keys may leave them; each is reported once."""
    used_file.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE outbox SET event_id = 4711 WHERE id = 1")
        other.execute("UPDATE adjustments SET floor_id = 42 WHERE id = 1")
        other.commit()
    with closing(open_database(path, busy_timeout=1.0, read_only=True)) as db:
        found = verify(db)
    assert any("Row 1 of the outbox refers to event 4711" in expected for expected in found)
    assert any("Row 1 of adjustments refers to a row of floors" in expected for expected in found)
    assert any("'Roof'" in expected for expected in found)
    assert len(found) == 3


@pytest.mark.parametrize("read_only", [False, True])
def test_a_row_that_breaks_a_check_is_found(used_file: SqliteDatabase, path: Path, *, read_only: bool) -> None:
    """A row that was written past the checks is named with its rule, by each kind of handle."""
    used_file.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA ignore_check_constraints = 1")
        other.execute("UPDATE events SET confidence = 7.0 WHERE id = 2")
        other.commit()
    with closing(open_database(path, busy_timeout=1.0, read_only=read_only)) as db:
        row, hour = verify(db)
    assert row == "Row 2 of events breaks the rule confidence >= 0 AND confidence <= 1."
    assert hour.startswith("The hour 2026-05-04T08:00Z of floor 1 ")


def test_damaged_pages_are_found(
    used_file: SqliteDatabase, path: Path, make_event: Callable[..., Event], now: datetime
) -> None:
    """Overwritten pages are reported and raise no error."""
    Events(used_file).record_all([make_event(n) for n in range(100, 400)], now)
    used_file.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 3 * 4096] = b"\xa5" * (3 * 4096)
    path.write_bytes(content)
    with closing(open_database(path, busy_timeout=1.0, read_only=True)) as db:
        assert verify(db) != []

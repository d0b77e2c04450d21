"""Tests of the tables' constraints, and of recognising a database of this program."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import peewee
import pytest
from peewee import SqliteDatabase

from edge.core.errors import StoreError
from edge.store.counts.events import Events
from edge.store.counts.outbox import Outbox
from edge.store.schema.connect import open_database
from edge.store.schema.versions import APPLICATION_ID, SCHEMA_VERSION, create_tables, schema_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from peewee import Database

    from edge.core.events import Event

FLOOR = (
    "INSERT INTO floors VALUES ({new_id}, {name}, '', {total}, {current}, {opening}, TRUE, 1, 0, 0, {deleted}, TRUE,"
    " NULL, 0)"
)
EVENT = (
    "INSERT INTO events VALUES ({new_id}, {event_id}, {camera}, 'gate', {floor}, 'RUN-1', {vehicle}, {direction},"
    " {confidence}, {timestamp}, 0, {clock}, NULL, 0)"
)
ADJUSTMENT = "INSERT INTO adjustments VALUES ({new_id}, {floor}, {delta}, {reason}, NULL, '', {before}, {after}, 0, '')"

HOUR = "INSERT INTO event_hourly VALUES ({hour}, {floor}, {entries}, 1, {car}, 0, 0, 1, 0, 0, 1.5, {removed}, 0)"
AUDIT = "INSERT INTO audit_log VALUES ({new_id}, 0, {actor}, {action}, '', NULL, NULL, '')"

FLOOR_OK = {"name": "'New'", "total": 3, "current": 1, "opening": 0, "deleted": "NULL"}
EVENT_OK = {
    "event_id": "'6fa459ea-ee8a-3ca4-894e-db77e160355e'",
    "camera": "'ramp'",
    "floor": 1,
    "vehicle": "'car'",
    "direction": "'entry'",
    "confidence": 0.5,
    "timestamp": 7,
    "clock": "'unknown'",
}
HOUR_OK = {"hour": -7200000000, "floor": 1, "entries": 2, "car": 2, "removed": 2}
AUDIT_OK = {"actor": "'me'", "action": "'create'"}
ADJUSTMENT_OK = {"floor": 1, "delta": 1, "reason": "'underflow'", "before": -1, "after": 0}


def insert(db: Database, statement: str, values: dict[str, object]) -> None:
    """Insert a row in plain SQL."""
    db.execute_sql(statement.format(new_id="NULL" if isinstance(db, SqliteDatabase) else "DEFAULT", **values))


@pytest.mark.parametrize(
    ("statement", "good", "bad"),
    [
        (FLOOR, FLOOR_OK, {"total": -1, "current": 0}),
        (FLOOR, FLOOR_OK, {"current": -1}),
        (FLOOR, FLOOR_OK, {"current": 4}),
        (FLOOR, FLOOR_OK, {"current": "'many'"}),
        (FLOOR, FLOOR_OK, {"opening": -1}),
        (FLOOR, FLOOR_OK, {"name": "'Ground'"}),
        (FLOOR, FLOOR_OK, {"name": "NULL"}),
        (EVENT, EVENT_OK, {"vehicle": "'boat'"}),
        (EVENT, EVENT_OK, {"direction": "'in'"}),
        (EVENT, EVENT_OK, {"confidence": 1.2}),
        (EVENT, EVENT_OK, {"confidence": -0.1}),
        (EVENT, EVENT_OK, {"confidence": "'high'"}),
        (EVENT, EVENT_OK, {"timestamp": "NULL"}),
        (EVENT, EVENT_OK, {"floor": 99}),
        (EVENT, EVENT_OK, {"clock": "'late'"}),
        (ADJUSTMENT, ADJUSTMENT_OK, {"delta": 2}),
        (ADJUSTMENT, ADJUSTMENT_OK, {"reason": "''"}),
        (ADJUSTMENT, ADJUSTMENT_OK, {"floor": 99}),
        (HOUR, HOUR_OK, {"hour": 1}),
        (HOUR, HOUR_OK, {"entries": -1, "car": 0}),
        (HOUR, HOUR_OK, {"car": 1}),
        (HOUR, HOUR_OK, {"removed": 4}),
        (HOUR, HOUR_OK, {"removed": -1}),
        (HOUR, HOUR_OK, {"floor": 99}),
        (AUDIT, AUDIT_OK, {"actor": "''"}),
        (AUDIT, AUDIT_OK, {"action": "''"}),
    ],
)
def test_the_database_itself_refuses_impossible_rows(
    db: Database, statement: str, good: dict[str, object], bad: dict[str, object]
) -> None:
    """A row that differs in one value is refused, the valid row is accepted, whichever program writes it."""
    with pytest.raises((peewee.IntegrityError, peewee.DataError)):
        insert(db, statement, {**good, **bad})
    insert(db, statement, good)


def test_an_event_of_the_same_key_is_refused(db: Database) -> None:
    """Camera, track, direction and timestamp together are unique, and so is the event id that is computed from them."""
    other_id = {"event_id": "'00000000-0000-0000-0000-000000000001'"}
    insert(db, EVENT, EVENT_OK)
    with pytest.raises(peewee.IntegrityError, match="camera_id"):
        insert(db, EVENT, {**EVENT_OK, **other_id})
    insert(db, EVENT, {**EVENT_OK, **other_id, "direction": "'exit'"})


def test_the_check_of_the_count_applies_to_updates(db: Database) -> None:
    """No update takes a count out of its bounds, or the slots below the count."""
    for change in ("current_vehicles = -1", "current_vehicles = 51", "total_slots = 9"):
        with pytest.raises(peewee.IntegrityError):
            db.execute_sql(f"UPDATE floors SET {change} WHERE id = 1")


def test_deleting_a_floor_deletes_its_rows(db: Database, make_event: Callable[..., Event], now: datetime) -> None:
    """These are its events, adjustments, totals and outbox rows; those of other floors stay."""
    records = [make_event(n, floor="Roof") for n in range(4)] + [make_event(9)]
    Events(db).record_all(records, now)
    db.execute_sql("DELETE FROM floors WHERE name = 'Roof'")
    for table, left in (("events", 1), ("outbox", 1), ("adjustments", 0), ("event_hourly", 1)):
        assert db.execute_sql(f"SELECT COUNT(*) FROM {table}").fetchone() == (left,)


def test_an_id_is_never_given_twice(db: Database, make_event: Callable[..., Event], now: datetime) -> None:
    """The id of a deleted newest row is not used again, so a reader that remembers it misses no event."""
    Events(db).record(make_event(1), now)
    [first] = Outbox(db).pending(10)
    Outbox(db).acknowledge([first.id])
    Events(db).record(make_event(2), now)
    [second] = Outbox(db).pending(10)
    assert second.id > first.id


def test_tables_are_created_once(db: Database) -> None:
    """The second call returns False and changes nothing."""
    before = db.execute_sql("SELECT * FROM floors").fetchall()
    assert create_tables(db) is False
    assert db.execute_sql("SELECT * FROM floors").fetchall() == before
    assert schema_version(db) == SCHEMA_VERSION
    if isinstance(db, SqliteDatabase):
        assert (db.pragma("application_id"), db.pragma("user_version")) == (APPLICATION_ID, SCHEMA_VERSION)


def test_an_unfinished_creation_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If one table cannot be created, none is, and the next call creates all."""
    db = open_database(path, busy_timeout=1.0)
    with monkeypatch.context() as patch:
        patch.setattr("edge.store.schema.versions.APPLICATION_ID", "no number")
        with pytest.raises(StoreError):
            create_tables(db)
    assert db.get_tables() in ([], ["sqlite_sequence"])
    assert create_tables(db) is True
    db.close()


def _plain(path: Path, *statements: str) -> str:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (["CREATE TABLE notes (text)"], "another program.*set \\[database\\] path"),
        (["PRAGMA application_id = 7"], "another program"),
        (["PRAGMA user_version = 1"], "another program"),
        ([f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 4"], "schema version 4.*newer program"),
        ([f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 1"], "lacks the tables.*backup"),
        ([f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 2"], "lacks the tables.*backup"),
        ([f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 3"], "lacks the tables.*backup"),
    ],
)
def test_a_database_that_is_not_ours_is_refused_and_left_alone(
    path: Path, statements: list[str], reason: str, *, read_only: bool
) -> None:
    """The file of another program, a newer version and missing tables are refused with the remedy; no byte changes."""
    digest = _plain(path, *statements)
    with pytest.raises(StoreError, match=reason) as caught:
        open_database(path, busy_timeout=1.0, read_only=read_only)
    assert str(path) in str(caught.value)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, *, read_only: bool) -> None:
    """A text file stays as it is."""
    path.write_text("Ground Floor: 17 vehicles, counted by hand.\n" * 100)
    with pytest.raises(StoreError, match="not a SQLite database; move it away"):
        open_database(path, busy_timeout=1.0, read_only=read_only)
    assert path.read_text().startswith("Ground Floor")


def test_a_damaged_catalogue_is_refused(sqlite_db: SqliteDatabase, path: Path) -> None:
    """A file with our first page and an overwritten catalogue is reported as damaged."""
    sqlite_db.close()
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged; the daemon.s next start puts the newest backup"):
        open_database(path, busy_timeout=1.0)


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    """A power cut at the first start may leave an empty file."""
    path.touch()
    db = open_database(path, busy_timeout=1.0)
    assert create_tables(db) is True
    db.close()

"""Tests of replacing a damaged database by a backup, and of saving what can be read of it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from edge.core.errors import StoreError
from edge.core.events import Direction
from edge.store.counts.audit import Attribution, Audit
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.schema.connect import PAGE_BYTES, open_database
from edge.store.schema.versions import create_tables
from edge.store.sql.errors import is_damage
from edge.store.upkeep import recovery
from edge.store.upkeep.backup import TIME_FORMAT, Backups
from edge.store.upkeep.cleanup import remove_old_events
from edge.store.upkeep.recovery import find_damage, recover, request_full_check
from edge.store.upkeep.replace_file import Replacement, finish_replacement, unfinished_replacement
from edge.store.upkeep.salvage import salvage
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from peewee import SqliteDatabase

    from edge.core.events import Event

NOW = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
ACT = Attribution("recovery", NOW)


@pytest.fixture
def backups(path: Path) -> Backups:
    """The backups of the test's database, in a folder beside it."""
    return Backups(path.parent / "backups", path)


@pytest.fixture(scope="module")
def file_with_events(
    tmp_path_factory: pytest.TempPathFactory, file_with_floors: bytes, make_event: Callable[..., Event], now: datetime
) -> bytes:
    """The content of a file with 2000 events, all of them in the main file and not in the log."""
    path = tmp_path_factory.mktemp("events") / "x.db"
    path.write_bytes(file_with_floors)
    with closing(open_database(path, busy_timeout=5.0)) as db:
        Events(db).record_all([make_event(n, direction=list(Direction)[n % 2]) for n in range(2000)], now)
    return path.read_bytes()


@pytest.fixture
def filled(path: Path, file_with_events: bytes) -> Path:
    """A file with 2000 events that no program has open."""
    path.write_bytes(file_with_events)
    return path


def overwrite(path: Path, begin: int, size: int) -> None:
    """Overwrite a part of the file with noise, as a failing card does."""
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(os.urandom(size))


def root_page(path: Path, name: str) -> int:
    """The number of the first page of a table or index."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0])


def truncated(path: Path) -> None:
    """Cut the file in half."""
    os.truncate(path, path.stat().st_size // 2)


def zeroed(path: Path) -> None:
    """Overwrite its beginning with zeros, as a power cut on a card does."""
    with path.open("r+b") as file:
        file.write(bytes(PAGE_BYTES))


def emptied(path: Path) -> None:
    """Leave nothing, as when the power is cut while a card moves a file."""
    os.truncate(path, 0)


def overwritten_schema(path: Path) -> None:
    """Overwrite the schema behind the file's header."""
    overwrite(path, 100, PAGE_BYTES - 100)


def overwritten_events(path: Path) -> None:
    """Overwrite a page of the events' table."""
    overwrite(path, (root_page(path, "events") - 1) * PAGE_BYTES, PAGE_BYTES)


DAMAGES = [truncated, zeroed, emptied, overwritten_schema, overwritten_events]


@pytest.mark.parametrize("harm", DAMAGES, ids=lambda harm: harm.__name__)
def test_the_newest_intact_backup_replaces_a_damaged_database(
    filled: Path, backups: Backups, harm: Callable[[Path], None]
) -> None:
    """The damaged file is kept as it was; an interrupted start is continued by the next one."""
    with closing(open_database(filled, busy_timeout=1.0)) as db:
        backups.make(db, NOW - timedelta(days=2))
        sound = backups.make(db, NOW - timedelta(days=1)).backup
    torn = sound.path.with_name(f"smartpark-{NOW:{TIME_FORMAT}}.db")
    torn.write_bytes(sound.path.read_bytes()[:30_000])
    harm(filled)
    content = filled.read_bytes()
    assert find_damage(filled, is_ours=True) is not None

    done = recover(filled, backups, NOW)
    assert done is not None
    assert done.damage
    assert done.source == sound.path
    assert done.set_aside == filled.with_name("smartpark.db.damaged-20260601T123000Z")
    assert done.set_aside.read_bytes() == content
    assert recover(filled, backups, NOW + timedelta(hours=1)) == done == unfinished_replacement(filled)
    finish_replacement(filled)
    assert recover(filled, backups, NOW + timedelta(hours=2)) is None
    with closing(open_database(filled, busy_timeout=1.0)) as db:
        assert verify(db) == []
        assert Events(db).count() == 2000


def test_an_intact_database_is_left_alone(sqlite_db: SqliteDatabase, path: Path, backups: Backups) -> None:
    """Also after a kill, with a write-ahead log; a missing file and an empty one are left alone too."""
    copied = path.with_name("copied.db")
    Floors(sqlite_db).create("More", 5, ACT)
    for suffix in ("", "-wal"):
        copied.with_name(copied.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
    assert copied.with_name("copied.db-wal").stat().st_size > 0
    assert recover(copied, backups, NOW) is None
    with closing(open_database(copied, busy_timeout=1.0, read_only=True)) as handle:
        assert Floors(handle).by_name("More").total_slots == 5
    assert recover(path.with_name("missing.db"), backups, NOW) is None
    path.with_name("empty.db").touch()
    assert recover(path.with_name("empty.db"), backups, NOW) is None


def test_a_file_of_another_program_is_never_replaced(path: Path, backups: Backups) -> None:
    """A wrong path in the configuration does no harm, damaged or not."""
    path.write_bytes(b"somebody's letters " * 1000)
    assert recover(path, backups, NOW) is None
    path.unlink()
    with closing(sqlite3.connect(path)) as foreign:
        foreign.executescript("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (zeroblob(50000))")
    truncated(path)
    assert recover(path, backups, NOW) is None
    assert [entry.name for entry in path.parent.iterdir()] == ["smartpark.db"]


def test_newer_events_and_counts_of_the_damaged_file_are_saved(
    filled: Path, backups: Backups, make_event: Callable[..., Event], now: datetime
) -> None:
    """Events since the backup are recorded once, counts include corrections, and the audit log has the numbers."""
    with closing(open_database(filled, busy_timeout=1.0)) as db:
        backups.make(db, NOW - timedelta(days=1))
        Events(db).record_all([make_event(n) for n in range(2000, 2600)], now)
        Floors(db).correct("Ground", 33, Attribution("anna", NOW))
        Events(db).record(make_event(2600), now)
        db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    overwrite(filled, (root_page(filled, "event_camera_id_timestamp") - 1) * PAGE_BYTES, PAGE_BYTES)
    done = recover(filled, backups, NOW)
    assert done is not None
    with closing(open_database(filled, busy_timeout=1.0)) as db:
        assert Events(db).count() == 2000
        saved = salvage(db, done, ACT)
        assert (saved.events, saved.floors) == (601, ["Ground"])
        assert salvage(db, done, ACT).events == 0
        assert Events(db).count() == 2601
        assert {stored.track_id for stored in Outbox(db).pending(5000)} >= {"RUN-2000", "RUN-2600"}
        ground = Floors(db).by_name("Ground")
        assert ground.current_vehicles == 34
        assert verify(db) == []
        lines = [line for line in Audit(db).newest() if line.subject == "database"]
        assert lines[-1].actor == "recovery"
        assert lines[-1].before == {"kept_as": str(done.set_aside)}
        assert (lines[-1].after or {})["events_saved"] == 601


def test_events_on_both_sides_of_a_damaged_page_are_saved(
    filled: Path, backups: Backups, make_event: Callable[..., Event], now: datetime
) -> None:
    """The rows are read from both ends; only those on the page are lost."""
    with closing(open_database(filled, busy_timeout=1.0)) as db:
        backups.make(db, NOW - timedelta(days=1))
        Events(db).record_all([make_event(n) for n in range(2000, 2600)], now)
        db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        try:
            [(page,)] = db.execute_sql(
                "SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf' ORDER BY pageno DESC"
                " LIMIT 1 OFFSET 20"
            ).fetchall()
        except Exception:  # this SQLite has no dbstat
            pytest.skip("this SQLite has no dbstat table to find a page with")
    overwrite(filled, (page - 1) * PAGE_BYTES, PAGE_BYTES)
    done = recover(filled, backups, NOW)
    assert done is not None
    with closing(open_database(filled, busy_timeout=1.0)) as db:
        saved = salvage(db, done, ACT)
        assert 550 < saved.events < 600
        numbers = sorted(int(event.track_id[4:]) for event in Events(db).newest(10_000))
        assert (numbers[0], numbers[-1]) == (0, 2599)
        assert verify(db) == []


def test_without_a_backup_only_the_counts_are_saved(filled: Path, backups: Backups, floors: tuple[object, ...]) -> None:
    """Old events are not recorded, because they would all be published again."""
    overwritten_events(filled)
    done = recover(filled, backups, NOW)
    assert done is not None
    assert done.source is None
    with closing(open_database(filled, busy_timeout=1.0)) as db:
        Floors(db).create_missing(floors, NOW)  # type: ignore[arg-type]
        Floors(db).correct("Ground", 3, ACT)
        saved = salvage(db, done, ACT)
        assert (saved.events, saved.floors) == (0, ["Ground"])
        ground = Floors(db).by_name("Ground")
        assert ground.current_vehicles == 10
        assert verify(db) == []


@pytest.mark.parametrize("harm", DAMAGES, ids=lambda harm: harm.__name__)
def test_a_file_that_cannot_be_read_does_not_prevent_the_recovery(
    filled: Path, backups: Backups, harm: Callable[[Path], None]
) -> None:
    """What cannot be read is left out; the restored database is complete."""
    with closing(open_database(filled, busy_timeout=1.0)) as db:
        backups.make(db, NOW)
    harm(filled)
    done = recover(filled, backups, NOW)
    assert done is not None
    with closing(open_database(filled, busy_timeout=1.0)) as db:
        salvage(db, done, ACT)
        assert Events(db).count() == 2000
        assert verify(db) == []


def test_of_a_database_that_a_person_replaced_nothing_is_saved(
    sqlite_db: SqliteDatabase, path: Path, make_event: Callable[..., Event], now: datetime
) -> None:
    """The replacement is audited."""
    Events(sqlite_db).record(make_event(1), now)
    with closing(open_database(path.with_name("other.db"), busy_timeout=1.0)) as other:
        create_tables(other)
        done = salvage(
            other, Replacement(path, path.with_name("b.db"), NOW, "anna"), Attribution("anna", NOW, "tried it")
        )
        assert (done.events, done.floors) == (0, [])
        [line] = Audit(other).newest()
        assert (line.actor, line.action, line.note) == ("anna", "restore", "tried it")


def test_a_large_file_is_checked_for_a_limited_time(
    filled: Path, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a write that met damage the check is complete, and finds the damage."""
    overwrite(filled, (root_page(filled, "event_camera_id_timestamp") - 1) * PAGE_BYTES, PAGE_BYTES)
    monkeypatch.setattr(recovery, "_STEPS", 1)
    assert find_damage(filled, seconds=0.0) is None
    assert find_damage(filled, seconds=60.0) is not None
    request_full_check(filled)
    assert find_damage(filled, seconds=0.0) is not None
    assert recover(filled, backups, NOW) is not None
    assert not filled.with_name("smartpark.db.suspect").exists()


def test_a_requested_full_check_is_made_once(filled: Path, backups: Backups) -> None:
    """The request is removed when no damage is found."""
    request_full_check(filled)
    assert recover(filled, backups, NOW) is None
    assert not filled.with_name("smartpark.db.suspect").exists()


def test_damage_and_a_lock_are_told_apart(filled: Path, make_event: Callable[..., Event], now: datetime) -> None:
    """The error of a damaged file is damage; that of a lock is not."""
    overwrite(filled, (root_page(filled, "events") - 1) * PAGE_BYTES, PAGE_BYTES)
    with closing(open_database(filled, busy_timeout=0.05)) as db:
        with pytest.raises(Exception, match="malformed") as caught:
            Events(db).record(make_event(5000), now)
        assert is_damage(caught.value)
        with closing(sqlite3.connect(filled, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Exception, match="locked") as caught:
                remove_old_events(db, 1, ACT)
        assert not is_damage(caught.value)


def test_a_folder_in_the_way_is_reported(filled: Path, backups: Backups) -> None:
    """The error names it, and the damaged database stays in its place."""
    with closing(open_database(filled, busy_timeout=1.0)) as db:
        backups.make(db, NOW)
    zeroed(filled)
    content = filled.read_bytes()
    filled.with_name("smartpark.db.restoring").mkdir()
    filled.with_name("smartpark.db.restoring").joinpath("x").touch()
    with pytest.raises(StoreError, match=r"smartpark\.db\.restoring: cannot be removed"):
        recover(filled, backups, NOW)
    assert filled.read_bytes() == content


def test_backups_that_cannot_be_read_prevent_no_start(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An intact database is used; a damaged one is set aside and an empty one created."""

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    backups = Backups(filled.parent, filled)
    monkeypatch.setattr(type(filled), "iterdir", refuse)
    with pytest.raises(StoreError, match=r"cannot be read \(Permission denied\); .*\[backup\] folder"):
        backups.newest_first()
    assert recover(filled, backups, NOW) is None
    overwritten_events(filled)
    done = recover(filled, backups, NOW)
    assert done is not None
    assert done.source is None
    assert done.set_aside.exists()

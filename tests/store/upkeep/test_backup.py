"""Tests of backups: complete, checked, made beside a writer, and kept as long as configured."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import threading
from collections import namedtuple
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.errors import RefusedError, StoreError
from edge.store.counts.events import Events
from edge.store.schema.connect import PAGE_BYTES, open_copy, open_database
from edge.store.sql import online_copy as copying
from edge.store.upkeep.backup import TIME_FORMAT, Backups
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from peewee import SqliteDatabase

    from edge.core.events import Event

NOW = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def backups(path: Path) -> Backups:
    """The backups of the test's database, in a folder beside it."""
    return Backups(path.parent / "backups", path)


def overwrite(path: Path, begin: int, size: int) -> None:
    """Overwrite a part of the file with noise, as a failing card does."""
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(os.urandom(size))


def test_a_backup_beside_a_writer_is_consistent(
    sqlite_db: SqliteDatabase, path: Path, backups: Backups, make_event: Callable[..., Event], now: datetime
) -> None:
    """Each copy has all that was committed before it began, and verifies."""
    stop = threading.Event()
    committed: list[int] = []

    def write() -> None:
        with closing(open_database(path, busy_timeout=5.0)) as handle:
            for n in range(5000):
                if stop.is_set():
                    return
                Events(handle).record(make_event(n), now)
                committed.append(n)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with closing(open_database(path, busy_timeout=5.0, read_only=True)) as reader:
            for number in range(5):
                before = len(committed)
                made = backups.make(reader, NOW + timedelta(seconds=number))
                assert made.problems == []
                with open_copy(made.backup.path) as copy:
                    stored = Events(copy).count()
                    assert verify(copy) == []
                assert before <= stored <= len(committed) + 1
                assert made.backup.size == made.backup.path.stat().st_size
    finally:
        stop.set()
        writer.join()
    assert [backup.made_at for backup in backups.newest_first()] == [
        NOW + timedelta(seconds=n) for n in (4, 3, 2, 1, 0)
    ]
    assert {entry.suffix for entry in backups.newest_first()[0].path.parent.iterdir()} == {".db"}


def test_a_damaged_database_makes_no_backup(
    sqlite_db: SqliteDatabase, path: Path, backups: Backups, make_event: Callable[..., Event], now: datetime
) -> None:
    """The copy is found damaged and removed; older backups stay."""
    Events(sqlite_db).record_all([make_event(n) for n in range(500)], now)
    sqlite_db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    good = backups.make(sqlite_db, NOW).backup
    [(root,)] = sqlite_db.execute_sql(
        "SELECT rootpage FROM sqlite_master WHERE name = 'event_camera_id_timestamp'"
    ).fetchall()
    sqlite_db.close()
    overwrite(path, (root - 1) * PAGE_BYTES + 8, 1000)
    with (
        closing(open_database(path, busy_timeout=1.0, read_only=True)) as damaged,
        pytest.raises(StoreError, match="damaged"),
    ):
        backups.make(damaged, NOW + timedelta(days=1))
    assert backups.newest_first() == [good]
    assert [entry.name for entry in good.path.parent.iterdir()] == [good.path.name]


def test_a_backup_of_an_inconsistent_database_is_kept_and_reported(sqlite_db: SqliteDatabase, backups: Backups) -> None:
    """The copy can still be used if the ledger does not add up."""
    sqlite_db.execute_sql("UPDATE floors SET current_vehicles = 12 WHERE name = 'Ground'")
    made = backups.make(sqlite_db, NOW)
    assert len(made.problems) == 1
    assert "its ledger says 10" in made.problems[0]
    assert made.backup.path.exists()


def test_what_a_killed_backup_left_is_replaced(sqlite_db: SqliteDatabase, path: Path, backups: Backups) -> None:
    """The unfinished copy and its journal are gone after the next backup."""
    folder = path.parent / "backups"
    folder.mkdir()
    for name in ("smartpark.db.unfinished", "smartpark.db.unfinished-journal"):
        (folder / name).write_bytes(os.urandom(5000))
    made = backups.make(sqlite_db, NOW)
    assert [entry.name for entry in folder.iterdir()] == [made.backup.path.name]


def test_two_backups_at_once_are_refused(sqlite_db: SqliteDatabase, path: Path, backups: Backups) -> None:
    """The second is refused while the first is written."""
    folder = path.parent / "backups"
    folder.mkdir()
    other = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(RefusedError, match="another copy is being written"):
            backups.make(sqlite_db, NOW)
    finally:
        os.close(other)
    backups.make(sqlite_db, NOW)
    with pytest.raises(StoreError, match="exists already"):
        backups.make(sqlite_db, NOW)


def test_a_disk_without_room_is_not_filled(
    sqlite_db: SqliteDatabase, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that would take the last room of the disk is not started."""
    usage = namedtuple("usage", "total used free")  # as shutil's own
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 40_000, 40_000))
    with pytest.raises(StoreError, match=r"0\.0 MB free; free some room, or use a folder on another disk"):
        backups.make(sqlite_db, NOW)
    assert backups.newest_first() == []


def test_a_folder_that_cannot_be_created_is_reported(sqlite_db: SqliteDatabase, path: Path) -> None:
    """The message has the remedy."""
    (path.parent / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/backups: cannot be created .* set \[backup\] folder"):
        Backups(path.parent / "file" / "backups", path).make(sqlite_db, NOW)


def test_the_newest_intact_backup_is_found(sqlite_db: SqliteDatabase, path: Path, backups: Backups) -> None:
    """What is wrong with newer files is reported: they are empty, damaged, or of another program."""
    sound = backups.make(sqlite_db, NOW).backup
    for days, content in ((1, b""), (2, b"no database"), (3, sound.path.read_bytes()[:20_000])):
        (sound.path.parent / f"smartpark-{NOW + timedelta(days=days):{TIME_FORMAT}}.db").write_bytes(content)
    with closing(
        sqlite3.connect(sound.path.parent / f"smartpark-{NOW + timedelta(days=4):{TIME_FORMAT}}.db")
    ) as foreign:
        foreign.execute("CREATE TABLE theirs (x)")
    found, problems = backups.newest_intact()
    assert found == sound
    assert len(problems) == 4
    assert "another program" in problems[0]
    assert "malformed" in problems[1]
    assert "not a database" in problems[2]
    assert "has no tables" in problems[3]


@settings(deadline=None)
@given(
    ages=st.sets(st.integers(0, 400), max_size=12),
    keep_days=st.integers(1, 200),
    keep_files=st.integers(1, 10),
)
def test_pruning_keeps_days_and_files_and_always_the_newest(
    tmp_path_factory: pytest.TempPathFactory, ages: set[int], keep_days: int, keep_files: int
) -> None:
    """The newest is kept, and of the others those within both limits."""
    folder = tmp_path_factory.mktemp("backups")
    others = ["other-20260101T000000Z.db", "smartpark-20269999T000000Z.db", "smartpark-20260101T000000Z.db.gz"]
    for name in others:
        (folder / name).touch()
    for age in ages:
        (folder / f"smartpark-{NOW - timedelta(days=age):{TIME_FORMAT}}.db").touch()
    backups = Backups(folder, Path("smartpark.db"))
    removed = backups.prune(NOW, keep_days, keep_files)
    kept = [(NOW - backup.made_at).days for backup in backups.newest_first()]
    wanted = [age for place, age in enumerate(sorted(ages)) if place == 0 or (place < keep_files and age <= keep_days)]
    assert kept == wanted
    assert len(removed) == len(ages) - len(wanted)
    assert all((folder / name).exists() for name in others)


def test_root_leaves_files_to_the_owner_of_the_folder(sqlite_db: SqliteDatabase, path: Path) -> None:
    """The daemon, which owns the folder, can read a backup that root made."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    folder = path.parent / "of-somebody"
    folder.mkdir()
    os.chown(folder, 12345, 23456)
    made = Backups(folder / "backups", path).make(sqlite_db, NOW)
    for path_of_root in (made.backup.path, made.backup.path.parent):
        assert (path_of_root.stat().st_uid, path_of_root.stat().st_gid) == (12345, 23456)
    with closing(open_database(folder / "new.db", busy_timeout=1.0)) as new:
        new.execute_sql("PRAGMA user_version")
        assert (folder / "new.db").stat().st_uid == 12345


def test_a_damaged_copy_is_removed(sqlite_db: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that the disk damages while it is written is found and removed."""
    filled = copying._fill

    def spoiled(source: SqliteDatabase, target: Path) -> None:
        filled(source, target)
        overwrite(target, 4096, 8192)

    monkeypatch.setattr(copying, "_fill", spoiled)
    with pytest.raises(StoreError):
        copying.online_copy(sqlite_db, path.with_name("copy.db"))
    assert not [entry for entry in path.parent.iterdir() if "copy" in entry.name or "unfinished" in entry.name]

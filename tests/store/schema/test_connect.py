"""Tests of opening the file: durable for the writer, harmless for readers, with clear errors."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import peewee
import pytest

from edge.core.errors import StoreError
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.schema.connect import open_database
from edge.store.schema.versions import create_tables
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from peewee import SqliteDatabase

    from edge.config.schema import FloorConfig
    from edge.core.events import Event


def test_a_writing_handle_is_durable_and_checks_foreign_keys(sqlite_db: SqliteDatabase) -> None:
    """Write-ahead log, full synchronisation, foreign keys and a busy time-out are on."""
    assert sqlite_db.pragma("journal_mode") == "wal"
    assert sqlite_db.pragma("synchronous") == 2
    assert sqlite_db.pragma("foreign_keys") == 1
    assert sqlite_db.pragma("busy_timeout") == 5000


def test_a_new_file_has_small_pages_and_a_log_of_4_mib(sqlite_db: SqliteDatabase) -> None:
    """An event writes little, and the log is copied at the same length whatever the size of a page."""
    assert sqlite_db.pragma("page_size") == 1024
    assert sqlite_db.pragma("wal_autocheckpoint") == 4096
    assert sqlite_db.pragma("journal_size_limit") == 4 * 1024 * 1024


def test_a_file_with_other_pages_keeps_them(path: Path) -> None:
    """Earlier releases made larger pages; the log is copied at the same length."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA page_size = 4096")
        other.execute("VACUUM")
    with closing(open_database(path, busy_timeout=5.0)) as db:
        create_tables(db)
        assert db.pragma("page_size") == 4096
        assert db.pragma("wal_autocheckpoint") == 1024


@pytest.mark.parametrize(
    "name",
    ["wh?t.db", "a#b.db", "100%20.db", "with space.db", "file:x?mode=memory", ":memory:", "ü✓.db", "%zz&b=c.db"],
)
def test_any_file_name_works_for_both_kinds_of_handle(
    tmp_path: Path, name: str, floors: tuple[FloorConfig, ...], now: datetime
) -> None:
    """Characters that have a meaning in a URI are part of the name of the file or the folder."""
    path = tmp_path / f"folder {name}" / name
    writer = open_database(path, busy_timeout=1.0)
    create_tables(writer)
    Floors(writer).create_missing(floors, now)
    assert path.is_file()
    reader = open_database(path, busy_timeout=1.0, read_only=True)
    assert [floor.name for floor in Floors(reader).all()] == ["Ground", "Roof"]
    reader.close()
    writer.close()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [f"folder {name}"]


def test_a_relative_path_is_one_file_for_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, floors: tuple[FloorConfig, ...], now: datetime
) -> None:
    """Writers and readers take a path without a folder from the working directory."""
    monkeypatch.chdir(tmp_path)
    with closing(open_database(Path("x.db"), busy_timeout=1.0)) as writer:
        create_tables(writer)
        Floors(writer).create_missing(floors, now)
        with closing(open_database(Path("x.db"), busy_timeout=1.0, read_only=True)) as reader:
            assert len(Floors(reader).all()) == 2


def test_a_reader_cannot_write(
    sqlite_db: SqliteDatabase, path: Path, make_event: Callable[..., Event], now: datetime
) -> None:
    """SQLite itself refuses a write on a read-only handle."""
    with closing(open_database(path, busy_timeout=1.0, read_only=True)) as reader:
        with pytest.raises(peewee.OperationalError, match="readonly"):
            reader.execute_sql("DELETE FROM floors")
        with pytest.raises(StoreError, match="readonly"):
            Events(reader).record(make_event(1), now)
    assert len(Floors(sqlite_db).all()) == 2


def test_a_missing_file_is_reported_with_the_remedy(path: Path) -> None:
    """A reader names the path and creates no file."""
    with pytest.raises(StoreError, match="there is no database; start `smartpark run`") as caught:
        open_database(path, busy_timeout=1.0, read_only=True)
    assert str(path) in str(caught.value)
    assert not path.exists()


def test_a_reader_of_an_empty_file_is_refused(path: Path) -> None:
    """Before the first start there are no tables to read."""
    path.touch()
    with pytest.raises(StoreError, match="no tables yet"):
        open_database(path, busy_timeout=1.0, read_only=True)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path, *, read_only: bool) -> None:
    """The message has the remedy."""
    with pytest.raises(StoreError, match="is a folder; set"):
        open_database(tmp_path, busy_timeout=1.0, read_only=read_only)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """The folder of the database cannot be created where a file is."""
    (tmp_path / "state").write_text("")
    with pytest.raises(StoreError, match=r"its folder cannot be created .*set \[database\] path"):
        open_database(tmp_path / "state" / "x.db", busy_timeout=1.0)


def test_a_database_that_stays_locked_is_refused(path: Path) -> None:
    """If another program keeps a new file locked, the call ends with an error."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE x (y)")
        other.execute("DROP TABLE x")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked; another program holds it"):
            open_database(path, busy_timeout=0.2)


def test_a_writing_handle_works_in_its_thread_only(sqlite_db: SqliteDatabase) -> None:
    """In another thread it raises an error instead of opening a second connection."""
    errors: list[Exception] = []

    def use() -> None:
        try:
            Floors(sqlite_db).all()
        except StoreError as error:
            errors.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert len(errors) == 1


def test_a_readers_handle_works_in_any_thread(sqlite_db: SqliteDatabase, path: Path) -> None:
    """Each thread gets a connection of its own from a read-only handle."""
    reader = open_database(path, busy_timeout=1.0, read_only=True)
    seen: list[int] = []

    def use() -> None:
        seen.append(len(Floors(reader).all()))
        seen.append(int(reader.pragma("query_only")))
        reader.close()

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert seen == [2, 1]
    assert len(Floors(reader).all()) == 2
    reader.close()


def test_readers_meet_no_error_while_a_writer_writes(
    sqlite_db: SqliteDatabase, path: Path, make_event: Callable[..., Event], now: datetime
) -> None:
    """Three readers see complete transactions only; one of them opens the file again and again."""
    stop = threading.Event()
    errors: list[BaseException] = []
    reads = [0, 0, 0]

    def read(index: int) -> None:
        try:
            reader = open_database(path, busy_timeout=5.0, read_only=True)
            while not stop.is_set():
                assert verify(reader) == []
                waiting, stored = Outbox(reader).count(), Events(reader).count()
                assert stored >= waiting
                Events(reader).newest(20)
                reads[index] += 1
                if index == 0:
                    reader.close()
                    reader = open_database(path, busy_timeout=5.0, read_only=True)
            reader.close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=read, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    events = Events(sqlite_db)
    n = 0
    while n < 150 or (min(reads) < 5 and not errors):
        events.record_all([make_event(n), make_event(n, camera_id="other", floor="Roof")], now)
        n += 1
        if n % 50 == 0:
            sqlite_db.execute_sql("PRAGMA wal_checkpoint(PASSIVE)")
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert min(reads) >= 5

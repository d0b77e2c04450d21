"""The write-ahead log stays short, whoever reads and writes beside a clean-up."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from edge.core.errors import StoreError
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.schema.connect import WAL_BYTES, open_database
from edge.store.sql.query import execute_sql, read_transaction
from edge.store.upkeep import wal as log
from edge.store.upkeep.cleanup import remove_old_events
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from peewee import SqliteDatabase

    from edge.core.events import Event
    from edge.store.counts.audit import Attribution

EVENTS = 20_000
# What others write and one round of batches come on top of where the log is begun anew.
BOUND = 2 * WAL_BYTES


def fill(db: SqliteDatabase, make_event: Callable[..., Event], now: datetime, number: int) -> None:
    """So many old events that the broker has acknowledged; not durably, which is quick."""
    execute_sql(db, "PRAGMA synchronous = OFF")
    old = now - timedelta(days=50)
    for start in range(0, number, 1000):
        batch = [make_event(n, timestamp=old + timedelta(seconds=n)) for n in range(start, start + 1000)]
        Events(db).record_all(batch, now)
    execute_sql(db, "DELETE FROM outbox")
    execute_sql(db, "PRAGMA synchronous = FULL")
    execute_sql(db, "PRAGMA wal_checkpoint(TRUNCATE)")


def test_a_clean_up_keeps_the_log_short_beside_a_reader_and_a_writer(
    sqlite_db: SqliteDatabase, path: Path, make_event: Callable[..., Event], act: Attribution
) -> None:
    """While 20,000 events go, a handle stays open to look for changes, others read, and a camera records."""
    fill(sqlite_db, make_event, act.at, EVENTS)
    wal = path.with_name(path.name + "-wal")
    ended = threading.Event()
    longest, recorded, read = [0], [0], [0]

    def record() -> None:
        with closing(open_database(path, busy_timeout=10.0)) as db:
            while not ended.wait(0.02):
                Events(db).record(make_event(recorded[0], camera_id="live"), act.at)
                recorded[0] += 1

    def look() -> None:
        with closing(open_database(path, busy_timeout=10.0, read_only=True)) as kept:
            while not ended.wait(0.01):
                execute_sql(kept, "PRAGMA data_version")
                with closing(open_database(path, busy_timeout=10.0, read_only=True)) as db:
                    Floors(db).all()
                    Events(db).newest(50, floor="Ground")
                read[0] += 1
                longest[0] = max(longest[0], wal.stat().st_size)

    threads = [threading.Thread(target=work) for work in (record, look)]
    for thread in threads:
        thread.start()
    try:
        done = remove_old_events(sqlite_db, 7, act)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert done.removed == EVENTS
    assert recorded[0] > 10
    assert read[0] > 10
    assert 0 < longest[0] < BOUND
    assert verify(sqlite_db) == []


def test_a_clean_up_waits_for_a_long_read(
    sqlite_db: SqliteDatabase,
    path: Path,
    make_event: Callable[..., Event],
    act: Attribution,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It writes nothing more while a reader keeps a log that is long already, and goes on when that has ended."""
    monkeypatch.setattr(log, "RESTART_BYTES", 50_000)
    monkeypatch.setattr(log, "MOST_BYTES", 100_000)
    fill(sqlite_db, make_event, act.at, 3000)
    wal = path.with_name(path.name + "-wal")
    waited: list[int] = []
    with closing(open_database(path, busy_timeout=5.0, read_only=True)) as reader:
        execute_sql(reader, "BEGIN")
        execute_sql(reader, "SELECT count(*) FROM events")

        def pause(seconds: float) -> None:
            if seconds == log._WAIT_SECONDS:
                waited.append(wal.stat().st_size)
                if len(waited) == 20:
                    execute_sql(reader, "COMMIT")

        done = remove_old_events(sqlite_db, 7, act, pause)
    assert done.removed == 3000
    assert len(waited) == 20
    assert len(set(waited)) == 1
    assert verify(sqlite_db) == []


def test_a_read_without_end_breaks_the_clean_up_off(
    sqlite_db: SqliteDatabase,
    path: Path,
    make_event: Callable[..., Event],
    act: Attribution,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a sentence; what was removed stays removed, and the next run does the rest."""
    monkeypatch.setattr(log, "RESTART_BYTES", 50_000)
    monkeypatch.setattr(log, "MOST_BYTES", 100_000)
    monkeypatch.setattr(log, "LONGEST_WAIT_SECONDS", 0.0)
    fill(sqlite_db, make_event, act.at, 3000)
    with closing(open_database(path, busy_timeout=5.0, read_only=True)) as reader, read_transaction(reader):
        Floors(reader).all()
        with pytest.raises(StoreError, match="another program has been reading it for 0 s"):
            remove_old_events(sqlite_db, 7, act, lambda _: None)
    left = Events(sqlite_db).count()
    assert 0 < left < 3000
    assert verify(sqlite_db) == []
    assert remove_old_events(sqlite_db, 7, act, lambda _: None).removed == left


def test_commits_copy_the_log_again_after_a_clean_up(sqlite_db: SqliteDatabase, act: Attribution) -> None:
    """The handle is left as it was."""
    before = sqlite_db.pragma("wal_autocheckpoint"), sqlite_db.timeout
    remove_old_events(sqlite_db, 7, act, lambda _: None)
    assert (sqlite_db.pragma("wal_autocheckpoint"), sqlite_db.timeout) == before

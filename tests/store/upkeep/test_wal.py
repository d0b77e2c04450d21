"""Tests of the write-ahead log beside a clean-up: it stays short, and a long read is waited for."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from edge.core.errors import StoreError
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.schema import connect
from edge.store.schema.connect import WAL_BYTES, open_database
from edge.store.sql.query import execute_sql, pragma, read_transaction
from edge.store.upkeep import wal
from edge.store.upkeep.cleanup import remove_old_events
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from peewee import SqliteDatabase

    from edge.core.events import Event
    from edge.store.counts.audit import Attribution

EVENTS = 3000
# As the product's own limits, but for a log that is a sixteenth as long.
SMALL_WAL_BYTES = WAL_BYTES // 16


@pytest.fixture
def small_wal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of the log that a few thousand events reach."""
    monkeypatch.setattr(connect, "WAL_BYTES", SMALL_WAL_BYTES)
    monkeypatch.setattr(wal, "RESTART_BYTES", SMALL_WAL_BYTES // 4)
    monkeypatch.setattr(wal, "MOST_BYTES", 4 * SMALL_WAL_BYTES)


@pytest.fixture
def tiny_wal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of the log that a few batches reach."""
    monkeypatch.setattr(wal, "RESTART_BYTES", 50_000)
    monkeypatch.setattr(wal, "MOST_BYTES", 100_000)


def fill(db: SqliteDatabase, make_event: Callable[..., Event], now: datetime) -> None:
    """Record old events that the broker has acknowledged, without waiting for the disk."""
    pragma(db, "synchronous", "OFF")
    old = now - timedelta(days=50)
    Events(db).record_all([make_event(n, timestamp=old + timedelta(seconds=n)) for n in range(EVENTS)], now)
    execute_sql(db, "DELETE FROM outbox")
    pragma(db, "synchronous", "FULL")
    execute_sql(db, "PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.mark.usefixtures("small_wal")
def test_a_clean_up_keeps_the_log_short_beside_readers_and_a_writer(
    sqlite_db: SqliteDatabase, path: Path, make_event: Callable[..., Event], by: Attribution
) -> None:
    """Between the batches a camera records and others read, on connections that stay open: the log stays short.

    Its length is what the batches between two checkpoints write, beyond the length at which it is restarted.
    """
    fill(sqlite_db, make_event, by.at)
    lengths: list[int] = []
    with (
        closing(open_database(path, busy_timeout=10.0)) as writer,
        closing(open_database(path, busy_timeout=10.0, read_only=True)) as reader,
    ):

        def work(_: float) -> None:
            Events(writer).record(make_event(len(lengths), camera_id="live"), by.at)
            pragma(reader, "data_version")
            Floors(reader).all()
            Events(reader).newest(50, floor="Ground")
            lengths.append(path.with_name(path.name + "-wal").stat().st_size)

        done = remove_old_events(sqlite_db, 7, by, work)
    assert done.removed == EVENTS
    assert len(lengths) > 10
    assert 0 < max(lengths) < 2 * SMALL_WAL_BYTES
    assert verify(sqlite_db) == []


@pytest.mark.usefixtures("tiny_wal")
def test_a_clean_up_waits_for_a_long_read(
    sqlite_db: SqliteDatabase,
    path: Path,
    make_event: Callable[..., Event],
    by: Attribution,
) -> None:
    """It writes nothing more while a reader keeps a long log, and goes on when the read has ended."""
    fill(sqlite_db, make_event, by.at)
    waited: list[int] = []
    with closing(open_database(path, busy_timeout=5.0, read_only=True)) as reader:
        execute_sql(reader, "BEGIN")
        execute_sql(reader, "SELECT count(*) FROM events")

        def pause(seconds: float) -> None:
            if seconds == wal._WAIT_SECONDS:
                waited.append(path.with_name(path.name + "-wal").stat().st_size)
                if len(waited) == 20:
                    execute_sql(reader, "COMMIT")

        done = remove_old_events(sqlite_db, 7, by, pause)
    assert done.removed == EVENTS
    assert len(waited) == 20
    assert len(set(waited)) == 1
    assert verify(sqlite_db) == []


@pytest.mark.usefixtures("tiny_wal")
def test_a_read_that_does_not_end_interrupts_the_clean_up(
    sqlite_db: SqliteDatabase,
    path: Path,
    make_event: Callable[..., Event],
    by: Attribution,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error says why; what was removed stays removed, and the next run removes the rest."""
    monkeypatch.setattr(wal, "LONGEST_WAIT_SECONDS", 0.0)
    fill(sqlite_db, make_event, by.at)
    with closing(open_database(path, busy_timeout=5.0, read_only=True)) as reader, read_transaction(reader):
        Floors(reader).all()
        with pytest.raises(StoreError, match="another program has been reading it for 0 s"):
            remove_old_events(sqlite_db, 7, by, lambda _: None)
    left = Events(sqlite_db).count()
    assert 0 < left < EVENTS
    assert verify(sqlite_db) == []
    assert remove_old_events(sqlite_db, 7, by, lambda _: None).removed == left


def test_a_clean_up_restores_the_handles_settings(sqlite_db: SqliteDatabase, by: Attribution) -> None:
    """Commits copy the log by themselves again, and the busy time-out is as before."""
    before = pragma(sqlite_db, "wal_autocheckpoint"), sqlite_db.timeout
    remove_old_events(sqlite_db, 7, by, lambda _: None)
    assert (pragma(sqlite_db, "wal_autocheckpoint"), sqlite_db.timeout) == before

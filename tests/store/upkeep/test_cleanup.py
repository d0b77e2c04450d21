"""Tests of removing old events in small batches; statistics, counts and ledger stay."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from peewee import SqliteDatabase

from edge.core.errors import RefusedError
from edge.store.counts.audit import Attribution, Audit
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.sql.query import execute_sql
from edge.store.upkeep import cleanup
from edge.store.upkeep.cleanup import BATCH_SECONDS, remove_floor, remove_old_events
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from peewee import Database

    from edge.core.events import Event


Handle = TypeVar("Handle", bound="Database")


def no_pause(_: float) -> None:
    """Do not wait between batches."""


def record_events(db: Handle, make_event: Callable[..., Event], now: datetime) -> Handle:
    """Two events a day on Ground for 100 days up to now, as many on Roof at once, all acknowledged by the broker."""
    ground = [make_event(n, timestamp=now - timedelta(hours=12 * n)) for n in range(200)]
    Events(db).record_all([*ground, *(make_event(n, floor="Roof", track_id=f"r{n}") for n in range(200))], now)
    Outbox(db).acknowledge(range(1, 1000))
    return db


@pytest.fixture
def filled(db: Database, make_event: Callable[..., Event], now: datetime) -> Database:
    """A database with these events."""
    return record_events(db, make_event, now)


def test_events_older_than_so_many_days_are_removed(filled: Database, by: Attribution, now: datetime) -> None:
    """By whole hours; counts, ledger and totals stay, and the audit log has who removed how many."""
    floors = Floors(filled).all(deleted=True)
    done = remove_old_events(filled, 30, by, no_pause)
    assert done.before == (now - timedelta(days=30)).replace(minute=0, second=0, microsecond=0)
    assert done.removed == 139
    assert Events(filled).count() == 400 - 139
    assert Events(filled).oldest(1)[0].timestamp >= done.before
    assert Floors(filled).all(deleted=True) == floors
    assert verify(filled) == []
    [(removed,)] = filled.execute_sql("SELECT sum(removed_entries + removed_exits) FROM event_hourly").fetchall()
    assert removed == 139
    end, begin = Audit(filled).newest()
    assert (begin.action, end.action, end.actor, end.subject) == (
        *("cleanup begins", "cleanup", "anna"),
        "events older than 30 days",
    )
    assert end.after == {"before": done.before.isoformat(), "removed": 139}
    assert remove_old_events(filled, 30, by, no_pause).removed == 0
    assert len(Audit(filled).newest()) == 2


def test_an_event_in_the_outbox_stays(
    filled: Database, make_event: Callable[..., Event], by: Attribution, now: datetime
) -> None:
    """An old event is kept until the broker has acknowledged it."""
    old = Events(filled).record(make_event(9999, timestamp=now - timedelta(days=90)), now)
    remove_old_events(filled, 30, by, no_pause)
    assert Events(filled).oldest(1) == [old.event]
    assert Outbox(filled).count() == 1
    Outbox(filled).acknowledge([Outbox(filled).pending(1)[0].id])
    assert remove_old_events(filled, 30, by, no_pause).removed == 1
    assert verify(filled) == []


def test_a_clean_up_can_be_interrupted_and_repeated(filled: Database, by: Attribution) -> None:
    """Between two batches the database is consistent; the next run removes the rest."""

    class StoppedError(Exception):
        pass

    def stop(_: float) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        remove_old_events(filled, 30, by, stop)
    left = Events(filled).count()
    assert 261 < left < 400
    assert verify(filled) == []
    assert [line.action for line in Audit(filled).newest()] == ["cleanup begins"]
    assert remove_old_events(filled, 30, by, no_pause).removed == left - 261
    assert verify(filled) == []


@pytest.mark.parametrize("days", [0, -1, 10**9, True])
def test_an_impossible_number_of_days_is_refused(filled: Database, by: Attribution, days: int) -> None:
    """Nothing is removed."""
    with pytest.raises(RefusedError, match="it must be a whole number from 1 to 36500"):
        remove_old_events(filled, days, by, no_pause)
    assert Events(filled).count() == 400


def test_a_floor_is_deleted_for_good(filled: Database, make_event: Callable[..., Event], by: Attribution) -> None:
    """Its events, totals, adjustments and outbox rows are deleted; the other floor keeps its own."""
    Events(filled).record(make_event(9999, floor="Roof"), by.at)
    ground = Floors(filled).by_name("Ground")
    done = remove_floor(filled, "Roof", by, no_pause)
    assert done.removed == 201
    assert Floors(filled).all(deleted=True) == [ground]
    assert Events(filled).count() == 200
    assert Outbox(filled).count() == 0
    for table in ("event_hourly", "adjustments"):
        query = f"SELECT count(*) FROM {table} WHERE floor_id <> {ground.floor_id}"
        assert filled.execute_sql(query).fetchone() == (0,)
    assert verify(filled) == []
    line, hidden = Audit(filled).newest()
    assert (line.action, hidden.action) == ("delete for good", "delete")
    assert line.before is not None
    assert line.before["events"] == 201
    with pytest.raises(RefusedError, match="no floor 'Roof'"):
        remove_floor(filled, "Roof", by, no_pause)


def test_others_can_write_between_two_batches(
    db: Database, beside: Callable[[Database], Database], make_event: Callable[..., Event], by: Attribution
) -> None:
    """After each batch another connection records an event at once, without waiting for a lock."""
    old = by.at - timedelta(days=50)
    Events(db).record_all([make_event(n, timestamp=old + timedelta(seconds=n)) for n in range(300)], by.at)
    Outbox(db).acknowledge(range(1, 1000))
    other = beside(db)
    if isinstance(other, SqliteDatabase):
        other.timeout = 0
    else:
        execute_sql(other, "SET lock_timeout = '1ms'")
    batches: list[int] = []

    def record(_: float) -> None:
        number = len(batches)
        assert Events(other).record(make_event(number, camera_id="live"), by.at).inserted
        batches.append(Events(other).count())

    done = remove_old_events(db, 7, by, record)
    assert done.removed == 300
    assert done.batches == len(batches) > 2
    assert Events(db).count() == len(batches)
    assert verify(db) == []


@pytest.mark.long
def test_a_writer_beside_it_records_all_the_time(
    db: Database, beside: Callable[[Database], Database], make_event: Callable[..., Event], by: Attribution
) -> None:
    """While thousands of events are removed, another thread records, and the database is consistent at the end."""
    old = by.at - timedelta(days=50)
    for start in range(0, 6000, 100):
        batch = [make_event(n, timestamp=old + timedelta(seconds=n)) for n in range(start, start + 100)]
        Events(db).record_all(batch, by.at)
    Outbox(db).acknowledge(range(1, 10_000))
    ended = threading.Event()
    recorded: list[bool] = []

    def record() -> None:
        with closing(beside(db)) as other:
            while not ended.is_set() or len(recorded) < 20:
                recorded.append(Events(other).record(make_event(len(recorded), camera_id="live"), by.at).inserted)
                ended.wait(0.02)

    thread = threading.Thread(target=record)
    thread.start()
    try:
        done = remove_old_events(db, 7, by)
    finally:
        ended.set()
        thread.join()
    assert done.removed == 6000
    assert all(recorded)
    assert verify(db) == []


class SlowDatabase:
    """A clock that a database moves: each commit takes time, and each event that is removed."""

    def __init__(self, db: SqliteDatabase, monkeypatch: pytest.MonkeyPatch, commit: float, event: float) -> None:
        self.now = 0.0
        self._commit, self._remove_batch = db.commit, cleanup._Remover._remove_batch
        self._commit_seconds, self._event_seconds = commit, event
        monkeypatch.setattr(cleanup.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(db, "commit", self.commit)
        monkeypatch.setattr(cleanup._Remover, "_remove_batch", lambda remover, ids: self.remove(remover, ids))

    def commit(self) -> bool:
        """Commit slowly."""
        self.now += self._commit_seconds
        return bool(self._commit())

    def remove(self, remover: Any, ids: list[int]) -> None:
        """Remove events slowly."""
        self.now += self._event_seconds * len(ids)
        self._remove_batch(remover, ids)


def record_old_events(db: Database, make_event: Callable[..., Event], now: datetime, number: int) -> None:
    """Events of 50 days before, all acknowledged by the broker."""
    old = now - timedelta(days=50)
    Events(db).record_all([make_event(n, timestamp=old + timedelta(seconds=n)) for n in range(number)], now)
    Outbox(db).acknowledge(range(1, number + 1))


def test_a_slow_disk_does_not_make_the_batches_small(
    sqlite_db: SqliteDatabase,
    make_event: Callable[..., Event],
    by: Attribution,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every commit waits for the disk whatever its size, so batches grow, and there are fewer waits."""
    record_old_events(sqlite_db, make_event, now, 3000)
    SlowDatabase(sqlite_db, monkeypatch, commit=0.3, event=0.0)
    done = remove_old_events(sqlite_db, 7, by, no_pause)
    assert done.removed == 3000
    assert done.longest_seconds >= 0.3
    assert done.batches < 15


def test_batches_take_as_long_as_they_should(
    sqlite_db: SqliteDatabase,
    make_event: Callable[..., Event],
    by: Attribution,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where an event takes 0.1 ms the batches grow to 100 events, which take 0.01 s, and not further."""
    record_old_events(sqlite_db, make_event, now, 3000)
    SlowDatabase(sqlite_db, monkeypatch, commit=0.003, event=0.0001)
    done = remove_old_events(sqlite_db, 7, by, no_pause)
    assert done.removed == 3000
    assert done.longest_seconds == pytest.approx(BATCH_SECONDS + 0.003, rel=0.01)
    assert done.batches == pytest.approx(3000 / 100, abs=5)


def test_a_lock_interrupts_a_clean_up_between_batches(
    sqlite_db: SqliteDatabase, path: Path, make_event: Callable[..., Event], by: Attribution, now: datetime
) -> None:
    """The batches before it are removed, and the database is consistent."""
    filled = record_events(sqlite_db, make_event, now)
    filled.timeout = 0.01
    with closing(sqlite3.connect(path, isolation_level=None)) as other:

        def lock(_: float) -> None:
            other.execute("BEGIN IMMEDIATE")

        with pytest.raises(Exception, match="locked"):
            remove_old_events(filled, 30, by, lock)
        other.execute("ROLLBACK")
    assert verify(filled) == []
    assert 261 < Events(filled).count() < 400

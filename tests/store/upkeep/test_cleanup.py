"""Old events go in small steps, and nothing that is said of them later changes."""

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
    """The tests need not let anybody in."""


def fill(db: Handle, make_event: Callable[..., Event], now: datetime) -> Handle:
    """Two events a day on Ground for 100 days up to now, as many on Roof at once, all acknowledged by the broker."""
    ground = [make_event(n, timestamp=now - timedelta(hours=12 * n)) for n in range(200)]
    Events(db).record_all([*ground, *(make_event(n, floor="Roof", track_id=f"r{n}") for n in range(200))], now)
    Outbox(db).acknowledge(range(1, 1000))
    return db


@pytest.fixture
def year(db: Database, make_event: Callable[..., Event], now: datetime) -> Database:
    """A database that is filled so."""
    return fill(db, make_event, now)


def test_events_older_than_so_many_days_go(year: Database, act: Attribution, now: datetime) -> None:
    """By whole hours; counts, ledger and totals stay, the log says who took how many."""
    floors = Floors(year).all(deleted=True)
    done = remove_old_events(year, 30, act, no_pause)
    assert done.before == (now - timedelta(days=30)).replace(minute=0, second=0, microsecond=0)
    assert done.removed == 139
    assert Events(year).count() == 400 - 139
    assert Events(year).oldest(1)[0].timestamp >= done.before
    assert Floors(year).all(deleted=True) == floors
    assert verify(year) == []
    [(removed,)] = year.execute_sql("SELECT sum(removed_entries + removed_exits) FROM event_hourly").fetchall()
    assert removed == 139
    end, begin = Audit(year).newest()
    assert (begin.action, end.action, end.actor, end.subject) == (
        *("cleanup begins", "cleanup", "anna"),
        "events older than 30 days",
    )
    assert end.after == {"before": done.before.isoformat(), "removed": 139}
    assert remove_old_events(year, 30, act, no_pause).removed == 0
    assert len(Audit(year).newest()) == 2


def test_what_the_broker_has_not_got_stays(
    year: Database, make_event: Callable[..., Event], act: Attribution, now: datetime
) -> None:
    """An old event in the outbox is kept until it was acknowledged."""
    old = Events(year).record(make_event(9999, timestamp=now - timedelta(days=90)), now)
    remove_old_events(year, 30, act, no_pause)
    assert Events(year).oldest(1) == [old.event]
    assert Outbox(year).count() == 1
    Outbox(year).acknowledge([Outbox(year).pending(1)[0].id])
    assert remove_old_events(year, 30, act, no_pause).removed == 1
    assert verify(year) == []


def test_it_can_be_broken_off_and_taken_up_again(year: Database, act: Attribution) -> None:
    """Between two batches everything agrees; the next run does the rest."""

    class StoppedError(Exception):
        pass

    def stop(_: float) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        remove_old_events(year, 30, act, stop)
    left = Events(year).count()
    assert 261 < left < 400
    assert verify(year) == []
    assert [line.action for line in Audit(year).newest()] == ["cleanup begins"]
    assert remove_old_events(year, 30, act, no_pause).removed == left - 261
    assert verify(year) == []


@pytest.mark.parametrize("days", [0, -1, 10**9, True])
def test_an_impossible_number_of_days_is_refused(year: Database, act: Attribution, days: int) -> None:
    """Nothing is removed then."""
    with pytest.raises(RefusedError, match="it must be a whole number from 1 to 36500"):
        remove_old_events(year, days, act, no_pause)
    assert Events(year).count() == 400


def test_a_floor_is_deleted_for_good(year: Database, make_event: Callable[..., Event], act: Attribution) -> None:
    """With its events, totals, adjustments and what waits of it in the outbox; the other floor is untouched."""
    Events(year).record(make_event(9999, floor="Roof"), act.at)
    ground = Floors(year).by_name("Ground")
    done = remove_floor(year, "Roof", act, no_pause)
    assert done.removed == 201
    assert Floors(year).all(deleted=True) == [ground]
    assert Events(year).count() == 200
    assert Outbox(year).count() == 0
    for table in ("event_hourly", "adjustments"):
        query = f"SELECT count(*) FROM {table} WHERE floor_id <> {ground.floor_id}"
        assert year.execute_sql(query).fetchone() == (0,)
    assert verify(year) == []
    line, hidden = Audit(year).newest()
    assert (line.action, hidden.action) == ("delete for good", "delete")
    assert line.before is not None
    assert line.before["events"] == 201
    with pytest.raises(RefusedError, match="no floor 'Roof'"):
        remove_floor(year, "Roof", act, no_pause)


def test_others_can_write_between_two_batches(
    db: Database, beside: Callable[[Database], Database], make_event: Callable[..., Event], act: Attribution
) -> None:
    """After each batch another connection records an event at once, without waiting for a lock."""
    old = act.at - timedelta(days=50)
    Events(db).record_all([make_event(n, timestamp=old + timedelta(seconds=n)) for n in range(300)], act.at)
    Outbox(db).acknowledge(range(1, 1000))
    other = beside(db)
    if isinstance(other, SqliteDatabase):
        other.timeout = 0
    else:
        execute_sql(other, "SET lock_timeout = '1ms'")
    batches: list[int] = []

    def record(_: float) -> None:
        number = len(batches)
        assert Events(other).record(make_event(number, camera_id="live"), act.at).inserted
        batches.append(Events(other).count())

    done = remove_old_events(db, 7, act, record)
    assert done.removed == 300
    assert done.batches == len(batches) > 2
    assert Events(db).count() == len(batches)
    assert verify(db) == []


@pytest.mark.long
def test_a_writer_beside_it_records_all_the_time(
    db: Database, beside: Callable[[Database], Database], make_event: Callable[..., Event], act: Attribution
) -> None:
    """While thousands of events are removed, another thread records, and the database is consistent at the end."""
    old = act.at - timedelta(days=50)
    for start in range(0, 6000, 100):
        batch = [make_event(n, timestamp=old + timedelta(seconds=n)) for n in range(start, start + 100)]
        Events(db).record_all(batch, act.at)
    Outbox(db).acknowledge(range(1, 10_000))
    ended = threading.Event()
    recorded: list[bool] = []

    def record() -> None:
        with closing(beside(db)) as other:
            while not ended.is_set() or len(recorded) < 20:
                recorded.append(Events(other).record(make_event(len(recorded), camera_id="live"), act.at).inserted)
                ended.wait(0.02)

    thread = threading.Thread(target=record)
    thread.start()
    try:
        done = remove_old_events(db, 7, act)
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
    act: Attribution,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every commit waits for the disk whatever its size, so batches grow, and there are fewer waits."""
    record_old_events(sqlite_db, make_event, now, 3000)
    SlowDatabase(sqlite_db, monkeypatch, commit=0.3, event=0.0)
    done = remove_old_events(sqlite_db, 7, act, no_pause)
    assert done.removed == 3000
    assert done.longest_seconds >= 0.3
    assert done.batches < 15


def test_batches_take_as_long_as_they_should(
    sqlite_db: SqliteDatabase,
    make_event: Callable[..., Event],
    act: Attribution,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where an event takes 0.1 ms the batches grow to 100 events, which take 0.01 s, and not further."""
    record_old_events(sqlite_db, make_event, now, 3000)
    SlowDatabase(sqlite_db, monkeypatch, commit=0.003, event=0.0001)
    done = remove_old_events(sqlite_db, 7, act, no_pause)
    assert done.removed == 3000
    assert done.longest_seconds == pytest.approx(BATCH_SECONDS + 0.003, rel=0.01)
    assert done.batches == pytest.approx(3000 / 100, abs=5)


def test_a_locked_database_ends_it_without_harm(
    sqlite_db: SqliteDatabase, path: Path, make_event: Callable[..., Event], act: Attribution, now: datetime
) -> None:
    """What another program's lock interrupts was done batch by batch."""
    year = fill(sqlite_db, make_event, now)
    year.timeout = 0.01
    with closing(sqlite3.connect(path, isolation_level=None)) as other:

        def lock(_: float) -> None:
            other.execute("BEGIN IMMEDIATE")

        with pytest.raises(Exception, match="locked"):
            remove_old_events(year, 30, act, lock)
        other.execute("ROLLBACK")
    assert verify(year) == []
    assert 261 < Events(year).count() < 400

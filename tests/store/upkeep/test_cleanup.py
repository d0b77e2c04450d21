"""Old events go in small steps, and nothing that is said of them later changes."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import pytest

from edge.core.errors import RefusedError
from edge.store.counts.audit import Attribution, Audit
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.upkeep.cleanup import SMALLEST_BATCH, remove_floor, remove_old_events
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from peewee import Database, SqliteDatabase

    from edge.core.events import Event


Handle = TypeVar("Handle", bound="Database")


def no_pause(_: float) -> None:
    """The tests need not let anybody in."""


def fill(db: Handle, make_event: Callable[..., Event], now: datetime) -> Handle:
    """Two events a day on each floor for 100 days up to now, all acknowledged by the broker."""
    for n in range(200):
        at = now - timedelta(hours=12 * n)
        Events(db).record_all([make_event(n, timestamp=at), make_event(n, floor="Roof", track_id=f"r{n}")], now)
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


def test_a_writer_beside_it_waits_a_moment_at_most(
    db: Database, beside: Callable[[Database], Database], make_event: Callable[..., Event], act: Attribution
) -> None:
    """While thousands of events go in batches, another connection records all the time and all agrees at the end."""
    old = act.at - timedelta(days=50)
    for start in range(0, 6000, 100):
        batch = [make_event(n, timestamp=old + timedelta(seconds=n)) for n in range(start, start + 100)]
        Events(db).record_all(batch, act.at)
    Outbox(db).acknowledge(range(1, 10_000))
    ended = threading.Event()
    waits: list[float] = []

    def record() -> None:
        with closing(beside(db)) as other:
            n = 0
            while not ended.is_set() or n < 20:
                began = time.monotonic()
                Events(other).record(make_event(n, camera_id="live"), act.at)
                waits.append(time.monotonic() - began)
                n += 1
                ended.wait(0.02)

    thread = threading.Thread(target=record)
    thread.start()
    try:
        done = remove_old_events(db, 7, act)
    finally:
        ended.set()
        thread.join()
    assert done.removed == 6000
    assert done.batches > 5
    # Far above the aim, for machines that do other things: the bench measures, this finds a lock that is kept.
    assert sorted(waits)[len(waits) // 2] < 0.25
    assert verify(db) == []


def test_a_slow_disk_does_not_make_the_batches_small(
    sqlite_db: SqliteDatabase,
    make_event: Callable[..., Event],
    act: Attribution,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each commit waits for the disk whatever it holds, so fewer and larger ones are what brings the end nearer."""
    old = now - timedelta(days=50)
    Events(sqlite_db).record_all([make_event(n, timestamp=old + timedelta(seconds=n)) for n in range(3000)], now)
    Outbox(sqlite_db).acknowledge(range(1, 3001))
    commit = sqlite_db.commit

    def wait_for_the_disk() -> bool:
        time.sleep(0.03)
        return bool(commit())

    monkeypatch.setattr(sqlite_db, "commit", wait_for_the_disk)
    done = remove_old_events(sqlite_db, 7, act, no_pause)
    assert done.removed == 3000
    assert done.longest_seconds > 0.03
    assert done.batches < 3000 / SMALLEST_BATCH / 1.5


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

"""The writer loses nothing that it took in, whatever the disk does."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.errors import StoreError
from edge.store.counts.events import Events
from edge.store.counts.outbox import Outbox
from edge.store.schema.connect import open_database
from edge.store.store import open_store
from edge.store.upkeep.verify import verify
from edge.store.writing.writer import Writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from peewee import SqliteDatabase

    from edge.config.schema import FloorConfig
    from edge.core.events import Event
    from edge.store.counts.stored_event import Recorded

WAIT = 20.0


class Scene:
    """A writer's bench, and another program's connection that can keep the writer out."""

    def __init__(
        self,
        bench: Any,
        floors: tuple[FloorConfig, ...],
        other: sqlite3.Connection,
        eventually: Callable[..., None],
    ) -> None:
        self.bench = bench
        self.other = other
        self.eventually = eventually
        self._floors = floors

    def started(self, **options: int) -> Writer:
        """A writer with the floors, which nobody hinders yet."""
        writer: Writer = self.bench.started(self._floors, **options)
        return writer

    def shut_out(self, **options: int) -> Writer:
        """A writer that finds the database locked until ``let_in``."""
        writer = self.started(**options)
        self.lock()
        return writer

    def lock(self) -> None:
        """Hold the database's lock from now on."""
        self.other.execute("BEGIN IMMEDIATE")

    def let_in(self) -> None:
        """Give the lock back."""
        self.other.execute("ROLLBACK")

    def wait_for_trouble(self, writer: Writer) -> str:
        """What the writer says, once it is in trouble."""
        self.eventually(lambda: writer.status.problem is not None, WAIT)
        return str(writer.status.problem)

    @property
    def tracks(self) -> list[str]:
        """The track ids of all that was told as recorded, in order."""
        return [item.event.event.track_id for item in self.bench.recorded]

    def assert_holds(self, events: int) -> None:
        """So many events are in the database, and the floors equal the ledger."""
        with closing(self.bench.read()) as reader:
            assert Events(reader).count() == events
            assert verify(reader) == []


@pytest.fixture
def scene(
    bench: Any, floors: tuple[FloorConfig, ...], locked: sqlite3.Connection, eventually: Callable[..., None]
) -> Scene:
    """What a writer in trouble needs."""
    return Scene(bench, floors, locked, eventually)


def test_a_lock_is_waited_out_and_nothing_is_lost(
    scene: Scene, make_event: Callable[..., Event], caplog: pytest.LogCaptureFixture
) -> None:
    """While another program holds the lock the events wait, the trouble is told once, and then all are written."""
    writer = scene.shut_out()
    for n in range(30):
        writer.submit([make_event(n), make_event(n, floor="Roof", camera_id="other")])
    told = scene.wait_for_trouble(writer)
    success, answer = writer.status.last_success, writer.status.last_answer
    scene.eventually(lambda: writer.status.last_answer > answer, WAIT)
    assert writer.status.last_success == success
    assert not writer.status.healthy
    assert "another program holds it" in told
    assert writer.status.waiting == 60
    assert not writer.flush(0.05)
    scene.let_in()
    assert writer.flush(WAIT)
    assert (writer.status.healthy, writer.status.problem, writer.status.waiting, writer.status.dropped) == (
        True,
        None,
        0,
        0,
    )
    assert scene.tracks == [f"RUN-{n}" for n in range(30) for _ in range(2)]
    levels = [record.levelno for record in caplog.records if "database" in record.getMessage()]
    assert levels == [logging.ERROR, logging.WARNING]
    scene.assert_holds(60)


def test_work_that_piled_up_shares_transactions_and_a_refused_job_takes_no_other_with_it(
    scene: Scene, make_event: Callable[..., Event]
) -> None:
    """Of 250 jobs that waited every tenth is impossible; all others are written, in a few transactions."""
    statements: list[str] = []
    scene.bench.on_attempt = lambda handle: handle.connection().set_trace_callback(statements.append)
    writer = scene.shut_out()
    for n in range(250):
        writer.submit([make_event(n, **({"confidence": 1.2} if n % 10 == 3 else {}))])
    scene.wait_for_trouble(writer)
    statements.clear()
    scene.let_in()
    assert writer.flush(WAIT)
    assert statements.count("COMMIT") <= 4
    assert writer.status.refused == 25
    assert scene.tracks == [f"RUN-{n}" for n in range(250) if n % 10 != 3]
    assert len(scene.bench.told) <= 4
    scene.assert_holds(225)


def test_a_full_disk_is_waited_out_and_nothing_is_lost(scene: Scene, make_event: Callable[..., Event]) -> None:
    """SQLite's own "disk is full", in the middle of a transaction, is trouble that may pass, not a fault."""
    room = threading.Event()

    def limit(handle: SqliteDatabase) -> None:
        pages = 1_000_000 if room.is_set() else handle.pragma("page_count")
        handle.execute_sql(f"PRAGMA max_page_count = {pages}")

    writer = scene.started()
    scene.bench.on_attempt = limit
    for n in range(300):
        writer.submit([make_event(n), make_event(n, floor="Roof", camera_id="other")])
    assert "full; free some room" in scene.wait_for_trouble(writer)
    assert scene.bench.fatal == []
    with closing(scene.bench.read()) as reader:
        assert verify(reader) == []
    room.set()
    assert writer.flush(WAIT)
    assert [item.inserted for item in scene.bench.recorded] == [True] * 600
    scene.assert_holds(600)


def test_close_gives_up_in_time_and_says_what_it_lost(
    scene: Scene, make_event: Callable[..., Event], caplog: pytest.LogCaptureFixture
) -> None:
    """If the database stays locked, close returns False near its time, and each lost event stands in the log."""
    writer = scene.shut_out()
    events = [make_event(n) for n in range(3)]
    for event in events:
        writer.submit([event])
    began = time.monotonic()
    assert not writer.close(0.4)
    assert time.monotonic() - began < 5.0
    scene.let_in()
    assert writer.status.dropped == 3
    assert all(f"dropped, not recorded: event={event.event_id} camera=ramp" in caplog.text for event in events)


def test_a_close_interrupts_the_wait_between_attempts(
    scene: Scene, make_event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a minute to wait until the next attempt, a close tries at once and succeeds."""
    monkeypatch.setattr("edge.store.writing.status._FIRST_RETRY_SECONDS", 120.0)
    writer = scene.shut_out()
    writer.submit([make_event(1)])
    scene.wait_for_trouble(writer)
    scene.let_in()
    assert writer.close(WAIT)
    assert len(scene.bench.recorded) == 1


def test_what_exceeds_the_bound_is_dropped_counted_and_logged(
    scene: Scene, make_event: Callable[..., Event], caplog: pytest.LogCaptureFixture
) -> None:
    """With room for ten the newest are turned away after a short wait, and the ten are written later."""
    writer = scene.shut_out(queue_limit=10)
    for n in range(9):
        writer.submit([make_event(n)])
    began = time.monotonic()
    writer.submit([make_event(100), make_event(101)])
    assert time.monotonic() - began < 2.0
    writer.submit([make_event(9)])
    assert (writer.status.waiting, writer.status.dropped) == (10, 2)
    for n in (100, 101):
        assert f"dropped, not recorded: event={make_event(n).event_id} camera=ramp track=RUN-{n}" in caplog.text
    scene.let_in()
    assert writer.flush(WAIT)
    assert scene.tracks == [f"RUN-{n}" for n in range(10)]


def test_a_full_queue_that_gets_room_in_time_drops_nothing(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers that are faster than the disk are slowed down a little, not robbed; a big job fits an empty queue."""
    # How long the disk takes is not what this is about, and some take longer for one commit than callers wait.
    monkeypatch.setattr("edge.store.writing.job_queue._FULL_WAIT_SECONDS", WAIT)
    writer = bench.started(floors, queue_limit=3)
    writer.submit([make_event(1000 + n) for n in range(20)])
    for n in range(60):
        writer.submit([make_event(n)])
    assert writer.flush(WAIT)
    assert (writer.status.dropped, len(bench.recorded)) == (0, 80)


def test_acknowledgements_that_met_a_lock_are_written_later(scene: Scene, make_event: Callable[..., Event]) -> None:
    """They wait like events do, and events that come meanwhile are not held up for ever."""
    writer = scene.started()
    writer.submit([make_event(n) for n in range(3)])
    assert writer.flush(WAIT)
    scene.lock()
    writer.acknowledge([item.event.id for item in scene.bench.recorded])
    scene.wait_for_trouble(writer)
    writer.submit([make_event(9)])
    scene.let_in()
    assert writer.flush(WAIT)
    with closing(scene.bench.read()) as reader:
        assert [stored.track_id for stored in Outbox(reader).pending(9)] == ["RUN-9"]


def test_a_fault_stops_the_writer_and_is_told(
    scene: Scene, make_event: Callable[..., Event], caplog: pytest.LogCaptureFixture
) -> None:
    """A table that is gone is not waited for: the daemon hears of it once, and what waits is told as lost."""
    writer = scene.started()
    scene.other.execute("DROP TABLE outbox")
    writer.submit([make_event(1)])
    scene.eventually(lambda: scene.bench.fatal, WAIT)
    assert "no such table" in str(scene.bench.fatal[0])
    scene.eventually(lambda: writer.status.dropped == 1, WAIT)
    assert not writer.status.healthy
    writer.submit([make_event(2)])
    assert writer.status.dropped == 2
    assert "camera=ramp track=RUN-2: the writer has stopped" in caplog.text
    assert not writer.flush(WAIT)
    with pytest.raises(StoreError, match="the database is closed"):
        writer.create_missing_floors(())
    writer.close(WAIT)
    assert len(scene.bench.fatal) == 1
    assert scene.other.execute("SELECT COUNT(*) FROM events").fetchone() == (0,)


def test_a_callback_that_fails_is_a_fault_and_its_events_are_not_called_lost(
    path: Path, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], eventually: Callable[..., None]
) -> None:
    """The events were committed before the callback was called; the writer may itself be closed in ``on_fatal``."""
    fatal: list[BaseException] = []

    def refuse(_: list[Recorded]) -> None:
        raise ZeroDivisionError

    def on_fatal(error: BaseException) -> None:
        writer.close(1.0)
        fatal.append(error)

    writer = Writer(lambda: open_store(path, any_version=True), refuse, on_fatal)
    writer.start()
    writer.create_missing_floors(floors)
    writer.submit([make_event(1)])
    eventually(lambda: fatal, WAIT)
    assert isinstance(fatal[0], ZeroDivisionError)
    writer.close(WAIT)
    assert writer.status.dropped == 0
    with closing(open_database(path, busy_timeout=1.0, read_only=True)) as reader:
        assert Events(reader).count() == 1


def test_a_bad_database_stops_the_start(bench: Any, path: Path, make_event: Callable[..., Event]) -> None:
    """What is wrong with the file is raised by start, and a close after that is harmless."""
    path.write_bytes(b"no database" * 1000)
    writer = bench.writer()
    writer.submit([make_event(1)])
    with pytest.raises(StoreError, match="not a SQLite database"):
        writer.start()
    with pytest.raises(RuntimeError, match="started once"):
        writer.start()
    assert not writer.status.healthy
    assert writer.status.dropped == 1
    writer.close(WAIT)


def test_a_locked_database_stops_the_start(bench: Any, path: Path, locked: sqlite3.Connection) -> None:
    """A new file that another program holds is told after the busy time-out."""
    locked.execute("PRAGMA journal_mode = WAL")
    locked.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked; another program holds it"):
        bench.writer().start()
    locked.execute("ROLLBACK")

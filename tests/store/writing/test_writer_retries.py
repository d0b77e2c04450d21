"""Tests of the writer while the database cannot be written: it loses no event that it has accepted."""

from __future__ import annotations

import logging
import threading
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

WAIT = 60.0


class Scene:
    """A writer's bench, and another program's connection that can lock the writer out."""

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
        """A writer with the floors, not locked out."""
        writer: Writer = self.bench.started(self._floors, **options)
        return writer

    def locked_out(self, **options: int) -> Writer:
        """A writer that finds the database locked until ``unlock``."""
        writer = self.started(**options)
        self.lock()
        return writer

    def lock(self) -> None:
        """Lock the database."""
        self.other.execute("BEGIN IMMEDIATE")

    def unlock(self) -> None:
        """Release the lock."""
        self.other.execute("ROLLBACK")

    def wait_for_problem(self, writer: Writer) -> str:
        """The writer's problem, once it has one."""
        self.eventually(lambda: writer.status.problem is not None, WAIT)
        return str(writer.status.problem)

    @property
    def tracks(self) -> list[str]:
        """The track ids of all events reported as recorded, in order."""
        return [item.event.event.track_id for item in self.bench.recorded]

    def assert_stored(self, events: int) -> None:
        """So many events are in the database, and it verifies."""
        with closing(self.bench.read()) as reader:
            assert Events(reader).count() == events
            assert verify(reader) == []


@pytest.fixture
def scene(
    bench: Any, floors: tuple[FloorConfig, ...], other_program: sqlite3.Connection, eventually: Callable[..., None]
) -> Scene:
    """The bench and the other program."""
    return Scene(bench, floors, other_program, eventually)


def test_a_lock_is_waited_out_and_nothing_is_lost(
    scene: Scene, make_event: Callable[..., Event], caplog: pytest.LogCaptureFixture
) -> None:
    """While another program has the lock the events wait, the problem is logged once, and then all are written."""
    writer = scene.locked_out()
    for n in range(30):
        writer.submit([make_event(n), make_event(n, floor="Roof", camera_id="other")])
    problem = scene.wait_for_problem(writer)
    answer = writer.status.last_answer
    scene.eventually(lambda: writer.status.last_answer > answer, WAIT)
    assert "another program holds it" in problem
    assert writer.status.waiting == 60
    assert not writer.flush(0.05)
    scene.unlock()
    assert writer.flush(WAIT)
    status = writer.status
    assert (status.problem, status.waiting, status.dropped) == (None, 0, 0)
    assert scene.tracks == [f"RUN-{n}" for n in range(30) for _ in range(2)]
    levels = [record.levelno for record in caplog.records if "database" in record.getMessage()]
    assert levels == [logging.ERROR, logging.WARNING]
    scene.assert_stored(60)


def test_waiting_groups_share_transactions_and_a_refused_one_undoes_no_other(
    scene: Scene, make_event: Callable[..., Event]
) -> None:
    """Of 250 groups every tenth is impossible; all others are written, in a few transactions."""
    statements: list[str] = []
    scene.bench.on_attempt = lambda handle: handle.connection().set_trace_callback(statements.append)
    writer = scene.locked_out()
    for n in range(250):
        writer.submit([make_event(n, **({"confidence": 1.2} if n % 10 == 3 else {}))])
    scene.wait_for_problem(writer)
    statements.clear()
    scene.unlock()
    assert writer.flush(WAIT)
    assert statements.count("COMMIT") <= 4
    assert writer.status.refused == 25
    assert scene.tracks == [f"RUN-{n}" for n in range(250) if n % 10 != 3]
    assert len(scene.bench.reports) <= 4
    scene.assert_stored(225)


def test_a_full_disk_is_waited_out_and_nothing_is_lost(scene: Scene, make_event: Callable[..., Event]) -> None:
    """SQLite's "disk is full" in the middle of a transaction is an error that may pass."""
    room = threading.Event()

    def limit(handle: SqliteDatabase) -> None:
        pages = 1_000_000 if room.is_set() else handle.pragma("page_count")
        handle.execute_sql(f"PRAGMA max_page_count = {pages}")

    writer = scene.started()
    scene.bench.on_attempt = limit
    for n in range(300):
        writer.submit([make_event(n), make_event(n, floor="Roof", camera_id="other")])
    assert "full; free some room" in scene.wait_for_problem(writer)
    assert scene.bench.fatal == []
    with closing(scene.bench.read()) as reader:
        assert verify(reader) == []
    room.set()
    assert writer.flush(WAIT)
    assert [item.inserted for item in scene.bench.recorded] == [True] * 600
    scene.assert_stored(600)


def test_close_ends_in_time_and_logs_what_is_lost(
    scene: Scene, make_event: Callable[..., Event], caplog: pytest.LogCaptureFixture
) -> None:
    """If the database stays locked, close returns False, and the log has each lost event."""
    writer = scene.locked_out()
    events = [make_event(n) for n in range(3)]
    for event in events:
        writer.submit([event])
    assert not writer.close(0.4)
    scene.unlock()
    assert writer.status.dropped == 3
    assert all(f"dropped, not recorded: event={event.event_id} camera=ramp" in caplog.text for event in events)


def test_a_close_interrupts_the_wait_between_attempts(
    scene: Scene, make_event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a minute until the next attempt, a close tries at once and succeeds."""
    monkeypatch.setattr("edge.store.writing.status._FIRST_RETRY_SECONDS", 120.0)
    writer = scene.locked_out()
    writer.submit([make_event(1)])
    scene.wait_for_problem(writer)
    scene.unlock()
    assert writer.close(WAIT)
    assert len(scene.bench.recorded) == 1


def test_events_beyond_the_limit_are_dropped_counted_and_logged(
    scene: Scene, make_event: Callable[..., Event], caplog: pytest.LogCaptureFixture
) -> None:
    """With room for ten events newer ones are turned away, and the ten are written later."""
    writer = scene.locked_out(queue_limit=10)
    for n in range(9):
        writer.submit([make_event(n)])
    writer.submit([make_event(100), make_event(101)])
    writer.submit([make_event(9)])
    assert (writer.status.waiting, writer.status.dropped) == (10, 2)
    for n in (100, 101):
        assert f"dropped, not recorded: event={make_event(n).event_id} camera=ramp track=RUN-{n}" in caplog.text
    scene.unlock()
    assert writer.flush(WAIT)
    assert scene.tracks == [f"RUN-{n}" for n in range(10)]


def test_a_full_queue_that_gets_room_in_time_drops_nothing(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers that are faster than the disk wait for room; a group larger than the limit fits an empty queue."""
    # Some disks take longer for one commit than a caller waits, which is not what this test is about.
    monkeypatch.setattr("edge.store.writing.job_queue._FULL_WAIT_SECONDS", WAIT)
    writer = bench.started(floors, queue_limit=3)
    writer.submit([make_event(1000 + n) for n in range(20)])
    for n in range(60):
        writer.submit([make_event(n)])
    assert writer.flush(WAIT)
    assert (writer.status.dropped, len(bench.recorded)) == (0, 80)


def test_acknowledgements_that_met_a_lock_are_written_later(scene: Scene, make_event: Callable[..., Event]) -> None:
    """They are tried again as events are, and do not block the events that come meanwhile."""
    writer = scene.started()
    writer.submit([make_event(n) for n in range(3)])
    assert writer.flush(WAIT)
    scene.lock()
    writer.acknowledge([item.event.id for item in scene.bench.recorded])
    scene.wait_for_problem(writer)
    writer.submit([make_event(9)])
    scene.unlock()
    assert writer.flush(WAIT)
    with closing(scene.bench.read()) as reader:
        assert [stored.track_id for stored in Outbox(reader).pending(9)] == ["RUN-9"]


def test_an_error_that_lasts_stops_the_writer(
    scene: Scene, make_event: Callable[..., Event], caplog: pytest.LogCaptureFixture
) -> None:
    """After a table is dropped ``on_fatal`` is called once, and the events that wait are counted as dropped."""
    writer = scene.started()
    scene.other.execute("DROP TABLE outbox")
    writer.submit([make_event(1)])
    scene.eventually(lambda: scene.bench.fatal, WAIT)
    assert "no such table" in str(scene.bench.fatal[0])
    scene.eventually(lambda: writer.status.dropped == 1, WAIT)
    writer.submit([make_event(2)])
    assert writer.status.dropped == 2
    assert "camera=ramp track=RUN-2: the writer has stopped" in caplog.text
    assert not writer.flush(WAIT)
    with pytest.raises(StoreError, match="the database is closed"):
        writer.create_missing_floors(())
    writer.close(WAIT)
    assert len(scene.bench.fatal) == 1
    assert scene.other.execute("SELECT COUNT(*) FROM events").fetchone() == (0,)


def test_a_callback_that_raises_stops_the_writer_and_its_events_are_not_lost(
    path: Path, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], eventually: Callable[..., None]
) -> None:
    """They were committed before the call; ``on_fatal`` may close the writer."""
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


def test_a_file_that_is_no_database_prevents_the_start(
    bench: Any, path: Path, make_event: Callable[..., Event]
) -> None:
    """``start`` raises what is wrong with it, and a close after that is harmless."""
    path.write_bytes(b"no database" * 1000)
    writer = bench.writer()
    writer.submit([make_event(1)])
    with pytest.raises(StoreError, match="not a SQLite database"):
        writer.start()
    with pytest.raises(RuntimeError, match="started once"):
        writer.start()
    assert writer.status.dropped == 1
    writer.close(WAIT)


def test_a_locked_database_prevents_the_start(bench: Any, path: Path, other_program: sqlite3.Connection) -> None:
    """``start`` raises the error after the busy time-out."""
    other_program.execute("PRAGMA journal_mode = WAL")
    other_program.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked; another program holds it"):
        bench.writer().start()
    other_program.execute("ROLLBACK")

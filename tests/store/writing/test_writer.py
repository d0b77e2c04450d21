"""Tests of the writer: it records what is submitted, in order and once, and reports it."""

from __future__ import annotations

import logging
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from edge.config.schema import FloorConfig
from edge.core.errors import RefusedError, StoreError
from edge.core.events import Direction
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.quality.blind_intervals import BlindIntervals
from edge.store.schema.connect import open_database
from edge.store.store import open_store
from edge.store.upkeep.verify import verify
from edge.store.writing.writer import Writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from peewee import SqliteDatabase

    from edge.core.events import Event
    from edge.store.counts.stored_event import Recorded

WAIT = 60.0


def test_submitted_events_are_committed_and_then_reported(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], now: datetime
) -> None:
    """After a flush another connection sees the events, and the callback was called with them in order."""
    writer = bench.started(floors)
    events = [make_event(n) for n in range(20)]
    for event in events:
        writer.submit([event])
    assert writer.flush(WAIT)
    assert [item.event.event for item in bench.recorded] == events
    assert all(item.inserted and item.event.created_at == now for item in bench.recorded)
    status = writer.status
    assert (status.waiting, status.dropped, status.refused, status.problem) == (0, 0, 0, None)
    with closing(bench.read()) as reader:
        assert Events(reader).count() == Outbox(reader).count() == 20
        assert verify(reader) == []


def test_the_callback_is_called_after_the_commit(
    path: Path, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event]
) -> None:
    """A reader in the callback sees the reported events."""
    seen: list[bool] = []

    def look(recorded: list[Recorded]) -> None:
        with closing(open_database(path, busy_timeout=5.0, read_only=True)) as reader:
            stored = {item.event_id for item in Events(reader).newest(100)}
        seen.extend(item.event.event_id in stored for item in recorded)

    writer = Writer(lambda: open_store(path, any_version=True), look, lambda _: None)
    writer.start()
    writer.create_missing_floors(floors)
    for n in range(5):
        writer.submit([make_event(n)])
    assert writer.close(WAIT)
    assert seen == [True] * 5


def test_the_two_events_of_a_crossing_are_stored_together_or_not_at_all(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], caplog: pytest.LogCaptureFixture
) -> None:
    """A refused second event undoes the first, other groups stay, and the log names the event."""
    writer = bench.started(floors)
    good = [make_event(1, direction=Direction.EXIT), make_event(1, floor="Roof")]
    bad = [make_event(2, direction=Direction.EXIT), make_event(2, floor="Attic")]
    for events in (good, bad, [make_event(3)]):
        writer.submit(events)
    assert writer.flush(WAIT)
    with closing(bench.read()) as reader:
        assert [item.track_id for item in Events(reader).newest(9)] == ["RUN-3", "RUN-1", "RUN-1"]
        assert verify(reader) == []
    assert (writer.status.refused, writer.status.dropped, writer.status.problem) == (2, 0, None)
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(lines) == 2
    assert all("there is no floor 'Attic'" in line for line in lines)
    assert all(f"event={event.event_id} camera=ramp track=RUN-2" in "".join(lines) for event in bad)


def test_close_writes_what_waits_and_leaves_no_log_behind(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], path: Path
) -> None:
    """All events submitted before the close are in the file, and the write-ahead log is gone."""
    writer = bench.started(floors)
    for n in range(300):
        writer.submit([make_event(n)])
    assert writer.close(WAIT)
    assert writer.close(WAIT)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    with closing(bench.read()) as reader:
        assert Events(reader).count() == 300
        assert verify(reader) == []


def test_close_beside_an_idle_reader_empties_the_log(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], path: Path
) -> None:
    """A reader outside of a transaction does not prevent it."""
    writer = bench.started(floors)
    with closing(bench.read()) as reader:
        writer.submit([make_event(1)])
        assert writer.close(WAIT)
        assert path.with_name(f"{path.name}-wal").stat().st_size == 0
        assert Events(reader).count() == 1


def test_close_beside_a_reader_leaves_everything_readable(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event]
) -> None:
    """A reader inside a transaction does not delay the close, and nothing is lost by it."""
    writer = bench.started(floors)
    with closing(bench.read()) as reader, reader.atomic():
        assert Events(reader).count() == 0
        writer.submit([make_event(1)])
        assert writer.close(WAIT)
        assert Events(reader).count() == 0
    with closing(bench.read()) as reader:
        assert Events(reader).count() == 1


def test_many_threads_may_submit_at_once(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event]
) -> None:
    """Eight threads submit 40 crossings each: every event is stored once, those of each thread in order."""
    writer = bench.started(floors)
    barrier = threading.Barrier(8)

    def camera(index: int) -> None:
        barrier.wait()
        for n in range(40):
            name = f"camera-{index}"
            writer.submit(
                [make_event(n, camera_id=name, direction=Direction.EXIT), make_event(n, camera_id=name, floor="Roof")]
            )

    threads = [threading.Thread(target=camera, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.flush(WAIT)
    assert writer.status.dropped == 0
    for index in range(8):
        own = [item.event.track_id for item in bench.recorded if item.event.camera_id == f"camera-{index}"]
        assert own == [f"RUN-{n}" for n in range(40) for _ in range(2)]
    with closing(bench.read()) as reader:
        assert Events(reader).count() == 640
        assert verify(reader) == []


def test_duplicates_are_reported_as_such(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event]
) -> None:
    """A replay is informed of events that were stored already, and nothing is written."""
    writer = bench.started(floors)
    for _ in range(2):
        writer.submit([make_event(1)])
        assert writer.flush(WAIT)
    assert [item.inserted for item in bench.recorded] == [True, False]
    assert bench.recorded[0].event == bench.recorded[1].event


def test_a_clamp_is_logged_with_the_event(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], caplog: pytest.LogCaptureFixture
) -> None:
    """A warning names the floor, the reason and the event."""
    writer = bench.started(floors)
    event = make_event(1, floor="Roof", direction=Direction.EXIT)
    writer.submit([event])
    assert writer.flush(WAIT)
    [line] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "'Roof' is wrong: underflow" in line
    assert f"event={event.event_id} camera=ramp track=RUN-1" in line


def test_acknowledged_events_leave_the_outbox(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], eventually: Callable[..., None]
) -> None:
    """They leave soon, at a flush at once, and at a close."""
    writer = bench.started(floors)
    writer.submit([make_event(n) for n in range(6)])
    assert writer.flush(WAIT)
    with closing(bench.read()) as reader:
        ids = [stored.id for stored in Outbox(reader).pending(10)]
        for row in ids[:2]:
            writer.acknowledge([row])
        eventually(lambda: Outbox(reader).count() == 4, WAIT)
        writer.acknowledge(ids[:4])
        assert writer.flush(WAIT)
        assert Outbox(reader).count() == 2
        writer.acknowledge([])
        writer.acknowledge(ids[4:5])
    assert writer.close(WAIT)
    writer.acknowledge(ids)
    with closing(bench.read()) as reader:
        assert [stored.id for stored in Outbox(reader).pending(10)] == ids[5:]


def test_an_idle_writer_goes_on_answering(
    bench: Any, floors: tuple[FloorConfig, ...], eventually: Callable[..., None]
) -> None:
    """Without work it reads the database, so that the watchdog sees that it is not stuck."""
    writer = bench.started(floors)
    for _ in range(2):
        before = writer.status.last_answer
        eventually(lambda: writer.status.last_answer > before, WAIT)  # noqa: B023  # called before it changes
    assert writer.status.problem is None


def test_events_may_be_submitted_before_the_start(
    bench: Any, sqlite_db: SqliteDatabase, make_event: Callable[..., Event]
) -> None:
    """They wait in the queue; a writer that is never started counts them as dropped."""
    writer, never = bench.writer(), bench.writer()
    for unstarted in (writer, never):
        unstarted.submit([make_event(1)])
    assert not never.close(WAIT)
    assert never.status.dropped == 1
    writer.start()
    assert writer.flush(WAIT)
    assert Events(sqlite_db).count() == 1


def test_a_flush_and_a_close_without_work_succeed(bench: Any) -> None:
    """Also of a writer that was never started."""
    writer = bench.writer()
    writer.submit([])
    assert writer.flush(0.0)
    assert writer.close(0.0)
    assert writer.status.dropped == 0


def test_the_writer_creates_floors(
    bench: Any, floors: tuple[FloorConfig, ...], other_program: sqlite3.Connection
) -> None:
    """The names created are returned; a refusal and a database that does not answer are raised in the caller."""
    writer = bench.writer()
    writer.start()
    assert writer.create_missing_floors(floors) == ["Ground", "Roof"]
    assert writer.create_missing_floors(floors) == []
    with pytest.raises(RefusedError, match="floor's name"):
        writer.create_missing_floors([FloorConfig.model_construct(name="a\nb", total_slots=1)])
    other_program.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"were not stored in 0\.2 s"):
        writer.create_missing_floors([FloorConfig(name="Late", total_slots=1)], timeout=0.2)
    other_program.execute("ROLLBACK")
    assert writer.flush(WAIT)
    with closing(bench.read()) as reader:
        assert Floors(reader).by_name("Late") is not None
    assert bench.fatal == []


def test_posted_changes_are_made_between_the_events_before_and_after_them(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], now: datetime
) -> None:
    """In the order of the calls; an error of one is logged, and the others are made."""
    writer = bench.started(floors)
    counted: list[int] = []
    for n in range(4):
        writer.submit([make_event(n)])
        assert writer.post(lambda store: counted.append(store.events.count()), "how many there are")
    assert writer.post(lambda store: store.floors.correct("Attic", 1), "the attic")
    assert writer.post(lambda store: store.blind.begin("ramp", now, "dark"), "the blindness of camera ramp")
    assert writer.flush(WAIT)
    assert counted == [1, 2, 3, 4]
    with closing(bench.read()) as reader:
        assert [interval.reason for interval in BlindIntervals(reader).open()] == ["dark"]


def test_an_error_of_a_posted_change_is_logged(
    bench: Any, floors: tuple[FloorConfig, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """With what it is about: nobody waits for its result."""
    writer = bench.started(floors)
    writer.post(lambda store: store.floors.correct("Attic", 1), "the count of the attic")
    assert writer.flush(WAIT)
    assert "not recorded: the count of the attic: there is no floor 'Attic'" in caplog.text


def test_posted_changes_wait_for_the_disk_and_no_more_than_a_limit(
    bench: Any,
    floors: tuple[FloorConfig, ...],
    other_program: sqlite3.Connection,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    now: datetime,
) -> None:
    """While another program holds the lock they wait in memory; further ones are dropped, and logged."""
    monkeypatch.setattr("edge.store.writing.job_queue._MOST_POSTED", 3)
    writer = bench.started(floors)
    other_program.execute("BEGIN IMMEDIATE")
    taken = [writer.post(lambda store, n=n: store.blind.begin(f"cam{n}", now, "dark"), f"cam{n}") for n in range(5)]
    other_program.execute("ROLLBACK")
    assert writer.flush(WAIT)
    assert taken == [True, True, True, False, False]
    assert "dropped, not recorded: cam4" in caplog.text
    with closing(bench.read()) as reader:
        assert [interval.camera_id for interval in BlindIntervals(reader).open()] == ["cam0", "cam1", "cam2"]
    assert writer.close(WAIT)
    assert not writer.post(lambda store: None, "late")

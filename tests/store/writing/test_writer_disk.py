"""Tests of the writer on file systems that fill up, fail, pause and are taken away."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.errors import StoreError
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from peewee import SqliteDatabase

    from edge.config.schema import FloorConfig
    from edge.core.events import Event
    from edge.store.writing.writer import Writer

WAIT = 60.0
LOCKS = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
other.execute("ROLLBACK")
"""


class Traffic:
    """A thread that submits entries and exits in turn at a steady rate, as a camera does, and records each call."""

    def __init__(self, writer: Writer, make_event: Callable[..., Event]) -> None:
        self.submitted: list[Event] = []
        self._writer = writer
        self._make_event = make_event
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        n = 0
        while not self._stop.wait(0.004):
            event = self._make_event(n, direction="entry" if n % 2 else "exit")
            self._writer.submit([event])
            self.submitted.append(event)
            n += 1

    @contextmanager
    def running(self) -> Iterator[Traffic]:
        """Submit for as long as the block lasts."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()


@pytest.fixture
def traffic(make_event: Callable[..., Event]) -> Callable[[Writer], Traffic]:
    """``with traffic(writer).running() as flow``."""
    from edge.core.events import Direction

    def make(n: int, direction: str) -> Event:
        return make_event(n, direction=Direction(direction))

    return lambda writer: Traffic(writer, make)


@pytest.fixture
def assert_all_stored() -> Callable[[Any, list[Event]], None]:
    """Each of the events is in the bench's database exactly once, in order, and the database verifies."""

    def check(bench: Any, events: list[Event]) -> None:
        with closing(sqlite3.connect(bench.path)) as plain:
            stored = [track for (track,) in plain.execute("SELECT track_id FROM events ORDER BY id")]
        assert stored == [event.track_id for event in events]
        with closing(bench.read()) as reader:
            assert verify(reader) == []

    return check


def test_a_disk_that_fills_up_loses_nothing(
    small_disk: Any,
    make_bench: Callable[[Path], Any],
    floors: tuple[FloorConfig, ...],
    traffic: Any,
    assert_all_stored: Any,
    eventually: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While the disk is full the events wait and the problem has the remedy; with room again all are written."""
    bench = make_bench(small_disk.path / "smartpark.db")
    writer = bench.started(floors)
    with traffic(writer).running() as flow:
        eventually(lambda: len(bench.recorded) > 50, WAIT)
        small_disk.fill()
        eventually(lambda: writer.status.problem is not None, WAIT)
        assert writer.status.problem == "database or disk is full; free some room on the disk"
        answer, waiting = writer.status.last_answer, writer.status.waiting
        eventually(lambda: writer.status.last_answer > answer and writer.status.waiting > waiting + 50, WAIT)
        with closing(bench.read()) as reader:
            assert verify(reader) == []
        small_disk.free()
        eventually(lambda: writer.status.problem is None, WAIT)
    assert writer.flush(WAIT)
    assert (writer.status.dropped, writer.status.refused, bench.fatal) == (0, 0, [])
    assert_all_stored(bench, flow.submitted)
    levels = [record.levelno for record in caplog.records if "database" in record.getMessage()]
    assert levels == [logging.ERROR, logging.WARNING]


def test_events_that_a_full_queue_drops_are_counted_and_logged(
    small_disk: Any,
    make_bench: Callable[[Path], Any],
    floors: tuple[FloorConfig, ...],
    make_event: Callable[..., Event],
    assert_all_stored: Any,
    eventually: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of 25 events with room for 20 the last five are dropped, each with its key in the log; the others are kept."""
    bench = make_bench(small_disk.path / "smartpark.db")
    writer = bench.started(floors, queue_limit=20)
    small_disk.fill()
    events = [make_event(n) for n in range(25)]
    for event in events:
        writer.submit([event])
    eventually(lambda: writer.status.problem is not None, WAIT)
    small_disk.free()
    assert writer.flush(WAIT)
    kept = len(bench.recorded)
    assert kept >= 20
    assert writer.status.dropped == 25 - kept > 0
    assert_all_stored(bench, events[:kept])
    for event in events[kept:]:
        assert f"dropped, not recorded: event={event.event_id} camera=ramp track={event.track_id}" in caplog.text


def test_a_card_that_failed_and_was_put_back_loses_nothing(
    card: Any,
    make_bench: Callable[[Path], Any],
    floors: tuple[FloorConfig, ...],
    traffic: Any,
    assert_all_stored: Any,
    eventually: Callable[..., None],
) -> None:
    """The kernel makes the card read-only, it is taken out, checked and put back: the writer opens its file again.

    While it is out, no new database is made on the empty mount point.
    """
    bench = make_bench(card.path / "smartpark.db")
    writer = bench.started(floors)
    with traffic(writer).running() as flow:
        eventually(lambda: len(bench.recorded) > 50, WAIT)
        card.fail()
        eventually(lambda: writer.status.problem is not None, WAIT)
        assert "check the disk and the kernel's log" in str(writer.status.problem)
        card.take_out()
        eventually(lambda: "does not exist any more; mount its disk" in str(writer.status.problem), WAIT)
        assert list(card.path.iterdir()) == []
        waiting = writer.status.waiting
        eventually(lambda: writer.status.waiting > waiting + 50, WAIT)
        card.put_back()
        eventually(lambda: writer.status.problem is None, WAIT)
    assert writer.flush(WAIT)
    assert (writer.status.dropped, writer.status.refused, bench.fatal) == (0, 0, [])
    assert_all_stored(bench, flow.submitted)


def test_a_handle_that_stays_read_only_is_replaced(
    bench: Any,
    floors: tuple[FloorConfig, ...],
    traffic: Any,
    assert_all_stored: Any,
    eventually: Callable[..., None],
) -> None:
    """A connection that keeps reporting "readonly database" is closed; the next one writes, and nothing is lost."""
    writer = bench.started(floors)
    bad = bench.handle
    bad_since = threading.Event()

    def refuse(handle: SqliteDatabase) -> None:
        if handle is bad and bad_since.is_set() and not handle.is_closed():
            handle.execute_sql("PRAGMA query_only = 1")

    bench.on_attempt = refuse
    with traffic(writer).running() as flow:
        eventually(lambda: len(bench.recorded) > 20, WAIT)
        bad_since.set()
        eventually(lambda: "readonly database" in str(writer.status.problem), WAIT)
        eventually(lambda: writer.status.problem is None, WAIT)
    assert writer.flush(WAIT)
    assert bench.opened == 2
    assert_all_stored(bench, flow.submitted)


def test_a_read_only_disk_prevents_the_start(
    small_disk: Any, make_bench: Callable[[Path], Any], floors: tuple[FloorConfig, ...]
) -> None:
    """The error has the remedy; on the disk mounted writable the start succeeds."""
    bench = make_bench(small_disk.path / "smartpark.db")
    bench.started(floors).close(WAIT)
    small_disk.make_read_only()
    with pytest.raises(StoreError, match="the disk may be mounted read-only"):
        bench.started(floors)
    small_disk.make_writable()
    assert bench.started(floors).status.problem is None


def test_a_lock_of_another_process_is_waited_out(
    bench: Any,
    floors: tuple[FloorConfig, ...],
    traffic: Any,
    assert_all_stored: Any,
    eventually: Callable[..., None],
) -> None:
    """Another program may have the lock for several busy time-outs."""
    bench.busy_timeout = 0.2
    writer = bench.started(floors)
    command = [sys.executable, "-c", LOCKS, str(bench.path)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other,
        traffic(writer).running() as flow,
    ):
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        eventually(lambda: writer.status.problem is not None, WAIT)
        assert "another program holds it; close that one" in str(writer.status.problem)
        for _ in range(3):
            answer, waiting = writer.status.last_answer, writer.status.waiting
            eventually(lambda: writer.status.last_answer > answer and writer.status.waiting > waiting, WAIT)  # noqa: B023
        other.communicate("\n", WAIT)
        eventually(lambda: writer.status.problem is None, WAIT)
    assert writer.flush(WAIT)
    assert (writer.status.dropped, bench.opened) == (0, 1)
    assert_all_stored(bench, flow.submitted)


def test_a_disk_that_pauses_delays_no_camera(
    bench: Any,
    floors: tuple[FloorConfig, ...],
    traffic: Any,
    assert_all_stored: Any,
    eventually: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While a commit waits for the disk, events are submitted; there is no problem, and all are written afterwards."""
    writer = bench.started(floors)
    paused, continued = threading.Event(), threading.Event()

    def pause(statement: str) -> None:
        if statement == "COMMIT" and not continued.is_set():
            paused.set()
            continued.wait(WAIT)

    def trace(handle: SqliteDatabase) -> None:
        handle.connection().set_trace_callback(pause)

    with traffic(writer).running() as flow:
        eventually(lambda: len(bench.recorded) > 20, WAIT)
        bench.on_attempt = trace
        assert paused.wait(WAIT)
        answer, before = writer.status.last_answer, len(flow.submitted)
        eventually(lambda: len(flow.submitted) > before + 50, WAIT)
        assert writer.status.last_answer == answer
        assert writer.status.problem is None
        continued.set()
        eventually(lambda: writer.status.last_answer > answer, WAIT)
    assert writer.flush(WAIT)
    assert (writer.status.dropped, bench.fatal) == (0, [])
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert_all_stored(bench, flow.submitted)

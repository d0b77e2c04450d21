"""Tests of the clock in the daemon: live events around a step, the first synchronisation, and the start of a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge.config.schema import CameraConfig, FloorConfig, GateConfig
from edge.core.events import ClockState, Crossing, Direction
from edge.core.frames import Frame
from edge.counting.events import make_events
from edge.daemon.health.clock_watch import CameraTimes, ClockWatch
from edge.host.alive_file import AliveFile, LastRun
from edge.host.clock import WallClock
from edge.store import NOT_RUNNING, ClockChangeKind, Writer, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BOOT = datetime(2026, 5, 4, tzinfo=UTC)
HOUR, FORTNIGHT = timedelta(hours=1), timedelta(days=14)
WAIT = 60.0
GATE = GateConfig(id="g", line=((0.5, 0.1), (0.5, 0.9)), inside=(0.9, 0.5), floor="Ground")
CAMERA = CameraConfig(id="ramp", source="sim:ramp", gates=(GATE,))
IMAGE = np.zeros((4, 4, 3), np.uint8)


class Run:
    """One run of a daemon's clock, writer and camera, on clocks that the test sets."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.writer = Writer(
            lambda: open_store(machine.path, any_version=True), lambda recorded: None, machine.fatal.append
        )
        self.writer.start()
        self.writer.create_missing_floors([FloorConfig(name="Ground", total_slots=1000)])
        self.clock = WallClock(lambda: machine.state, lambda: machine.now, machine.wall_micros)
        self.watch = ClockWatch(self.clock, machine.boot_id, AliveFile(machine.path), self.writer)
        self.lasting = self.watch.start(["ramp"], machine.now)
        self.times = CameraTimes(self.clock, self.writer.submit)

    def frame(self) -> Frame:
        """A frame that is taken now, with the time of the wall clock."""
        self.machine.now += 0.1
        at = EPOCH + timedelta(microseconds=self.machine.wall_micros())
        return Frame(IMAGE, at, self.machine.now, 0)

    def count(self, frame: Frame, seconds_ago: float = 0.5) -> None:
        """Count a vehicle in a frame, which crossed the line before it."""
        self.machine.tracks += 1
        dated = self.times.dated(frame)
        at = frame.monotonic - seconds_ago
        crossing = Crossing("g", f"run-{self.machine.tracks}", Direction.ENTRY, at, "car", 0.9)
        self.times.submit(make_events(crossing, GATE, "ramp", dated.time))

    def end(self) -> None:
        """End in order."""
        assert self.writer.flush(WAIT)
        self.watch.check(self.machine.now)
        self.watch.close()
        self.writer.close(WAIT)


class Machine:
    """The clocks of a machine, and the runs on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 500.0
        self.boot = BOOT
        self.boot_id = "boot-1"
        self.state = ClockState.UNSYNCHRONISED
        self.tracks = 0
        self.fatal: list[BaseException] = []
        self.runs: list[Run] = []

    def wall_micros(self) -> int:
        """The wall clock."""
        return (self.boot + timedelta(seconds=self.now) - EPOCH) // timedelta(microseconds=1)

    def run(self) -> Run:
        """Start a run."""
        self.runs.append(Run(self))
        return self.runs[-1]

    def events(self) -> list[Any]:
        """The stored events in the order of the list, the oldest first."""
        with open_store(self.path, read_only=True) as store:
            return list(reversed(store.events.newest(1000)))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine whose clock is not synchronised."""
    made = Machine(tmp_path / "smartpark.db")
    yield made
    for run in made.runs:
        run.watch.close()
        run.writer.close(WAIT)
    assert made.fatal == []


@pytest.mark.parametrize("step", [-FORTNIGHT, HOUR])
@pytest.mark.parametrize("when", ["before the frame is processed", "between frame and event"])
def test_a_step_between_capture_and_event_does_no_harm(machine: Machine, step: timedelta, when: str) -> None:
    """The event has the new time of the moment of the crossing, and stands behind those before the step."""
    run = machine.run()
    run.count(run.frame())
    frame = run.frame()
    if when == "before the frame is processed":
        machine.boot += step
        run.count(frame)
    else:
        times = run.times
        dated = times.dated(frame)
        machine.boot += step
        machine.tracks += 1
        crossing = Crossing("g", f"run-{machine.tracks}", Direction.ENTRY, frame.monotonic - 0.5, "car", 0.9)
        times.submit(make_events(crossing, GATE, "ramp", dated.time))
    run.count(run.frame())
    run.end()
    events = machine.events()
    assert [event.track_id for event in events] == ["run-1", "run-2", "run-3"]
    assert events[1].timestamp == machine.boot + timedelta(seconds=frame.monotonic - 0.5)
    assert [event.clock_state.value for event in events] == ["unsynchronised", "stepped", "stepped"]
    with open_store(machine.path, read_only=True) as store:
        kinds = [(change.kind, change.step) for change in reversed(store.clock.newest())]
        assert store.verify() == []
    assert kinds == [(ClockChangeKind.START, timedelta(0)), (ClockChangeKind.STEP, step)]


def test_an_event_keeps_its_time_while_the_clock_is_not_set(machine: Machine) -> None:
    """To the microsecond, though two looks at the clocks differ: the log has the id of the event before."""
    run = machine.run()
    dated = run.times.dated(run.frame())
    machine.boot += timedelta(microseconds=7)
    events = make_events(Crossing("g", "run-1", Direction.ENTRY, machine.now, "car", 0.9), GATE, "ramp", dated.time)
    run.times.submit(events)
    run.end()
    assert [event.event_id for event in machine.events()] == [event.event_id for event in events]


def test_the_first_synchronisation_corrects_the_times_of_the_boot(machine: Machine) -> None:
    """Of this run and of the run before it; the true times are known then."""
    machine.boot -= FORTNIGHT
    first = machine.run()
    frames = [first.frame() for _ in range(3)]
    for frame in frames[:2]:
        first.count(frame)
    first.end()
    second = machine.run()
    second.count(frames[2])
    machine.boot += FORTNIGHT
    machine.state = ClockState.SYNCHRONISED
    machine.now += 1.0
    second.count(second.frame())
    second.end()
    events = machine.events()
    assert [event.timestamp for event in events[:3]] == [
        BOOT + timedelta(seconds=frame.monotonic - 0.5) for frame in frames
    ]
    assert [event.correction for event in events] == [FORTNIGHT] * 3 + [timedelta(0)]
    assert [event.clock_state.value for event in events] == ["synchronised"] * 3 + ["stepped"]
    assert [event.order_at for event in events] == [None] * 4


def test_a_run_that_starts_with_a_right_clock_corrects_the_run_before_it(machine: Machine) -> None:
    """The last run of the boot ended before the clock was synchronised."""
    machine.boot -= FORTNIGHT
    first = machine.run()
    frame = first.frame()
    first.count(frame)
    first.end()
    machine.boot += FORTNIGHT
    machine.state = ClockState.SYNCHRONISED
    machine.run().end()
    [event] = machine.events()
    assert (event.timestamp, event.correction) == (BOOT + timedelta(seconds=frame.monotonic - 0.5), FORTNIGHT)
    machine.run().end()
    assert machine.events() == [event]


def test_a_run_continues_the_order_of_the_run_before_it(machine: Machine) -> None:
    """The clock was set back while no daemon ran, in the same boot or with a new one."""
    for number in range(3):
        run = machine.run()
        run.count(run.frame())
        run.end()
        machine.boot -= FORTNIGHT
        if number == 1:
            machine.boot_id, machine.now = "boot-2", 20.0
    assert [event.track_id for event in machine.events()] == ["run-1", "run-2", "run-3"]


def test_a_start_records_until_when_the_last_run_saw_its_cameras(machine: Machine) -> None:
    """By the clock as it is now, if that was in this boot; in another boot, by the clock as it was."""
    run = machine.run()
    assert run.lasting == []
    run.end()
    ended = machine.now
    machine.now += 40
    machine.boot += HOUR
    [interval] = machine.run().lasting
    assert (interval.reason, interval.began_at) == (NOT_RUNNING, machine.boot + timedelta(seconds=ended))
    machine.runs[-1].end()
    ended_at = EPOCH + timedelta(microseconds=machine.wall_micros())
    machine.boot_id, machine.now, machine.boot = "boot-2", 5.0, machine.boot - HOUR
    [interval] = machine.run().lasting
    assert interval.began_at == ended_at


def test_a_run_whose_file_is_missing_or_damaged_records_no_stop(machine: Machine) -> None:
    """Nothing is known then."""
    machine.run().end()
    file = machine.path.with_name("smartpark.db.alive")
    file.write_bytes(b"\0" * 256)
    assert machine.run().lasting == []
    machine.runs[-1].end()
    file.unlink()
    assert machine.run().lasting == []
    assert AliveFile(machine.path).read() is None or isinstance(AliveFile(machine.path).read(), LastRun)

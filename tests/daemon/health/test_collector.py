"""Tests of what collects the state of the device: it is fresh, it never waits for the disk, and it ends nothing."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from edge.config.schema import CameraConfig, Config, GateConfig
from edge.core.device_health import CameraCondition, ClockHealth, DeviceHealth, LatencyHealth, MachineHealth
from edge.core.errors import StoreError
from edge.core.events import ClockState
from edge.core.occupancy import Quality
from edge.core.source import SourceStage, SourceState, SourceStatus
from edge.daemon.camera_worker import CameraWorker
from edge.daemon.database_access import DatabaseAccess
from edge.daemon.health import collector as collector_module
from edge.daemon.health.blindness import NO_FRAME_YET, Blindness
from edge.daemon.health.collector import DISK_PROBLEM, POWER_PROBLEM, HealthCollector, HealthSources
from edge.host.clock import WallClock
from edge.host.problem_list import ProblemList
from edge.picture.states import PictureCode, PictureState
from edge.pipeline import PipelineStatistics
from edge.store import LatencyStatus, utc_now
from edge.store.writing.latency import Percentiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge.store import Store

LONG = 60.0
GATE = GateConfig(id="g", line=((0.5, 0.1), (0.5, 0.9)), inside=(0.9, 0.5), floor="Ground")
CAMERA = CameraConfig(id="ramp", source="rtsp://viewer:hush@10.0.0.5/stream?token=hush", gates=(GATE,), fps=5)
GB = 10**9
COOL = MachineHealth(2 * 10**8, 10**8, 2, 4 * GB, GB, 0.5, 4)


class Bench:
    """A collector of a camera and a database, and everything else as the test sets it."""

    def __init__(self, folder: Path) -> None:
        self.config = Config.model_validate(
            {
                "database": {"path": str(folder / "smartpark.db")},
                "floors": ({"name": "Ground", "total_slots": 10},),
                "cameras": (CAMERA,),
            }
        )
        self.now = time.monotonic()
        self.access = DatabaseAccess(self.config.database)
        with self.access.open_to_write() as store:
            store.create_tables()
            store.floors.create("Ground", total_slots=10)
        clock = WallClock()
        self.blindness = Blindness(lambda job, what: True, clock)
        self.blindness.start(["ramp"], [], self.now, utc_now())
        self.source: Any = SimpleNamespace(status=SourceStatus(), recorded=False)
        self.statistics = PipelineStatistics()
        pipeline: Any = SimpleNamespace(statistics=self.statistics)
        watch: Any = SimpleNamespace(states=(), usable_since=None)
        self.watch = watch
        turn: Any = None  # no frame is processed
        self.worker = CameraWorker(CAMERA, self.source, pipeline, lambda *_: None, turn, watch=watch)
        self.worker.started_at = self.worker.last_progress = self.now
        detector: Any = SimpleNamespace(images=0, busy_seconds=0.0)
        self.detector = detector
        self.problems = ProblemList(utc_now)
        writer: Any = SimpleNamespace(
            status=SimpleNamespace(waiting=1, dropped=2, refused=3), latency=lambda camera: self.latency
        )
        self.latency: Any = None
        sources = HealthSources(
            problems=self.problems,
            writer=writer,
            workers=[self.worker],
            detector=detector,
            blindness=self.blindness,
            clock=clock,
            database=self.access,
            read_clock=lambda: ClockHealth(ClockState.SYNCHRONISED),
            read_broker=lambda: None,
        )
        self.collector = HealthCollector(self.config, sources, clock=lambda: self.now)

    def frames(self, number: int, seconds: float) -> None:
        """So many more frames come and are counted, in so many seconds."""
        self.now += seconds
        self.worker.last_frame_at = self.worker.last_progress = self.now
        if self.worker.frames_since is None:
            self.worker.frames_since = self.now
        status = self.source.status
        self.source.status = replace(
            status, state=SourceState.UP, frames=status.frames + number, last_frame_monotonic=self.now
        )
        for _ in range(number):
            self.statistics.add(self.now, (0.05, 0.01, 0.001))
        self.detector.images += number
        self.detector.busy_seconds += 0.05 * number

    def camera(self) -> Any:
        """The state of the camera now."""
        return self.collector.current().cameras[0]

    def change(self, work: Callable[[Store], object]) -> None:
        """Change the database as another program does."""
        with self.access.open_to_write() as store:
            work(store)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A collector that runs."""
    made = Bench(tmp_path)
    made.collector.start()
    yield made
    made.collector.close()
    assert not any(thread.name == "health" for thread in threading.enumerate())


def test_a_fresh_state_has_what_was_committed_just_before(bench: Bench) -> None:
    """Floors, events and sizes are read again for each who asks; numbers of the writer are those of the moment."""
    first = bench.collector.fresh(LONG)
    assert first.stored is not None
    assert (first.stored.floors[0].floor.current_vehicles, first.stored.events, first.stored.waiting) == (0, 0, 0)
    assert first.stored.bytes > 0 < first.stored.disk_free_bytes < first.stored.disk_bytes
    assert (first.events_waiting, first.events_dropped, first.events_refused) == (1, 2, 3)
    assert first.machine is not None
    assert first.machine.daemon_bytes > 0
    bench.change(lambda store: store.floors.correct("Ground", 7))
    again = bench.collector.fresh(LONG)
    assert again.floors[0].floor.current_vehicles == 7
    assert again.started_at == first.started_at
    assert again.started_at is not None
    assert again.started_at <= first.as_of <= again.as_of


def test_a_floor_is_unknown_until_the_first_frame_of_its_camera(bench: Bench) -> None:
    """Also in the first seconds, of which the database has no interval yet; with the reason."""
    quality = bench.collector.fresh(LONG).floors[0].quality
    assert (quality.quality, quality.reason) == (Quality.UNKNOWN, f"camera ramp: {NO_FRAME_YET}")
    bench.blindness.update("ramp", None, bench.now)
    assert bench.collector.fresh(LONG).floors[0].quality.quality is Quality.LIVE


def test_the_state_of_a_camera_through_its_life(bench: Bench) -> None:
    """Starting, counting, degraded, blind, down, stuck; each since when, and with what is wrong."""
    bench.worker.started_at = bench.worker.last_progress = 0.0
    assert bench.camera().condition is CameraCondition.STARTING  # its thread is not started yet
    bench.worker.started_at = bench.worker.last_progress = bench.now
    began = bench.camera()
    assert (began.condition, began.frames, began.picture_age_seconds) == (CameraCondition.STARTING, 0, None)
    assert "hush" not in began.source
    for _ in range(3):
        bench.frames(10, 2.0)
        bench.collector.sample(bench.now)
    counting = bench.camera()
    assert (counting.condition, counting.fps_set, counting.fps_delivered) == (CameraCondition.COUNTING, 5.0, 5.0)
    assert (counting.fps_processed, counting.frames, counting.picture_age_seconds) == (5.0, 30, 0.0)
    assert (counting.detect_ms, counting.track_ms, counting.count_ms) == (50.0, 10.0, 1.0)
    assert (counting.since - began.since).total_seconds() == pytest.approx(2.0, abs=0.1)
    bench.now += bench.worker.gap_seconds
    silent = bench.camera()  # its floor is unknown now, so it is not counted, though it is not given up yet
    assert (silent.state, silent.condition) == (SourceState.UP, CameraCondition.DOWN)
    bench.now -= bench.worker.gap_seconds
    since = datetime(2026, 5, 4, tzinfo=UTC)
    bench.watch.states = (PictureState(PictureCode.BLURRED, since, bench.now - 1.0, "it is blurred"),)
    degraded = bench.camera()
    assert (degraded.condition, degraded.pictures[0].code) == (CameraCondition.DEGRADED, "blurred")
    bench.watch.states = (PictureState(PictureCode.DARK, since, bench.now - 1.0, "it is dark"), *bench.watch.states)
    bench.problems.report("camera.ramp", "it is dark; light the place")
    blind = bench.camera()
    assert (blind.condition, blind.problem) == (CameraCondition.BLIND, "it is dark; light the place")
    assert [(item.code, item.blind) for item in blind.pictures] == [("dark", True), ("blurred", False)]
    bench.watch.states = ()
    bench.problems.clear("camera.ramp")
    bench.now += 12.0
    bench.worker.last_progress = bench.now
    bench.source.status = replace(
        bench.source.status, state=SourceState.DOWN, problem="refuses connections", stage=SourceStage.CONNECTING
    )
    bench.collector.sample(bench.now)
    down = bench.camera()
    assert (down.condition, down.stage, down.problem) == (CameraCondition.DOWN, "connecting", "refuses connections")
    assert (down.since - counting.since).total_seconds() == pytest.approx(4.0, abs=0.1)  # since its last frame
    assert down.picture_age_seconds == 12.0
    assert down.fps_processed < 2.0
    bench.now += 100.0
    assert bench.camera().condition is CameraCondition.STUCK
    bench.worker.finished = True
    assert bench.camera().condition is CameraCondition.ENDED
    bench.worker.problem = "the clip is damaged"
    assert (bench.camera().condition, bench.camera().problem) == (CameraCondition.FAILED, "the clip is damaged")


def test_a_cameras_latency_is_that_of_its_last_events(bench: Bench) -> None:
    """In milliseconds, the hold apart; none before the first event, and none for a recording."""
    assert bench.camera().latency is None
    part = Percentiles(2.0, 5.0)
    recorded = LatencyStatus(7, hold=Percentiles(210.0, 640.0), detect=part, count=part, commit=part)
    bench.latency = recorded
    assert bench.camera().latency is None
    bench.latency = replace(recorded, queue=part, overhead=part, total=Percentiles(31.257, 80.0))
    assert bench.camera().latency == LatencyHealth(7, 31.26, 80.0, 210.0, 640.0)


def test_the_detectors_load_is_that_of_the_last_seconds(bench: Bench) -> None:
    """Nothing is known at first; a share of the time, and milliseconds an image; idle without images."""
    detector = bench.collector.current().detector
    assert detector is not None
    assert (detector.ms, detector.load) == (None, 0.0)
    for _ in range(6):
        bench.collector.sample(bench.now)
        bench.frames(10, 2.0)
    bench.collector.sample(bench.now)
    detector = bench.collector.current().detector
    assert detector is not None
    assert (detector.ms, detector.load, detector.images) == (50.0, 0.25, 60)
    for _ in range(6):
        bench.now += 2.0
        bench.collector.sample(bench.now)
    detector = bench.collector.current().detector
    assert detector is not None
    assert (detector.ms, detector.load) == (None, 0.0)


def test_a_disk_that_hangs_is_not_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks gets what was read last; when the disk is back, what it has now."""
    before = bench.collector.fresh(LONG)
    reading, back = threading.Event(), threading.Event()
    open_to_read = bench.access.open_to_read

    @contextmanager
    def hanging() -> Iterator[Store]:
        reading.set()
        assert back.wait(LONG)
        with open_to_read() as store:
            yield store

    monkeypatch.setattr(DatabaseAccess, "open_to_read", lambda access: hanging())
    bench.change(lambda store: store.floors.correct("Ground", 7))
    during = bench.collector.fresh(0.05)
    assert reading.wait(LONG)
    assert during.stored == before.stored
    assert bench.collector.current().stored == before.stored
    assert during.as_of > before.as_of
    back.set()
    assert bench.collector.fresh(LONG).floors[0].floor.current_vehicles == 7


@pytest.mark.parametrize(("error", "lines"), [(StoreError("the disk is away"), 0), (ValueError("a fault"), 1)])
def test_what_cannot_be_read_ends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, lines: int
) -> None:
    """A fault of the program is logged once, a database that is away by others; the rest of the state is shown."""
    stored = bench.collector.fresh(LONG).stored

    def fails(access: DatabaseAccess) -> None:
        raise error

    monkeypatch.setattr(DatabaseAccess, "open_to_read", fails)
    for _ in range(3):
        health = bench.collector.fresh(LONG)
        assert (health.stored, health.cameras[0].id) == (stored, "ramp")
    assert len([record for record in caplog.records if record.exc_info]) == lines
    monkeypatch.undo()
    bench.change(lambda store: store.floors.correct("Ground", 7))
    assert bench.collector.fresh(LONG).floors[0].floor.current_vehicles == 7


def test_a_machine_that_is_slowed_down_and_a_disk_that_is_nearly_full_are_problems(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its code and what to do; the disk must have some more room again before its problem is over."""
    machine, free = replace(COOL, throttled=("under-voltage",)), 40_000_000
    monkeypatch.setattr(collector_module, "read_machine", lambda readers: machine)
    read = collector_module.read_stored_health

    def with_little_room(*arguments: Any, **options: Any) -> Any:
        return replace(read(*arguments, **options), disk_bytes=16 * GB, disk_free_bytes=free)

    monkeypatch.setattr(collector_module, "read_stored_health", with_little_room)

    def problems() -> dict[str, str]:
        health: DeviceHealth = bench.collector.fresh(LONG)
        return {problem.code: problem.text for problem in health.problems}

    assert problems() == {
        POWER_PROBLEM: "the machine is slowed down (under-voltage): use the power supply of its maker, and cool it",
        DISK_PROBLEM: "the disk of the database has only 40 MB left; free some room on it",
    }
    machine, free = COOL, 110_000_000
    assert list(problems()) == [DISK_PROBLEM]
    free = 130_000_000
    assert problems() == {}
    free = 110_000_000
    assert problems() == {}

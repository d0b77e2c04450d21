"""Tests of the health of writer and cameras: problems, systemd's status line, and the watchdog."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from edge.config.schema import CameraConfig, GateConfig
from edge.core.source import SourceState, SourceStatus
from edge.daemon.camera_worker import CameraWorker
from edge.daemon.health_monitor import STUCK_SECONDS, HealthMonitor
from edge.host.problem_list import ProblemList
from edge.picture.states import PictureCode, PictureState
from edge.pipeline import PipelineStatistics

NOW = datetime(2026, 5, 4, tzinfo=UTC)
START = 1000.0


class Notifier:
    """Keeps the notifications that systemd would get."""

    def __init__(self) -> None:
        self.fed = 0
        self.lines: list[str] = []

    def watchdog(self) -> None:
        """Count the feeding of the watchdog."""
        self.fed += 1

    def status(self, text: str) -> None:
        """Keep the status line."""
        self.lines.append(text)


class Bench:
    """A monitor of a writer and a camera whose states the test sets."""

    def __init__(self) -> None:
        self.problems = ProblemList(lambda: NOW)
        self.notifier = Notifier()
        self.writer: Any = SimpleNamespace(problem=None, waiting=0, dropped=0, refused=0, last_answer=START)
        gate = GateConfig(id="g", line=((0.5, 0.1), (0.5, 0.9)), inside=(0.9, 0.5), floor="Ground")
        camera = CameraConfig(id="ramp", source="sim:ramp", gates=(gate,), stale_seconds=5.0)
        self.source: Any = SimpleNamespace(status=SourceStatus(SourceState.UP))
        self.statistics = PipelineStatistics()
        pipeline: Any = SimpleNamespace(statistics=self.statistics)
        watch: Any = SimpleNamespace(states=(), usable_since=None)
        self.watch = watch
        self.worker = CameraWorker(camera, self.source, pipeline, lambda where, error: None, watch=watch)
        self.worker.last_progress = START
        self.monitor = HealthMonitor(self.problems, self.notifier, SimpleNamespace(status=self.writer), [self.worker])  # type: ignore[arg-type]

    def update(self, now: float = START) -> dict[str, str]:
        """Update the monitor; the texts of the problems by code."""
        self.monitor.update(now)
        return {problem.code: problem.text for problem in self.problems.current()}


@pytest.fixture
def bench() -> Bench:
    """A monitor without problems."""
    return Bench()


def test_without_problems_the_watchdog_is_fed_and_the_status_line_sent_once(bench: Bench) -> None:
    """Each update feeds it; the line is sent again only when it changes."""
    assert bench.update() == {}
    assert bench.update(START + 2) == {}
    assert bench.notifier.fed == 2
    assert bench.notifier.lines == ["counting with 1 cameras"]


def test_a_database_that_cannot_be_written_for_hours_is_reported_and_the_watchdog_fed(bench: Bench) -> None:
    """A restart would lose the events that wait in memory, so the watchdog is fed as long as the writer tries."""
    bench.writer.problem, bench.writer.waiting = "disk is full; free some room", 7
    for hour in range(5):
        bench.writer.last_answer = bench.worker.last_progress = START + 3600 * hour
        problems = bench.update(START + 3600 * hour + 5)
    assert problems == {
        "database": "disk is full; free some room",
        "events_waiting": "events that wait in memory until the database can be written: 7",
    }
    assert bench.notifier.fed == 5
    assert bench.notifier.lines == ["database: disk is full; free some room (and 1 more)"]
    bench.writer.problem, bench.writer.waiting = None, 3
    assert bench.update(START + 3600 * 4) == {}
    assert bench.notifier.lines[1:] == ["counting with 1 cameras"]


def test_a_writer_that_is_silent_for_long_is_stuck(bench: Bench) -> None:
    """Five silent seconds are no problem; after more than thirty there is one, and the watchdog is not fed."""
    bench.writer.waiting = 4
    assert bench.update(START + 5) == {}
    assert bench.notifier.fed == 1
    bench.worker.last_progress = START + STUCK_SECONDS
    problems = bench.update(START + STUCK_SECONDS + 1)
    assert problems["database"] == "has not answered for 31 s; check the disk and the kernel's log"
    assert "events_waiting" in problems
    assert bench.notifier.fed == 1


def test_lost_and_refused_events_stay_reported(bench: Bench) -> None:
    """The counts stay wrong after an event was lost, even when all parts work again."""
    bench.writer.dropped, bench.writer.refused = 12, 1
    for seconds in (0.0, 2.0):
        problems = bench.update(START + seconds)
        assert problems["events_lost"].startswith("events lost since the start: 12; the log has the key of each")
        assert problems["events_refused"].startswith("events refused since the start: 1;")
    assert bench.notifier.fed == 2
    health = bench.monitor.snapshot(NOW)
    assert (health.events_waiting, health.events_dropped, health.events_refused, health.as_of) == (0, 12, 1, NOW)
    assert health.problems == bench.problems.current()


def test_a_camera_that_is_down_is_a_problem_and_feeds_the_watchdog(bench: Bench) -> None:
    """The problem has the text of the source, until the camera is up again."""
    bench.source.status = SourceStatus(SourceState.DOWN, problem="connection refused")
    assert bench.update() == {"camera.ramp": "connection refused"}
    bench.source.status = SourceStatus(SourceState.DOWN)
    assert bench.update() == {"camera.ramp": "gives no frames"}
    bench.source.status = SourceStatus(SourceState.UP)
    assert bench.update() == {}
    assert bench.notifier.fed == 3


def test_the_watchdog_is_not_fed_while_a_cameras_thread_is_stuck(bench: Bench) -> None:
    """It is stuck beyond the time for which a camera may be silent, unless its recording has ended."""
    bench.writer.last_answer = late = START + STUCK_SECONDS + 6
    assert bench.update(late) == {"camera.ramp": "has finished no frame for 36 s"}
    assert bench.notifier.fed == 0
    bench.worker.finished = True
    assert bench.update(late) == {}
    bench.worker.problem = "clip.mp4: broke off"
    assert bench.update(late) == {"camera.ramp": "clip.mp4: broke off"}
    assert bench.notifier.fed == 2


def test_what_is_wrong_with_a_cameras_pictures_is_a_problem(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """The gravest state with its beginning, and the names of the others; the watchdog is fed, for a restart helps not.

    The camera's thread has logged the states, so they are not logged again.
    """
    frozen = PictureState(PictureCode.FROZEN, NOW, 5.0, "the picture is frozen; restart the camera")
    blurred = PictureState(PictureCode.BLURRED, NOW, 5.0, "the picture is blurred; focus it")
    bench.watch.states = (frozen, blurred)
    assert bench.update() == {
        "camera.ramp": "the picture is frozen; restart the camera; since 2026-05-04 00:00:00+00:00 (also: blurred)"
    }
    assert bench.notifier.fed == 1
    assert bench.worker.blind_picture is frozen
    assert bench.worker.blind_reason == "the picture is frozen"
    assert "the picture is frozen" not in caplog.text
    bench.watch.states = (blurred,)
    assert "blurred" in bench.update()["camera.ramp"]
    assert bench.worker.blind_reason is None
    bench.source.status = SourceStatus(SourceState.DOWN, problem="connection refused")
    assert bench.update() == {"camera.ramp": "connection refused"}
    bench.source.status = SourceStatus(SourceState.UP)
    bench.watch.states = ()
    assert bench.update() == {}

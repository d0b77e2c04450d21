"""Tests of the health of writer and cameras: problems, systemd's status line, and the watchdog."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from edge.config.schema import CameraConfig, GateConfig
from edge.core.source import SourceState, SourceStatus
from edge.daemon.camera_worker import CameraWorker
from edge.daemon.health.health_monitor import GIVES_NO_FRAMES, HAS_ENDED, IS_STUCK, STUCK_SECONDS, HealthMonitor
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


class Reports:
    """Keeps what was reported about the sight of cameras."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str | None, float, float | None]] = []

    def update(self, camera_id: str, reason: str | None, now: float, at: float | None = None) -> None:
        """Keep a report."""
        self.made.append((camera_id, reason, now, at))

    def take(self) -> list[tuple[str, str | None, float, float | None]]:
        """The reports since the last call."""
        made, self.made = self.made, []
        return made


class Bench:
    """A monitor of a writer and a camera whose states the test sets."""

    def __init__(self) -> None:
        self.problems = ProblemList(lambda: NOW)
        self.notifier = Notifier()
        self.writer: Any = SimpleNamespace(problem=None, waiting=0, dropped=0, refused=0, last_answer=START)
        gate = GateConfig(id="g", line=((0.5, 0.1), (0.5, 0.9)), inside=(0.9, 0.5), floor="Ground")
        camera = CameraConfig(id="ramp", source="sim:ramp", gates=(gate,), stale_seconds=5.0)
        self.source: Any = SimpleNamespace(status=SourceStatus(SourceState.UP), recorded=False)
        self.statistics = PipelineStatistics()
        pipeline: Any = SimpleNamespace(statistics=self.statistics)
        watch: Any = SimpleNamespace(states=(), usable_since=None)
        self.watch = watch
        turn: Any = None  # no frame is processed
        self.worker = CameraWorker(camera, self.source, pipeline, lambda where, error: None, turn, watch=watch)
        self.worker.last_progress = self.worker.started_at = self.worker.last_frame_at = START
        self.sight = Reports()
        writer: Any = SimpleNamespace(status=self.writer)
        self.monitor = HealthMonitor(self.problems, self.notifier, writer, [self.worker], self.sight)  # type: ignore[arg-type]

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
        bench.writer.last_answer = bench.worker.last_progress = bench.worker.last_frame_at = START + 3600 * hour
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


def test_a_camera_that_is_down_is_a_problem_and_feeds_the_watchdog(bench: Bench) -> None:
    """The problem has the text of the source, until the camera is up again."""
    bench.source.status = SourceStatus(SourceState.DOWN, problem="connection refused")
    assert bench.update() == {"camera.ramp": "connection refused"}
    bench.source.status = SourceStatus(SourceState.DOWN)
    assert bench.update() == {"camera.ramp": "gives no frames"}
    bench.source.status = SourceStatus(SourceState.UP)
    assert bench.update() == {}
    assert bench.notifier.fed == 3


def test_a_camera_that_is_up_may_have_a_problem_too(bench: Bench) -> None:
    """Frames that come late are reported, and the watchdog is fed."""
    bench.source.status = SourceStatus(SourceState.UP, problem="pictures come 2.4 s late")
    assert bench.update() == {"camera.ramp": "pictures come 2.4 s late"}
    assert bench.notifier.fed == 1


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


def test_a_camera_that_never_gave_a_frame_is_a_problem_and_blind_since_the_start(bench: Bench) -> None:
    """Until it may be silent for longer nothing is reported; a camera that only starts is no problem yet."""
    bench.worker.last_frame_at = None
    bench.source.status = SourceStatus(SourceState.STARTING)
    assert bench.update(START + 4) == {}
    assert bench.sight.take() == []
    assert bench.update(START + 6) == {"camera.ramp": "has given no frame for 6 s"}
    assert bench.sight.take() == [("ramp", GIVES_NO_FRAMES, START + 6, START)]


def test_a_camera_is_blind_since_its_last_frame(bench: Bench) -> None:
    """Down, or up without a frame that is processed, or with a thread that is stuck; else it can be counted."""
    bench.worker.last_frame_at = bench.worker.frames_since = bench.worker.last_progress = START + 1
    bench.update(START + 2)
    assert bench.sight.take() == [("ramp", None, START + 2, START + 1)]
    bench.source.status = SourceStatus(SourceState.DOWN, problem="refuses connections")
    bench.update(START + 3)
    bench.source.status = SourceStatus(SourceState.UP)
    assert bench.update(START + 7) == {"camera.ramp": "has given no frame for 6 s"}
    bench.update(START + STUCK_SECONDS + 7)
    assert [(reason, at) for _, reason, _, at in bench.sight.take()] == [
        (GIVES_NO_FRAMES, START + 1),
        (GIVES_NO_FRAMES, START + 1),
        (IS_STUCK, START + 1),
    ]


def test_a_camera_that_is_silent_for_less_than_stale_seconds_is_blind(bench: Bench) -> None:
    """While it lasts, and afterwards if nobody looked meanwhile, once; a camera of a low rate is not silent."""
    bench.worker.frames_since = START
    assert bench.update(START + 3) == {}
    assert bench.sight.take() == [("ramp", GIVES_NO_FRAMES, START + 3, START)]
    for at in (START + 4, START + 4.5, START + 7):
        bench.worker._note_frame(at)
    bench.worker.last_progress = START + 7
    for now in (START + 7.1, START + 7.2):
        bench.update(now)
    assert bench.sight.take() == [
        ("ramp", GIVES_NO_FRAMES, START + 7.1, START + 4.5),
        ("ramp", None, START + 7.1, START + 7),
        ("ramp", None, START + 7.2, START + 7),
    ]
    bench.worker.gap_seconds = 5.0
    bench.update(START + 11)
    assert bench.sight.take() == [("ramp", None, START + 11, START + 7)]


def test_a_recording_is_never_blind(bench: Bench) -> None:
    """It does not show the present, whether it runs, has ended or broke off."""
    bench.source.recorded = True
    bench.update(START + 20)
    bench.worker.finished, bench.worker.problem = True, "clip.mp4: broke off"
    bench.update(START + 200)
    assert bench.sight.take() == []


def test_a_file_that_was_played_to_its_end_is_a_blind_camera(bench: Bench) -> None:
    """It counts as live, so its gate is not looked at any more, and the problem has the remedy; a stop is no end."""
    bench.worker.last_frame_at = START + 4
    bench.worker.finished = True
    assert bench.update(START + 5) == {}
    assert bench.sight.take() == []
    bench.source.status = SourceStatus(SourceState.ENDED, problem="the file was played to its end; write ?loop=1")
    assert bench.update(START + 5) == {"camera.ramp": "the file was played to its end; write ?loop=1"}
    assert bench.sight.take() == [("ramp", HAS_ENDED, START + 5, START + 4)]


def test_a_camera_whose_pictures_cannot_be_counted_is_blind_until_they_can(bench: Bench) -> None:
    """Since the last usable frame, and until the first usable one; pictures with a warning only can be counted."""
    dark = PictureState(PictureCode.DARK, NOW, START + 2, "the picture is dark; switch the light on")
    blurred = PictureState(PictureCode.BLURRED, NOW, START + 3, "the picture is blurred; focus it")
    bench.worker.last_frame_at = bench.worker.last_progress = START + 6
    bench.watch.states = (dark, blurred)
    bench.update(START + 6)
    bench.watch.states, bench.watch.usable_since = (blurred,), START + 5
    bench.update(START + 7)
    assert bench.sight.take() == [
        ("ramp", "the picture is dark", START + 6, START + 2),
        ("ramp", None, START + 7, START + 5),
    ]

"""Tests of the cameras as the daemon builds them: their pictures are checked, and what they show is kept."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge.config.schema import CameraConfig, Config, DatabaseConfig
from edge.core.frames import Detection, Frame
from edge.core.shapes import Box
from edge.core.source import SourceState, SourceStatus
from edge.daemon.cameras import Cameras
from edge.daemon.health.health_monitor import HealthMonitor
from edge.host.clock import WallClock
from edge.host.problem_list import ProblemList
from edge.snapshot.snapshot import snapshot_of_answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START = datetime(2026, 5, 4, tzinfo=UTC)
CAMERA = CameraConfig(id="ramp", source="rtsp://10.0.0.5/stream")


class Camera:
    """A live camera whose frames come ten a second of their own time, as fast as they are read, and then none."""

    recorded = False

    def __init__(self, frames: int, dark_from: int) -> None:
        self.status = SourceStatus(SourceState.UP)
        self._frames = frames
        self._dark_from = dark_from
        self._number = 0
        self._random = np.random.default_rng(1)
        self._scene = self._random.integers(0, 255, (18, 32, 3), np.uint8).repeat(10, 0).repeat(10, 1)

    def start(self) -> None:
        """Do nothing."""

    def read(self, timeout: float) -> Frame | None:
        """The next frame, with the noise of a sensor."""
        number = self._number
        if number >= self._frames:
            threading.Event().wait(0.01)
            return None
        self._number += 1
        image = self._scene if number < self._dark_from else self._scene // 32
        noisy = image // 2 + self._random.integers(0, 6, image.shape, np.uint8)
        at = number / 10
        return Frame(noisy.astype(np.uint8), START + timedelta(seconds=at), at, number)

    def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("checked", [True, False])
def test_a_camera_that_becomes_dark_is_blind_and_a_problem(
    tmp_path: Path, eventually: Callable[..., Any], caplog: pytest.LogCaptureFixture, checked: bool
) -> None:
    """The log has it once, the reference of before is kept, and the switch of the configuration turns it off."""
    config = Config(database=DatabaseConfig(path=tmp_path / "smartpark.db"), cameras=(CAMERA,))
    config = config.model_copy(update={"picture": config.picture.model_copy(update={"enabled": checked})})
    detector: Any = SimpleNamespace(detect=lambda image, share: ())
    source: Any = Camera(frames=300, dark_from=200)
    cameras = Cameras(config, detector, lambda events: None, lambda where, error: None, WallClock())
    problems = ProblemList(lambda: START)
    writer: Any = SimpleNamespace(
        status=SimpleNamespace(problem=None, waiting=0, dropped=0, refused=0, last_answer=0.0)
    )
    notifier: Any = SimpleNamespace(watchdog=lambda: None, status=lambda text: None)
    monitor = HealthMonitor(problems, notifier, writer, cameras.workers)
    try:
        cameras.start([(CAMERA, source)])
        (worker,) = cameras.workers
        eventually(lambda: worker.pipeline.statistics.frames == 300, 60)
        monitor.update(0.0)
        found = [problem for problem in problems.current() if problem.code == "camera.ramp"]
        if not checked:
            assert (worker.blind_reason, found) == (None, [])
            return
        assert worker.blind_reason == "the picture is dark"
        assert worker.blind_picture is not None
        assert worker.blind_picture.since_monotonic == pytest.approx(20.0, abs=1.0)
        assert worker.blind_picture.since == pytest.approx(START + timedelta(seconds=20), abs=timedelta(seconds=1))
        assert found[0].text.startswith("the picture is dark")
        assert len([line for line in caplog.messages if "state=dark" in line]) == 1
    finally:
        cameras.close()
    assert config.picture_file("ramp").exists() is checked


def test_a_snapshot_is_the_newest_frame_with_its_tracks(tmp_path: Path, eventually: Callable[..., Any]) -> None:
    """Before the first frame the reason is given, an unknown camera is named as such, and no frame is copied before."""
    config = Config(database=DatabaseConfig(path=tmp_path / "smartpark.db"), cameras=(CAMERA,))
    found = (Detection(Box(40, 60, 140, 120), "car", 0.8),)
    detector: Any = SimpleNamespace(detect=lambda image, share=1.0: found)
    source: Any = Camera(frames=0, dark_from=1000)
    cameras = Cameras(config, detector, lambda events: None, lambda where, error: None, WallClock())
    try:
        cameras.start([(CAMERA, source)])
        assert cameras.snapshot({"camera": "exit"}).fields == {"unknown": True}
        source.status = SourceStatus(SourceState.DOWN, problem="10.0.0.5 refuses the password")
        assert cameras.snapshot({"camera": "ramp"}).fields == {"missing": "10.0.0.5 refuses the password"}
        source.status = SourceStatus(SourceState.UP)
        source._frames = 30
        (worker,) = cameras.workers

        def last() -> Frame | None:
            newest = worker.pipeline.newest
            return newest[0] if newest is not None and newest[0].sequence == 29 else None

        frame = eventually(last, 60)
        snapshot = snapshot_of_answer("ramp", cameras.snapshot({"camera": "ramp"}), ())
        assert (snapshot.image == frame.image).all()
        assert [(box.label, box.state) for box in snapshot.boxes] == [("car", "confirmed")]
        assert snapshot.origin.endswith("camera up")
    finally:
        cameras.close()

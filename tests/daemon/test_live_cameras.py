"""A camera's thread and the health of the daemon with a real camera server, a real reader, and no detector."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from support.rtsp_server import RtspServer

from edge.capture.live.source import LiveSource
from edge.config.schema import CameraConfig, GateConfig
from edge.daemon.camera_worker import CameraWorker
from edge.daemon.health.clock_watch import CameraTimes
from edge.daemon.health.health_monitor import STUCK_SECONDS, HealthMonitor
from edge.host.clock import WallClock
from edge.host.problem_list import ProblemList
from edge.pipeline import PipelineStatistics
from edge.store import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GATE = GateConfig(id="g", line=((0.5, 0.1), (0.5, 0.9)), inside=(0.9, 0.5), floor="Ground")


@pytest.fixture
def server() -> Iterator[RtspServer]:
    """A camera that answers PLAY and sends nothing."""
    made = RtspServer()
    made.paused.set()
    made.start()
    yield made
    made.stop()


def test_a_camera_that_sends_nothing_never_starves_the_watchdog(
    server: RtspServer, eventually: Callable[..., Any]
) -> None:
    """It is a problem with its reason, for as long as it lasts, and the daemon is not restarted for it."""
    camera = CameraConfig(id="ramp", source=server.url, gates=(GATE,), stale_seconds=0.5)
    frames: list[Any] = []
    pipeline: Any = SimpleNamespace(
        wants=lambda frame: frames.append(frame.sequence),
        leave=lambda frame: None,
        finish=list,
        statistics=PipelineStatistics(),
    )
    turn: Any = None  # no frame needs the detector
    fatal: list[BaseException] = []
    times = CameraTimes(WallClock(), lambda events: None)
    worker = CameraWorker(camera, LiveSource(camera), pipeline, lambda _, error: fatal.append(error), turn, times=times)
    fed: list[float] = []
    notifier: Any = SimpleNamespace(watchdog=lambda: fed.append(time.monotonic()), status=lambda _: None)
    writer: Any = SimpleNamespace(
        status=SimpleNamespace(problem=None, waiting=0, dropped=0, refused=0, last_answer=0.0)
    )
    problems = ProblemList(utc_now)
    monitor = HealthMonitor(problems, notifier, writer, [worker])

    def texts() -> dict[str, str]:
        writer.status.last_answer = time.monotonic()
        monitor.update(time.monotonic())
        return {problem.code: problem.text for problem in problems.current()}

    worker.start()
    try:
        eventually(lambda: "sends no video for" in texts().get("camera.ramp", ""), 60)
        reads = worker.last_progress
        eventually(lambda: worker.last_progress > reads + 1.0, 60)
        assert not worker.is_stuck(worker.last_progress + STUCK_SECONDS, STUCK_SECONDS)
        before = len(fed)
        texts()
        assert len(fed) == before + 1
        server.paused.clear()
        eventually(lambda: len(frames) >= 3, 60)
        eventually(lambda: texts() == {}, 60)
    finally:
        worker.close()
    assert fatal == []

"""One camera's thread: what it does with frames, with silence, and at the end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from edge.config.schema import CameraConfig
from edge.core.errors import SourceError
from edge.core.source import EndOfSource, SourceState, SourceStatus
from edge.daemon import camera_worker
from edge.daemon.camera_worker import CameraWorker
from edge.pipeline import PipelineStatistics

if TYPE_CHECKING:
    from collections.abc import Callable

CAMERA = CameraConfig(id="ramp", source="sim:ramp")


class Source:
    """Gives what the test has prepared, one thing a read: a frame, None, or an error to raise; then silence."""

    def __init__(self, *script: Any, state: SourceState = SourceState.UP) -> None:
        self.script = list(script)
        self.status = SourceStatus(state)
        self.silence = threading.Event()

    def start(self) -> None:
        """As a source's."""

    def read(self, timeout: float) -> Any:
        """The next thing of the script."""
        assert timeout <= 1
        if not self.script:
            self.silence.set()
            threading.Event().wait(0.01)
            return None
        item = self.script.pop(0)
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        """As a source's."""


class Pipeline:
    """Notes what it is told to do."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.statistics = PipelineStatistics()

    def process(self, frame: Any) -> None:
        """As a pipeline's."""
        self.done.append(frame)

    def finish(self) -> None:
        """As a pipeline's."""
        self.done.append("finish")


def run(source: Source) -> tuple[CameraWorker, list[Any], list[BaseException]]:
    """A worker on that source, started; what its pipeline does, and fatal errors."""
    pipeline, fatal = Pipeline(), []
    worker = CameraWorker(CAMERA, source, pipeline, lambda where, error: fatal.append(error))  # type: ignore[arg-type]
    worker.start()
    return worker, pipeline.done, fatal


def test_at_the_end_of_a_recording_what_is_open_is_decided(eventually: Callable[..., Any]) -> None:
    """All frames first."""
    worker, done, fatal = run(Source("one", "two", EndOfSource()))
    eventually(lambda: worker.finished)
    assert done == ["one", "two", "finish"]
    assert (worker.problem, fatal) == ("", [])
    worker.close()


def test_a_recording_that_breaks_off_keeps_what_was_seen(eventually: Callable[..., Any]) -> None:
    """The vehicles before the damage have crossed; the problem is told."""
    worker, done, fatal = run(Source("one", SourceError("clip.mp4: broke off")))
    eventually(lambda: worker.finished)
    assert done == ["one", "finish"]
    assert (worker.problem, fatal) == ("clip.mp4: broke off", [])
    worker.close()


def test_a_stop_decides_what_is_open() -> None:
    """A vehicle that crossed a moment before is not lost."""
    source = Source("one")
    worker, done, _ = run(source)
    source.silence.wait(10)
    worker.close()
    assert done[0] == "one"
    assert done[-1] == "finish"
    assert worker.finished


def test_an_error_that_nobody_expected_is_fatal_and_decides_nothing(eventually: Callable[..., Any]) -> None:
    """The state may be anything then."""
    worker, done, fatal = run(Source("one", ZeroDivisionError("x")))
    eventually(lambda: worker.finished)
    assert done == ["one"]
    assert [str(error) for error in fatal] == ["x"]
    worker.close()


@pytest.mark.parametrize("state", [SourceState.UP, SourceState.DOWN])
def test_a_silent_camera_does_not_hold_events_back(
    monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., Any], state: SourceState
) -> None:
    """After a while without frames what waits is decided, and nothing before: a slow camera has gaps."""
    source = Source("one", state=state)
    worker, done, _ = run(source)
    source.silence.wait(10)
    assert done == ["one"]
    monkeypatch.setattr(camera_worker, "SILENT_SECONDS", 0.0)
    eventually(lambda: "finish" in done)
    worker.close()


def test_progress_is_a_frame_or_a_look_at_a_camera_that_is_down(eventually: Callable[..., Any]) -> None:
    """A camera that is up and silent makes none."""
    source = Source("one")
    worker, _, _ = run(source)
    source.silence.wait(10)
    before = worker.last_progress
    threading.Event().wait(0.1)
    assert worker.last_progress == before
    source.status = SourceStatus(SourceState.DOWN)
    eventually(lambda: worker.last_progress > before)
    worker.close()

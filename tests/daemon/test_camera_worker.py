"""Tests of the thread of a camera: frames, silence, the end of a recording, and errors."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from edge.config.schema import CameraConfig
from edge.core.errors import SourceError
from edge.core.source import EndOfSource, SourceState, SourceStatus
from edge.daemon.camera_worker import SILENT_SECONDS, CameraWorker
from edge.pipeline import PipelineStatistics
from edge.scheduling.turns import DetectorTurns, Need

if TYPE_CHECKING:
    from collections.abc import Callable

CAMERA = CameraConfig(id="ramp", source="sim:ramp")


class ScriptedSource:
    """A source whose reads return the items of the test, or raise them; after the last item it is silent."""

    recorded = False

    def __init__(self, *script: Any, state: SourceState = SourceState.UP) -> None:
        self.script = list(script)
        self.status = SourceStatus(state)
        self.silent_reads = 0

    def start(self) -> None:
        """Do nothing."""

    def read(self, timeout: float) -> Any:
        """The next item of the script; None, after a moment, when there is none."""
        assert timeout <= 1
        if not self.script:
            self.silent_reads += 1
            threading.Event().wait(0.001)
            return None
        item = self.script.pop(0)
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        """Do nothing."""


class RecordingPipeline:
    """A pipeline that only notes its calls."""

    need = Need.MOVEMENT

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.statistics = PipelineStatistics()

    def wants(self, frame: Any) -> bool:
        """Every frame is looked at but those that are named so."""
        return "still" not in str(frame)

    def look(self, frame: Any) -> None:
        """Note the frame."""
        self.calls.append(frame)

    def leave(self, frame: Any) -> None:
        """Note that the frame was left."""
        self.calls.append(f"left {frame}")

    def finish(self) -> None:
        """Note the call."""
        self.calls.append("finish")


class NoDetector:
    """The pipeline of these tests never detects."""

    def detect(self, image: Any, share: float = 1.0) -> list[Any]:
        """Fail."""
        raise AssertionError


class Run:
    """A worker on a source, started, with a clock that the test sets."""

    def __init__(self, source: ScriptedSource, watch: Any = None, *, start: bool = True) -> None:
        self.now = 1000.0
        self.fatal: list[BaseException] = []
        self.source = source
        pipeline = RecordingPipeline()
        self.turns = DetectorTurns(NoDetector(), lambda: self.now)
        self.calls = pipeline.calls
        self.worker = CameraWorker(
            *(CAMERA, source, pipeline),  # type: ignore[arg-type]
            on_fatal=lambda _, error: self.fatal.append(error),
            turn=self.turns.for_camera(),
            clock=lambda: self.now,
            watch=watch,
        )
        if start:
            self.worker.start()

    def read_again(self, eventually: Callable[..., Any]) -> None:
        """Wait until the worker has handled another read of the silent source."""
        before = self.source.silent_reads
        # The second read begins after the first was handled.
        eventually(lambda: self.source.silent_reads >= before + 2)


def test_at_the_end_of_a_recording_open_crossings_are_decided(eventually: Callable[..., Any]) -> None:
    """All frames are processed before."""
    run = Run(ScriptedSource("first", "second", EndOfSource()))
    eventually(lambda: run.worker.finished)
    assert run.calls == ["first", "second", "finish"]
    assert (run.worker.problem, run.fatal) == ("", [])
    run.worker.close()


def test_a_recording_that_breaks_off_keeps_its_crossings(eventually: Callable[..., Any]) -> None:
    """The crossings before the damage are decided, and the worker has the problem."""
    run = Run(ScriptedSource("first", SourceError("clip.mp4: broke off")))
    eventually(lambda: run.worker.finished)
    assert run.calls == ["first", "finish"]
    assert (run.worker.problem, run.fatal) == ("clip.mp4: broke off", [])
    run.worker.close()


def test_a_frame_that_shows_nothing_new_is_not_looked_at(eventually: Callable[..., Any]) -> None:
    """The checks of its picture get it all the same, and it counts as progress."""
    watch = RecordingWatch()
    run = Run(ScriptedSource("first", "still 1", "still 2", "second", EndOfSource()), watch)
    eventually(lambda: run.worker.finished)
    assert run.calls == ["first", "left still 1", "left still 2", "second", "finish"]
    frames = [call[0] for call in watch.calls if isinstance(call, tuple)]
    assert frames == ["first", "still 1", "still 2", "second"]
    run.worker.close()


@pytest.mark.parametrize(
    ("camera", "recorded", "rests"),
    [
        pytest.param(CAMERA, False, [0.1, 0.1], id="as many frames as the machine can"),
        pytest.param(CAMERA.model_copy(update={"fps": 25.0}), False, [], id="fps is set"),
        pytest.param(CAMERA, True, [], id="a recording"),
    ],
)
def test_a_still_scene_is_looked_at_ten_times_a_second(
    eventually: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, camera: CameraConfig, recorded: bool,
    rests: list[float],
) -> None:  # fmt: skip
    """A camera that sends 25 frames a second and has no fps costs no more than one that sends ten."""
    source = ScriptedSource("first", "still 1", "still 2", "second", EndOfSource())
    source.recorded = recorded
    run = Run(source, start=False)
    run.worker.camera = camera
    waits: list[float] = []
    monkeypatch.setattr(run.worker._stop, "wait", waits.append)
    run.worker.start()
    eventually(lambda: run.worker.finished)
    assert waits == pytest.approx(rests)
    run.worker.close()


@pytest.mark.parametrize(
    ("recorded", "newer", "looked_at"),
    [(False, "newer", ["newer"]), (False, "still", ["still"]), (True, "newer", ["first", "newer"])],
)
def test_a_frame_that_waited_for_the_detector_is_replaced_by_a_newer_one(
    eventually: Callable[..., Any], recorded: bool, newer: str, looked_at: list[str]
) -> None:
    """It is looked at once, whatever moves in it. A recording loses no frame."""
    source = ScriptedSource("first", newer)
    source.recorded = recorded
    run = Run(source, start=False)
    with run.turns.for_camera().next_turn(Need.VEHICLE):
        run.worker.start()
        eventually(lambda: run.turns.waiting == 1)
        run.now += 0.2
    eventually(lambda: len(run.calls) >= len(looked_at))
    run.worker.close()
    assert run.calls == [*looked_at, "finish"]


def test_a_stop_decides_open_crossings(eventually: Callable[..., Any]) -> None:
    """A vehicle that crossed just before the stop is counted."""
    run = Run(ScriptedSource("first"))
    run.read_again(eventually)
    run.worker.close()
    assert run.calls == ["first", "finish"]
    assert run.worker.finished


def test_an_unexpected_error_is_fatal_and_decides_nothing(eventually: Callable[..., Any]) -> None:
    """The state of the pipeline is not known after such an error."""
    run = Run(ScriptedSource("first", ZeroDivisionError("x")))
    eventually(lambda: run.worker.finished)
    assert run.calls == ["first"]
    assert [str(error) for error in run.fatal] == ["x"]
    run.worker.close()


@pytest.mark.parametrize("state", [SourceState.UP, SourceState.DOWN])
def test_a_silent_camera_does_not_delay_events(eventually: Callable[..., Any], state: SourceState) -> None:
    """Open crossings are decided after a while without frames, and not before, for a slow camera has gaps."""
    run = Run(ScriptedSource("first", state=state))
    run.now += SILENT_SECONDS - 0.1
    run.read_again(eventually)
    assert run.calls == ["first"]
    run.now += 0.2
    run.read_again(eventually)
    assert run.calls[1] == "finish"
    run.worker.close()


def test_progress_is_a_frame_or_a_read_from_a_camera_that_is_down(eventually: Callable[..., Any]) -> None:
    """A camera that is up and silent makes none; one that has not started yet does, for its source sees to that."""
    run = Run(ScriptedSource("first"))
    run.read_again(eventually)
    run.now += 5
    run.read_again(eventually)
    assert run.worker.last_progress == 1000.0
    run.source.status = SourceStatus(SourceState.DOWN)
    run.read_again(eventually)
    assert run.worker.last_progress == 1005.0
    run.now += 5
    run.source.status = SourceStatus(SourceState.STARTING)
    run.read_again(eventually)
    assert run.worker.last_progress == 1010.0
    run.worker.last_progress = 1005.0
    run.source.status = SourceStatus(SourceState.UP)
    run.read_again(eventually)
    assert run.worker.is_stuck(1005.0 + 30 + CAMERA.stale_seconds + 0.1, 30)
    assert not run.worker.is_stuck(1005.0 + 30 + CAMERA.stale_seconds, 30)
    run.worker.close()


class RecordingWatch:
    """Checks of pictures that only note their calls."""

    def __init__(self) -> None:
        self.states = ()
        self.calls: list[Any] = []

    def start(self) -> None:
        """Note the call."""
        self.calls.append("start")

    def add(self, frame: Any, now: float | None, corrupt_share: float) -> None:
        """Note the frame, the time and the share."""
        self.calls.append((frame, now, corrupt_share))

    def silence(self, now: float) -> None:
        """Note the time, once for all silent reads after each other."""
        if self.calls[-1] != ("silence", now):
            self.calls.append(("silence", now))

    def away(self) -> None:
        """Note the call, once for all reads of a camera that is down."""
        if self.calls[-1] != "away":
            self.calls.append("away")

    def close(self) -> None:
        """Note the call."""
        self.calls.append("close")


def test_the_checks_get_every_frame_and_all_silence(eventually: Callable[..., Any]) -> None:
    """And the share of frames that were decoded with errors; a camera that is down is not silent."""
    watch = RecordingWatch()
    source = ScriptedSource("first")
    source.status = SourceStatus(SourceState.UP, corrupt_share=0.25)
    run = Run(source, watch)
    run.read_again(eventually)
    run.source.status = SourceStatus(SourceState.DOWN)
    run.read_again(eventually)
    run.worker.close()
    assert watch.calls == ["start", ("first", 1000.0, 0.25), ("silence", 1000.0), "away", "close"]


def test_the_checks_of_a_recording_know_no_age(eventually: Callable[..., Any]) -> None:
    """Its frames were taken long ago."""
    watch = RecordingWatch()
    source = ScriptedSource("first", EndOfSource())
    source.recorded = True
    run = Run(source, watch)
    eventually(lambda: run.worker.finished)
    run.worker.close()
    assert watch.calls == ["start", ("first", None, 0.0), "close"]

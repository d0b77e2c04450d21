"""Takes a frame all the way: frame -> observation -> tracks -> crossings -> events -> store."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from edge.core.events import EventTiming
from edge.counting.events import make_events
from edge.counting.gate import Gate
from edge.counting.parameters import DEFAULT_COUNTING
from edge.tracking.observer import Observer
from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.config.schema import CameraConfig, Config, GateConfig
    from edge.core.events import Crossing, Event
    from edge.core.frames import Frame, FrameTime
    from edge.core.tracks import Track, Verdict
    from edge.counting.parameters import CountingParameters
    from edge.detection.detector import Detector
    from edge.tracking.observer import Observation
    from edge.tracking.parameters import TrackingParameters

log = logging.getLogger(__name__)

STAGES = ("detect", "track", "count")
RATE_WINDOW = 50  # last frames that rates and times are means over
# With fewer processed frames a second the count is not reliable. The tracker follows boxes that overlap from frame to
# frame; at this rate a vehicle that crosses the picture in three seconds moves a ninth of it, about half a car's
# length, between two frames. The counts of scripted scenes are tested down to this rate; at 1.8 the demo missed 2 of
# 10 crossings.
LEAST_FRAMES_PER_SECOND = 3.0
_FRAMES_FOR_A_RATE = 10  # frames before a rate is judged: the first frames after a start are slow


@dataclass(frozen=True, slots=True)
class FrameResult:
    """Everything that the pipeline made of one frame, for evaluation and tools."""

    frame_time: FrameTime
    observation: Observation
    tracks: Sequence[Track]
    crossings: Sequence[Crossing]
    verdicts: Sequence[Verdict]


class Pipeline:
    """Turns one camera's frames into events. One thread calls it; any thread may read ``statistics``."""

    def __init__(
        self,
        camera: CameraConfig,
        config: Config,
        run: str,
        detector: Detector,
        submit: Callable[[Sequence[Event]], None],
        on_frame: Callable[[FrameResult], None] | None = None,
        *,
        live: bool = False,
        tracking: TrackingParameters = DEFAULT_TRACKING,
        counting: CountingParameters = DEFAULT_COUNTING,
    ) -> None:
        """``run`` is the first part of every track id (``daemon/run_id.py``).

        ``submit`` takes the events of one crossing, to be stored together; ``on_frame`` gets each frame's result. The
        frames of a ``live`` camera have the times of ``time.monotonic()``, those of a recording have their own.
        """
        self._camera = camera
        self._observer = Observer(detector.detect, config.tracker.flow_width, tracking)
        lines = [gate.line for gate in camera.gates]
        self._tracker = Tracker(config.tracker, config.mechanisms, run, lines, tracking)
        self._gates = [(gate, Gate(gate, config.counting, config.mechanisms, counting)) for gate in camera.gates]
        self._submit = submit
        self._on_frame = on_frame
        self._live = live
        self._last: FrameTime | None = None
        self.statistics = PipelineStatistics()

    def process(self, frame: Frame) -> None:
        """Detect, track and count in one frame. Frames come in the order of their time."""
        started = time.perf_counter()
        observation = self._observer.observe(frame)
        self.count(observation, frame.time, time.perf_counter() - started)

    def count(self, observation: Observation, frame_time: FrameTime, detect_seconds: float = 0.0) -> None:
        """Track and count what was observed in a frame; ``detect_seconds`` is how long the observation took."""
        started, begun_at = time.perf_counter(), time.monotonic() - detect_seconds
        tracks = self._tracker.update(observation, frame_time.monotonic)
        tracked = time.perf_counter()
        self._last = frame_time
        crossings, verdicts = [], []
        for config, gate in self._gates:
            crossings_here = gate.update(tracks, frame_time.size, frame_time.monotonic)
            self._submit_events(crossings_here, config, frame_time, (begun_at, detect_seconds))
            crossings += crossings_here
            verdicts += gate.verdicts()
        self._report(FrameResult(frame_time, observation, tracks, crossings, verdicts))
        counted = time.perf_counter()
        self.statistics.add(frame_time.monotonic, (detect_seconds, tracked - started, counted - tracked))

    def finish(self) -> list[Verdict]:
        """Decide the crossings that still wait, because there will be no more frames, or none for long."""
        verdicts: list[Verdict] = []
        if self._last is None:
            return verdicts
        for config, gate in self._gates:
            self._submit_events(gate.finish(), config, self._last)
            verdicts += gate.verdicts()
        for verdict in verdicts:
            _log(self._camera.id, verdict)
        return verdicts

    def _submit_events(
        self,
        crossings: Sequence[Crossing],
        gate: GateConfig,
        frame_time: FrameTime,
        processing: tuple[float, float] | None = None,
    ) -> None:
        """Submit the events of crossings.

        ``processing`` is when that of the frame with which they were decided has begun (``time.monotonic()``), and the
        seconds of its detection; None where they were decided without a frame.
        """
        for crossing in crossings:
            timing = None if processing is None else self._timing(crossing, frame_time, *processing)
            events = make_events(crossing, gate, self._camera.id, frame_time, timing)
            for event in events:
                log.info(
                    "crossing event=%s camera=%s gate=%s track=%s direction=%s floor=%r type=%s confidence=%.2f",
                    *(event.event_id, event.camera_id, event.gate_id, event.track_id),
                    *(event.direction, event.floor, event.vehicle_type, event.confidence),
                )
            self._submit(events)

    def _timing(self, crossing: Crossing, frame_time: FrameTime, begun_at: float, detect_seconds: float) -> EventTiming:
        now = time.monotonic()
        return EventTiming(
            hold=frame_time.monotonic - crossing.at,
            queue=max(begun_at - frame_time.monotonic, 0.0) if self._live else None,
            detect=detect_seconds,
            count=now - begun_at - detect_seconds,
            submitted_at=now,
        )

    def _report(self, result: FrameResult) -> None:
        for verdict in result.verdicts:
            _log(self._camera.id, verdict)
        if self._on_frame is not None:
            self._on_frame(result)


def _log(camera: str, verdict: Verdict) -> None:
    log.debug(
        "track decided camera=%s gate=%s track=%s counted=%s reason=%r%s",
        *(camera, verdict.gate_id, verdict.track_id, "yes" if verdict.counted else "no", verdict.reason.value),
        f" other={verdict.other_id}" if verdict.other_id else "",
    )


@dataclass(slots=True)
class PipelineStatistics:
    """How fast one camera's pipeline works: processed frames, frames a second, milliseconds for each stage."""

    frames: int = 0
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=RATE_WINDOW))
    _stages: deque[tuple[float, ...]] = field(default_factory=lambda: deque(maxlen=RATE_WINDOW))

    def add(self, at: float, seconds: tuple[float, ...]) -> None:
        """Add a frame taken at ``at`` (seconds), with the seconds that each of ``STAGES`` took."""
        self.frames += 1
        self._times.append(at)
        self._stages.append(seconds)

    @property
    def frames_per_second(self) -> float:
        """Processed frames a second of the frames' own clock; 0 before the second frame.

        The mean over the last frames without their longest gap, which an outage of the camera may have made.
        """
        gaps = sorted(later - earlier for earlier, later in pairwise(list(self._times)))
        gaps = gaps[:-1] or gaps
        return len(gaps) / sum(gaps) if sum(gaps) > 0 else 0.0

    @property
    def too_slow(self) -> bool:
        """Whether too few frames a second are processed for a reliable count."""
        return self.frames >= _FRAMES_FOR_A_RATE and self.frames_per_second < LEAST_FRAMES_PER_SECOND

    @property
    def milliseconds(self) -> dict[str, float]:
        """Mean milliseconds of each stage, over the last frames."""
        stages = list(self._stages)
        if not stages:
            return dict.fromkeys(STAGES, 0.0)
        return {
            name: 1000 * sum(column) / len(stages)
            for name, column in zip(STAGES, zip(*stages, strict=False), strict=True)
        }

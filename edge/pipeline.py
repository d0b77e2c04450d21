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
from edge.detection.parameters import DEFAULT_DETECTION
from edge.scheduling.motion_gate import MotionGate
from edge.scheduling.parameters import DEFAULT_SCHEDULING
from edge.scheduling.region import fitted_region, region_of_interest
from edge.tracking.observer import Observer, cut_out, whole_frame
from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.config.schema import CameraConfig, Config, GateConfig
    from edge.core.events import Crossing, Event
    from edge.core.frames import Frame, FrameTime
    from edge.core.shapes import Box
    from edge.core.tracks import Track, Verdict
    from edge.counting.parameters import CountingParameters
    from edge.scheduling.parameters import SchedulingParameters
    from edge.scheduling.turns import Detects, Need
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
    """Turns one camera's frames into events. One thread calls it; any thread may read ``statistics`` and ``newest``.

    ``process`` takes a frame all the way. A caller that has to wait for the detector asks ``wants`` first, and then
    calls ``look`` with the same frame or a later one, or ``leave`` where the detector need not look. ``newest`` is the
    last frame with the tracks of the last look, which may be one at the frame before; None before the first.
    """

    def __init__(
        self,
        camera: CameraConfig,
        config: Config,
        run: str,
        detector: Detects,
        submit: Callable[[Sequence[Event]], None],
        on_frame: Callable[[FrameResult], None] | None = None,
        *,
        live: bool = False,
        tracking: TrackingParameters = DEFAULT_TRACKING,
        counting: CountingParameters = DEFAULT_COUNTING,
        scheduling: SchedulingParameters = DEFAULT_SCHEDULING,
    ) -> None:
        """``run`` is the first part of every track id (``daemon/run_id.py``).

        ``submit`` takes the events of one crossing, to be stored together; ``on_frame`` gets each frame's result. The
        frames of a ``live`` camera have the times of ``time.monotonic()``, those of a recording have their own.
        """
        self._camera = camera
        self._observer = Observer(detector.detect, config.tracker.flow_width, tracking)
        lines = [gate.line for gate in camera.gates]
        self._scheduling = scheduling
        self._config = config
        self._region: tuple[tuple[int, int], Box] | None = None
        self._motion_gate = MotionGate(scheduling, enabled=config.mechanisms.motion_gating)
        self._tracker = Tracker(config.tracker, config.mechanisms, run, lines, tracking)
        self._gates = [(gate, Gate(gate, config.counting, config.mechanisms, counting)) for gate in camera.gates]
        self._submit = submit
        self._on_frame = on_frame
        self._live = live
        self._last: FrameTime | None = None
        self._tracks: Sequence[Track] = ()
        self.newest: tuple[Frame, Sequence[Track]] | None = None
        self.statistics = PipelineStatistics()

    @property
    def need(self) -> Need:
        """How much the frame needs the detector that ``wants`` was asked about last."""
        return self._motion_gate.need

    def region(self, size: tuple[int, int]) -> Box:
        """Return the part of a frame of ``size`` (width, height) that is looked at, in whole pixels."""
        if self._region is None or self._region[0] != size:
            self._region = size, region_of_camera(self._camera, self._config, size, self._scheduling)
        return self._region[1]

    def process(self, frame: Frame) -> None:
        """Detect, track and count in one frame if that is needed. Frames come in the order of their time."""
        if self.wants(frame):
            self.look(frame)
        else:
            self.leave(frame)

    def wants(self, frame: Frame) -> bool:
        """Return whether the detector has to look at a frame. Each frame is asked about, in the order of their time."""
        # The frame before is let go at once: while this one waits for the detector its camera fills another.
        self.newest = frame, self._tracks
        return self._motion_gate.wants(cut_out(frame.image, self.region(frame.size)), frame.monotonic)

    def leave(self, frame: Frame) -> None:
        """Be done with a frame in which nothing moves."""
        self.statistics.add_still(frame.monotonic)

    def look(self, frame: Frame) -> None:
        """Detect, track and count in a frame."""
        started = time.perf_counter()
        observation = self._observer.observe(frame, self.region(frame.size))
        self.count(observation, frame.time, time.perf_counter() - started)
        self.newest = frame, self._tracks

    def count(self, observation: Observation, frame_time: FrameTime, detect_seconds: float = 0.0) -> None:
        """Track and count what was observed in a frame; ``detect_seconds`` is how long the observation took."""
        started, begun_at = time.perf_counter(), time.monotonic() - detect_seconds
        self._tracks = tracks = self._tracker.update(observation, frame_time.monotonic)
        tracked = time.perf_counter()
        self._last = frame_time
        crossings, verdicts = [], []
        for config, gate in self._gates:
            crossings_here = gate.update(tracks, frame_time.size, frame_time.monotonic)
            self._submit_events(crossings_here, config, frame_time, (begun_at, detect_seconds))
            crossings += crossings_here
            verdicts += gate.verdicts()
        undecided = any(gate.has_undecided for _, gate in self._gates)
        self._motion_gate.looked(frame_time.monotonic, tracks, observation.view, undecided=undecided)
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


def region_of_camera(
    camera: CameraConfig,
    config: Config,
    size: tuple[int, int],
    parameters: SchedulingParameters = DEFAULT_SCHEDULING,
) -> Box:
    """Return the part of a camera's frames of ``size`` (width, height) that is looked at, in whole pixels."""
    if not config.mechanisms.region_of_interest:
        return whole_frame(size)
    # The network's input is padded to a multiple of its stride: a smaller step would save nothing.
    step = DEFAULT_DETECTION.stride / config.detector.image_size
    if camera.region is None:
        return region_of_interest(size, [gate.line for gate in camera.gates], step, parameters.region)
    left, top, right, bottom = (share * side for share, side in zip(camera.region, size * 2, strict=True))
    return fitted_region(size, (left, top, right, bottom), step, parameters.region)


def _log(camera: str, verdict: Verdict) -> None:
    log.debug(
        "track decided camera=%s gate=%s track=%s counted=%s reason=%r%s",
        *(camera, verdict.gate_id, verdict.track_id, "yes" if verdict.counted else "no", verdict.reason.value),
        f" other={verdict.other_id}" if verdict.other_id else "",
    )


@dataclass(slots=True)
class PipelineStatistics:
    """How fast one camera's pipeline works: processed frames, frames a second, milliseconds for each stage.

    ``still`` of the processed ``frames`` did not need the detector, because nothing moved; they have no stages.
    """

    frames: int = 0
    still: int = 0
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=RATE_WINDOW))
    _stages: deque[tuple[float, ...]] = field(default_factory=lambda: deque(maxlen=RATE_WINDOW))

    def add(self, at: float, seconds: tuple[float, ...]) -> None:
        """Add a frame taken at ``at`` (seconds), with the seconds that each of ``STAGES`` took."""
        self.frames += 1
        self._times.append(at)
        self._stages.append(seconds)

    def add_still(self, at: float) -> None:
        """Add a frame taken at ``at`` that did not need the detector."""
        self.frames += 1
        self.still += 1
        self._times.append(at)

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

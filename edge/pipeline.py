"""The way of a frame, on one page: frame -> detections -> tracks -> crossings -> events -> store."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from edge.counting.events import events_of
from edge.counting.gate import Gate
from edge.vision.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.config import CameraConfig, TrackerConfig
    from edge.records import Event, Frame
    from edge.vision.detector import Detector

log = logging.getLogger(__name__)

STAGES = ("detect", "track", "count")
# Rates and times are means over so many of the last frames.
WINDOW = 50


class Pipeline:
    """One camera's frames into events. Used by one thread; ``statistics`` may be read by any."""

    def __init__(
        self,
        camera: CameraConfig,
        tracker: TrackerConfig,
        run: str,
        detector: Detector,
        submit: Callable[[Sequence[Event]], None],
    ) -> None:
        """``submit`` takes the events of one crossing, to be stored together."""
        self._camera = camera
        self._detector = detector
        self._tracker = Tracker(tracker, run)
        self._gates = [(gate, Gate(gate)) for gate in camera.gates]
        self._submit = submit
        self.statistics = Statistics()

    def process(self, frame: Frame) -> None:
        """Take one frame all the way. Frames come in the order of their time."""
        began = time.perf_counter()
        detections = self._detector.detect(frame.image)
        detected = time.perf_counter()
        tracks = self._tracker.update(detections, frame.monotonic)
        tracked = time.perf_counter()
        for config, gate in self._gates:
            for crossing in gate.update(tracks, frame.size, frame.monotonic):
                events = events_of(crossing, config, self._camera.id, frame)
                for event in events:
                    log.info(
                        "crossing event=%s camera=%s gate=%s track=%s direction=%s floor=%r type=%s confidence=%.2f",
                        *(event.event_id, event.camera_id, event.gate_id, event.track_id),
                        *(event.direction, event.floor, event.vehicle_type, event.confidence),
                    )
                self._submit(events)
        counted = time.perf_counter()
        self.statistics.add(frame.monotonic, (detected - began, tracked - detected, counted - tracked))


@dataclass(slots=True)
class Statistics:
    """What a camera's pipeline did: frames, frames a second, milliseconds per stage."""

    frames: int = 0
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _stages: deque[tuple[float, ...]] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def add(self, at: float, seconds: tuple[float, ...]) -> None:
        """One more frame, taken at ``at``, with the seconds of each of ``STAGES``."""
        self.frames += 1
        self._times.append(at)
        self._stages.append(seconds)

    @property
    def frames_per_second(self) -> float:
        """Processed frames a second of the frames' own clock, over the last frames; 0 while there are too few."""
        times = list(self._times)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        return len(gaps) / sum(gaps) if gaps and sum(gaps) > 0 else 0.0

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

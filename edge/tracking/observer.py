"""From a picture to what it shows: the detector's boxes and what moved. What comes out can be recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.core.frames import Detection
from edge.core.shapes import Box
from edge.tracking.optical_flow import Displacements, OpticalFlow
from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.tracker import Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.core.frames import Frame, Image
    from edge.tracking.parameters import TrackingParameters


class Observer:
    """One camera's eyes. ``observe`` is to be called for every processed frame, in order of time."""

    def __init__(
        self,
        detect: Callable[[Image], Sequence[Detection]],
        flow_width: int,
        parameters: TrackingParameters = DEFAULT_TRACKING,
    ) -> None:
        self._detect = detect
        self._flow = OpticalFlow(flow_width, parameters.flow)
        self._longest_gap = parameters.gaps.flow_seconds
        self._at: float | None = None

    def observe(self, frame: Frame) -> Observation:
        """What a frame shows, in hundredths of a pixel.

        Rounded, because the last digits of a network's output depend on how many threads shared the sums, and what is
        counted must not.
        """
        detections = tuple(
            Detection(Box(*(round(edge, 2) for edge in one.box)), one.label, round(one.confidence, 4))
            for one in self._detect(frame.image)
        )
        return Observation(frame.size, detections, self._follow(frame))

    def _follow(self, frame: Frame) -> Displacements:
        if self._at is not None and frame.monotonic - self._at > self._longest_gap:
            self._flow.reset()
        self._at = frame.monotonic
        moved = self._flow.step(frame.image)
        return Displacements(np.round(moved.points, 2), np.round(moved.moves, 2), moved.pixel)

"""Makes an observation of each frame: its detections, and what moved since the frame before.

Tracking needs nothing else of a frame, so recorded observations replay it without the video and the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.core.frames import Detection
from edge.core.shapes import Box
from edge.tracking.optical_flow import Displacements, OpticalFlow
from edge.tracking.parameters import DEFAULT_TRACKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.core.frames import Frame, Image
    from edge.tracking.parameters import TrackingParameters

# Decimals that are kept. The last digits of a network's output depend on how many threads shared its sums, and the
# count must not.
_PIXEL_DECIMALS = 2
_CONFIDENCE_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Observation:
    """What one frame shows: its size (width, height), the detections, and what moved since the frame before."""

    size: tuple[int, int]
    detections: Sequence[Detection]
    moved: Displacements


class Observer:
    """Observes one camera's frames. ``observe`` must be called for each processed frame, in order of time."""

    def __init__(
        self,
        detect: Callable[[Image], Sequence[Detection]],
        flow_width: int,
        parameters: TrackingParameters = DEFAULT_TRACKING,
    ) -> None:
        """``detect`` returns an image's detections; ``flow_width`` is explained in ``OpticalFlow``."""
        self._detect = detect
        self._flow = OpticalFlow(flow_width, parameters.flow)
        self._longest_gap = parameters.gaps.flow_seconds
        self._last_at: float | None = None

    def observe(self, frame: Frame) -> Observation:
        """Return what the frame shows; pixels are rounded to hundredths and confidences to four decimals."""
        detections = tuple(
            Detection(
                Box(*(round(edge, _PIXEL_DECIMALS) for edge in detection.box)),
                detection.label,
                round(detection.confidence, _CONFIDENCE_DECIMALS),
            )
            for detection in self._detect(frame.image)
        )
        return Observation(frame.size, detections, self._displacements(frame))

    def _displacements(self, frame: Frame) -> Displacements:
        if self._last_at is not None and frame.monotonic - self._last_at > self._longest_gap:
            self._flow.reset()
        self._last_at = frame.monotonic
        moved = self._flow.update(frame.image)
        points, moves = np.round(moved.points, _PIXEL_DECIMALS), np.round(moved.moves, _PIXEL_DECIMALS)
        return Displacements(points, moves, moved.scale)

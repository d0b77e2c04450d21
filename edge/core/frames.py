"""This module holds a frame, the time at which it was taken, and the detections in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from edge.core.shapes import Box

    Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """An image and the time it was taken.

    ``image`` is BGR, height x width x 3, and must not be written to. ``captured_at`` is aware UTC; ``monotonic`` is the
    same time in seconds on a clock that never jumps: the machine's monotonic clock for a live camera, the presentation
    time for a recorded clip. Only differences of ``monotonic`` have a meaning. ``sequence`` counts the source's frames
    from 0, dropped frames included.
    """

    image: Image
    captured_at: datetime
    monotonic: float
    sequence: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return int(self.image.shape[1]), int(self.image.shape[0])

    @property
    def time(self) -> FrameTime:
        """When the frame was taken, and its size: all but the image."""
        return FrameTime(self.captured_at, self.monotonic, self.size)


@dataclass(frozen=True, slots=True)
class FrameTime:
    """When a frame was taken, on both clocks as in ``Frame``, and its ``size`` (width, height) in pixels."""

    captured_at: datetime
    monotonic: float
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Detection:
    """One box in one frame, with the detector's class name and confidence (0..1)."""

    box: Box
    label: str
    confidence: float

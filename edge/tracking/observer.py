"""Makes an observation of each frame: its detections, and what moved since the frame before.

Tracking needs nothing else of a frame, so recorded observations replay it without the video and the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

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
    """What one frame shows: its size (width, height), the detections, and what moved since the frame before.

    ``view`` is the part of the frame that was looked at, in whole pixels; all coordinates are the frame's.
    """

    size: tuple[int, int]
    detections: Sequence[Detection]
    moved: Displacements
    view: Box

    @classmethod
    def of_frame(cls, size: tuple[int, int], detections: Sequence[Detection], moved: Displacements) -> Observation:
        """Return the observation of a whole frame."""
        return cls(size, detections, moved, whole_frame(size))


class FrameStep(NamedTuple):
    """The time of a frame, the seconds since the frame before, the frame's width and height, and the detector's view.

    Lengths are pixels.
    """

    at: float
    seconds: float
    size: tuple[int, int]
    view: Box


def whole_frame(size: tuple[int, int]) -> Box:
    """Return the view that is all of a frame of ``size``."""
    return Box(0.0, 0.0, float(size[0]), float(size[1]))


def cut_out(image: Image, view: Box) -> Image:
    """Return the part of an image that lies in a view of whole pixels. It shares the image's memory."""
    left, top, right, bottom = map(int, view)
    return image[top:bottom, left:right]


class Observer:
    """Observes one camera's frames. ``observe`` must be called for each processed frame, in order of time."""

    def __init__(
        self,
        detect: Callable[[Image, float], Sequence[Detection]],
        flow_width: int,
        parameters: TrackingParameters = DEFAULT_TRACKING,
    ) -> None:
        """``detect`` is that of ``Detector``; ``flow_width`` is explained in ``OpticalFlow``."""
        self._detect = detect
        self._flow = OpticalFlow(flow_width, parameters.flow)
        self._longest_gap = parameters.gaps.flow_seconds
        self._last_at: float | None = None
        self._view: Box | None = None

    def observe(self, frame: Frame, view: Box | None = None) -> Observation:
        """Return what the frame shows; pixels are rounded to hundredths and confidences to four decimals.

        Only the ``view`` is looked at, a part of the frame in whole pixels; None is the whole frame. The detector and
        the optical flow see it at the scale of the whole frame.
        """
        view = view or whole_frame(frame.size)
        image = cut_out(frame.image, view)
        share = max(image.shape[:2]) / max(frame.size)
        detections = tuple(
            Detection(_moved(found.box, view), found.label, round(found.confidence, _CONFIDENCE_DECIMALS))
            for found in self._detect(image, share)
        )
        return Observation(frame.size, detections, self._displacements(frame.monotonic, image, share, view), view)

    def _displacements(self, at: float, image: Image, share: float, view: Box) -> Displacements:
        if (self._last_at is not None and at - self._last_at > self._longest_gap) or view != self._view:
            self._flow.reset()
        self._last_at, self._view = at, view
        moved = self._flow.update(image, share)
        points, moves = moved.points + np.array(view[:2]), np.round(moved.moves, _PIXEL_DECIMALS)
        return Displacements(np.round(points, _PIXEL_DECIMALS), moves, moved.scale)


def _moved(box: Box, view: Box) -> Box:
    """Return a box of a view in rounded coordinates of the frame."""
    x, y = view[:2]
    return Box(*(round(edge + start, _PIXEL_DECIMALS) for edge, start in zip(box, (x, y, x, y), strict=True)))

"""Finds out whether something moves in a picture, at a small fraction of the cost of detecting what it is.

Each pixel of a small grey picture, divided by the brightness about it, is compared with what was seen there before: a
mixture of Gaussians (Zivkovic 2004, OpenCV's MOG2), which learns what sways and flickers in one place. Light that
changes over a part of the picture changes a pixel and its surroundings alike. What moves covers a whole cell of pixels
that are not the background.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.scheduling.parameters import DEFAULT_SCHEDULING

if TYPE_CHECKING:
    from edge.core.frames import Image
    from edge.scheduling.parameters import MovementParameters

_WHITE = 255  # how MOG2 marks what is not the background
# MOG2's own number of frames; the learning rate that is given with each picture replaces it.
_UNUSED_HISTORY = 500


class MovementDetector:
    """Compares the pictures of one camera, which must be looked at in order of time."""

    def __init__(self, parameters: MovementParameters = DEFAULT_SCHEDULING.movement) -> None:
        self._parameters = parameters
        self._background = self._learn_anew()
        self._last: float | None = None
        self._shape: tuple[int, ...] = ()

    def look(self, image: Image, at: float, *, occupied: bool) -> bool:
        """Return whether something moves in a BGR image that was taken at ``at`` seconds.

        True for the first picture, and for one of another size. ``occupied`` says that a vehicle is near a gate: the
        background then changes slowly, so that the vehicle may stand for a minute and is seen when it drives on.
        """
        if self._last is None or image.shape != self._shape:
            self._background, self._shape = self._learn_anew(), image.shape
            rate = 1.0
        else:
            limits = self._parameters
            seconds = limits.learn_seconds_occupied if occupied else limits.learn_seconds
            rate = 1 - math.exp(-max(0.0, at - self._last) / seconds)
        is_first, self._last = rate == 1, at
        foreground = self._background.apply(self._local_brightness(image), learningRate=rate)
        if is_first:
            return True
        cell = self._parameters.cell
        changed = cv2.blur(foreground, (cell, cell), borderType=cv2.BORDER_CONSTANT)
        return bool(changed.max() > self._parameters.cell_share * _WHITE)

    def forget(self) -> None:
        """Learn the background anew with the next picture, after a gap."""
        self._last = None

    def _learn_anew(self) -> cv2.BackgroundSubtractorMOG2:
        return cv2.createBackgroundSubtractorMOG2(
            history=_UNUSED_HISTORY, varThreshold=self._parameters.variances, detectShadows=False
        )

    def _local_brightness(self, image: Image) -> Image:
        limits = self._parameters
        height, width = image.shape[:2]
        thinned = max(1, max(height, width) // limits.thinned_width)
        if thinned > 1:
            image = np.ascontiguousarray(image[::thinned, ::thinned])
            height, width = image.shape[:2]
        scale = min(1.0, limits.width / max(height, width))
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        if scale < 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        values = grey.astype(np.float32)
        around = cv2.blur(values, (limits.surroundings, limits.surroundings)) + np.float32(limits.least_brightness)
        return np.asarray(cv2.divide(values, around, scale=limits.level, dtype=cv2.CV_8U), dtype=np.uint8)

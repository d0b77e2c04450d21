"""Chooses which frames of a source to take, so that no more remain than a rate allows."""

from __future__ import annotations

import math

# A frame that comes this share of an interval before it is due is taken all the same: containers round their
# times to milliseconds and networks jitter, and waiting for the next frame would halve the rate.
EARLY_SHARE = 0.05


class Pacer:
    """Chooses which frames to take so that at most ``fps`` a second remain; ``None`` takes all.

    The first frame is taken. From its time on there is a grid of times, ``1 / fps`` seconds apart; a frame is taken
    when it is at or after the next time of the grid (or ``EARLY_SHARE`` of an interval before it), and the next time is
    then the first after that frame. The grid is fixed, so nothing drifts: 10 of 25 frames a second are 10 for hours.
    After a gap there is no burst to catch up.
    """

    def __init__(self, fps: float | None) -> None:
        self._fps = fps
        self._origin: float | None = None
        self._next = 1  # index in the grid

    def takes(self, at: float) -> bool:
        """Whether to take the frame of time ``at`` (seconds; call once a frame, in order)."""
        if self._fps is None:
            return True
        if self._origin is None:
            self._origin = at
            return True
        index = (at - self._origin) * self._fps + EARLY_SHARE
        if index < self._next:
            return False
        self._next = math.floor(index) + 1
        return True

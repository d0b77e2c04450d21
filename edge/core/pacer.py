"""Which frames to take so that at most so many a second remain."""

from __future__ import annotations

import math

# A frame that comes this share of an interval before it is due is taken all the same: containers round their
# times to milliseconds and networks jitter, and waiting for the next frame would halve the rate.
EARLY = 0.05


class Pacer:
    """Chooses which frames to take so that at most ``fps`` a second remain; ``None`` takes all.

    The first frame is taken. From its time on there is a place every ``1 / fps`` seconds; a frame is taken
    when it is at or after the next place (or ``EARLY`` intervals before it), and the next place is then the
    first one after that frame. The places stand on a fixed grid, so nothing drifts: 10 of 25 frames a second
    are 10 for hours. After a gap there is no burst to catch up.
    """

    def __init__(self, fps: float | None) -> None:
        self._fps = fps
        self._origin: float | None = None
        self._next = 1

    def takes(self, at: float) -> bool:
        """Whether to take the frame of time ``at`` (seconds; call once a frame, in order)."""
        if self._fps is None:
            return True
        if self._origin is None:
            self._origin = at
            return True
        place = (at - self._origin) * self._fps + EARLY
        if place < self._next:
            return False
        self._next = math.floor(place) + 1
        return True

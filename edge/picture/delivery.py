"""Counts how many frames a second come to be processed, and how old they are."""

from __future__ import annotations

from collections import deque

# The rate is counted over so many seconds: long enough for a rate of one frame a second, short against the ten seconds
# after which too low a rate is a fault.
RATE_SECONDS = 4.0


class Delivery:
    """The times of the last frames. Times are seconds, as ``Frame.monotonic``."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._started: float | None = None
        self.age = 0.0  # seconds between the taking of the last frame and its processing

    def add(self, at: float, now: float | None) -> None:
        """Add a frame that was taken at ``at`` and is processed at ``now``; None for a recording."""
        if self._started is None:
            self._started = at
        self._times.append(at)
        self._drop(at)
        self.age = 0.0 if now is None else max(0.0, now - at)

    def rate(self, now: float) -> float | None:
        """Frames a second up to ``now``; None before a whole window has passed."""
        if self._started is None or now - self._started < RATE_SECONDS:
            return None
        self._drop(now)
        return len(self._times) / RATE_SECONDS

    def restart(self) -> None:
        """Begin again, because the camera was away."""
        self._times.clear()
        self._started = None
        self.age = 0.0

    def _drop(self, now: float) -> None:
        while self._times and self._times[0] <= now - RATE_SECONDS + _TOLERANCE:
            self._times.popleft()


# Times of frames are rounded to milliseconds; a frame at the window's edge must not come and go by that.
_TOLERANCE = 0.005

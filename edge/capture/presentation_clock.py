"""Converts the times that a container gives its frames into seconds that begin at 0 and always grow."""

from __future__ import annotations

# Frames a second, where the container's own figure is not credible.
_USUAL_RATE = 25.0
_CREDIBLE_RATES = (0.1, 240.0)
# Seconds between two frames that the container gives the same time.
_SMALLEST_STEP = 0.001
# A time that goes back by more seconds than this begins a new count; by less, it is one wrong time.
_LARGEST_FAULT = 1.0


class PresentationClock:
    """Seconds from the first frame, strictly growing, one call a frame.

    ``rate`` (frames a second; not credible: 25) fills in where frames have no time: then it is index / rate. A time
    that stands still, or goes back by up to a second, is replaced by a millisecond after the time before it. A time
    that goes back further (pieces of a recording put together) is replaced by one frame after the time before it, and
    the times that follow count on from there.
    """

    def __init__(self, rate: float | None = None) -> None:
        lowest, highest = _CREDIBLE_RATES
        self._frame_seconds = 1 / (rate if rate is not None and lowest <= rate <= highest else _USUAL_RATE)
        self._zero: float | None = None  # the container's time that counts as 0
        self._last = 0.0

    def seconds(self, container_time: float) -> float:
        """Seconds from the first frame, for a frame to which its container gives this time (0: it gives none)."""
        if self._zero is None:
            self._zero = container_time
            return 0.0
        seconds = container_time - self._zero
        if seconds <= self._last:
            back = self._last - seconds
            if container_time == 0.0:
                seconds = self._last + self._frame_seconds
            elif back < _LARGEST_FAULT:
                seconds = self._last + _SMALLEST_STEP
            else:
                seconds = self._last + self._frame_seconds
                self._zero = container_time - seconds
        self._last = seconds
        return seconds

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

    ``rate`` (frames a second; not credible: 25) fills in where frames have no time, also where the first frames have
    none: the first time that there is then belongs to index / rate. A time that stands still, or goes back by up to a
    second, is replaced by a millisecond after the time before it; a first time that stands still, and a second
    repetition of any, is no time, and the rate fills in. A time that goes back further (pieces of a recording put
    together) is replaced by one frame after the time before it, and the times that follow count on from there.
    """

    def __init__(self, rate: float | None = None) -> None:
        lowest, highest = _CREDIBLE_RATES
        self._frame_seconds = 1 / (rate if rate is not None and lowest <= rate <= highest else _USUAL_RATE)
        self._zero: float | None = None  # the container's time that counts as 0
        self._before: float | None = None  # the container's time of the frame before
        self._repetitions = 0  # of that time
        self._moved = False  # whether the container gave a second time
        self._last: float | None = None

    def seconds(self, container_time: float | None) -> float:
        """Seconds from the first frame, for a frame to which its container gives this time (None: it gives none)."""
        following = 0.0 if self._last is None else self._last + self._frame_seconds
        if container_time is None:
            self._last = following
        elif self._zero is None:
            self._zero = container_time - following
            self._last = following
        else:
            self._last = self._after(container_time, self._zero, following)
        self._repetitions = self._repetitions + 1 if container_time == self._before else 0
        self._before = container_time
        return self._last

    def _after(self, container_time: float, zero: float, following: float) -> float:
        last = self._last or 0.0
        seconds = container_time - zero
        if seconds > last:
            self._moved = True
            return seconds
        if last - seconds >= _LARGEST_FAULT and container_time != self._before:
            self._zero = container_time - following
            return following
        is_no_time = container_time == self._before and (self._repetitions > 0 or not self._moved)
        return following if is_no_time else last + _SMALLEST_STEP

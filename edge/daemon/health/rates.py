"""This module computes rates a second from counters that are read every few seconds."""

from __future__ import annotations

import threading
from collections import deque

# Rates are means over so many readings: with one every two seconds, over the last ten seconds.
_READINGS = 6


class RecentRates:
    """The rates of some counters that grow. Thread-safe; times are monotonic seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings: deque[tuple[float, tuple[float, ...]]] = deque(maxlen=_READINGS)

    def add(self, now: float, *counters: float) -> None:
        """Add a reading of the counters: the same number of them, in the same order, each time."""
        with self._lock:
            self._readings.append((now, counters))

    def growth(self) -> tuple[float, tuple[float, ...]]:
        """The seconds between the first and the last reading, and by how much each counter grew in them.

        0 seconds and no counters before the second reading.
        """
        with self._lock:
            if len(self._readings) < 2:
                return 0.0, ()
            (began, before), (ended, after) = self._readings[0], self._readings[-1]
        return ended - began, tuple(later - earlier for earlier, later in zip(before, after, strict=True))

    def rates(self) -> tuple[float, ...]:
        """The rate a second of each counter; empty before the second reading."""
        seconds, grown = self.growth()
        return tuple(value / seconds for value in grown) if seconds > 0 else ()

"""Chooses how much of a stream is decoded, by whether the machine keeps up with it."""

from __future__ import annotations

from enum import StrEnum

# Seconds that a lower effort has to take effect before the next lower one is chosen.
_SETTLING_SECONDS = 3.0
# Seconds without lag after which more is decoded again; doubled each time that this proves too early.
_FIRST_TRIAL, _LONGEST_TRIAL = 10.0, 320.0


class Effort(StrEnum):
    """How much of a stream is decoded."""

    FULL = "full"
    REFERENCE = "without non-reference pictures"
    KEY_FRAMES = "key frames only"


_ORDER = list(Effort)


class EffortControl:
    """Lowers the effort while pictures lag, and raises it again when they have not lagged for a while.

    A trial of a higher effort that leads to lag before it is as old as the wait before it doubles the next wait, so a
    machine that is too slow for good tries rarely. ``now`` is monotonic seconds.
    """

    def __init__(self, now: float) -> None:
        self.effort = Effort.FULL
        self._lowered_at = now - _SETTLING_SECONDS
        self._changed_at = self._lagged_at = now
        self._wait = _FIRST_TRIAL
        self._raised_at: float | None = None

    def lagging(self, now: float) -> bool:
        """Note that pictures lag; returns whether the effort was lowered."""
        if self._raised_at is not None and now - self._raised_at < self._wait:
            self._wait = min(self._wait * 2, _LONGEST_TRIAL)
            self._raised_at = None
        self._lagged_at = now
        if now - self._lowered_at < _SETTLING_SECONDS or self.effort is _ORDER[-1]:
            return False
        self.effort = _ORDER[_ORDER.index(self.effort) + 1]
        self._changed_at = self._lowered_at = now
        return True

    def keeping_up(self, now: float) -> bool:
        """Note that pictures do not lag; returns whether the effort was raised."""
        if self.effort is Effort.FULL:
            if self._raised_at is not None and now - self._raised_at >= self._wait:
                self._wait, self._raised_at = _FIRST_TRIAL, None
            return False
        if now - max(self._lagged_at, self._changed_at) < self._wait:
            return False
        self.effort = _ORDER[_ORDER.index(self.effort) - 1]
        self._changed_at = self._raised_at = now
        return True

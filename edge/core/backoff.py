"""Computes how long to wait between two attempts at something that the outside world refuses."""

from __future__ import annotations

import random


class Backoff:
    """Exponential back-off with jitter: the wait doubles from ``first`` to ``longest`` seconds.

    Each wait is shortened by a random share of up to half of it, so that many devices which lost the same server do
    not all try again at the same moment. ("Equal jitter" in Marc Brooker's "Exponential Backoff And Jitter", AWS
    Architecture Blog, 2015: half of the wait is certain, so that a failing server always gets a pause.)

    Used by one thread.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._wait = first

    def reset(self) -> None:
        """Begin again with ``first``, after a success."""
        self._wait = self._first

    def next_wait(self) -> float:
        """The seconds to wait before the next attempt; the wait after it is twice as long."""
        wait = self._wait
        self._wait = min(wait * 2, self._longest)
        return wait * random.uniform(0.5, 1.0)


class OutageBackoff:
    """Waits between attempts at a camera: short at first, and long after it has been down for ``frequent_for`` seconds.

    The waits double from ``first`` to ``longest`` seconds, jittered as in ``Backoff``: a camera that was rebooted or
    lost its cable is back within minutes and is to be seen at once. One that has been away for longer was switched
    off, and is tried every ``later`` seconds.

    Used by one thread.
    """

    def __init__(
        self, first: float = 0.5, longest: float = 5.0, frequent_for: float = 600.0, later: float = 30.0
    ) -> None:
        self._waits = Backoff(first, longest)
        self._frequent_for = frequent_for
        self._later = later
        self._began: float | None = None  # the outage

    def reset(self) -> None:
        """The outage is over."""
        self._waits.reset()
        self._began = None

    def next_wait(self, now: float) -> float:
        """The seconds to wait before the next attempt, at ``now`` (monotonic)."""
        self._began = now if self._began is None else self._began
        wait = self._waits.next_wait()
        return wait if now - self._began < self._frequent_for else self._later * random.uniform(0.5, 1.0)

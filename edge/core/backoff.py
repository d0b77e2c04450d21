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

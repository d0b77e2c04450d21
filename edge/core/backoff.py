"""Waiting between two attempts at something that the outside world refuses."""

from __future__ import annotations

import random


class Backoff:
    """Waits that double from ``first`` to ``longest`` seconds, each less a random share of up to half."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def reset(self) -> None:
        """Start small again."""
        self._next = self._first

    def next(self) -> float:
        """The seconds to wait now."""
        wait = self._next
        self._next = min(wait * 2, self._longest)
        return wait * random.uniform(0.5, 1.0)

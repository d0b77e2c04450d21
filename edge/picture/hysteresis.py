"""This module decides when a condition that is seen now and then has begun to last, and when it is over."""

from __future__ import annotations

# Two looks that are further apart count as so many seconds: what was between them is not known.
LONGEST_STEP_SECONDS = 3.0


class Hysteresis:
    """A state that begins when a condition has been seen for ``begin_seconds``, and ends when it is absent for long.

    Evidence is counted in seconds: it grows while the condition is seen and shrinks as fast while it is not, so a
    condition that is seen less than half of the time never begins. ``since`` is the time at which the evidence that
    led to the state began to grow; None while the state does not last. ``until`` is when the last state ended.
    """

    def __init__(self, begin_seconds: float, end_seconds: float) -> None:
        self._begin_seconds = begin_seconds
        self._end_seconds = end_seconds
        self._last: float | None = None
        self._evidence = 0.0  # seconds, against what the state is now
        self._evidence_since: float | None = None
        self.since: float | None = None
        self.until: float | None = None

    @property
    def pending_seconds(self) -> float:
        """How much evidence there is for a state that has not begun yet."""
        return self._evidence if self.since is None else 0.0

    @property
    def pending(self) -> bool:
        """Whether there is evidence for a state that has not begun yet."""
        return self.since is None and self._evidence_since is not None

    def update(self, seen: bool | None, at: float, began: float | None = None) -> bool:
        """Take a look at time ``at`` (seconds, growing); None: it cannot be seen now. Returns whether the state lasts.

        The time between two looks counts for the later one. ``began`` is when the condition began, if that is known
        better than by the looks.
        """
        step = 0.0 if self._last is None else min(at - self._last, LONGEST_STEP_SECONDS)
        self._last = at
        if seen is None:
            return self.since is not None
        if seen is (self.since is not None):
            self._evidence = max(0.0, self._evidence - step)
            if self._evidence == 0.0:
                self._evidence_since = None
            return self.since is not None
        first = at if self._evidence_since is None else self._evidence_since
        self._evidence += step
        self._evidence_since = first
        if self.since is None and self._evidence >= self._begin_seconds:
            self._change(first if began is None else began)
        elif self.since is not None and self._evidence >= self._end_seconds:
            self._change(None)
            self.until = first
        return self.since is not None

    def forget(self) -> None:
        """Forget all evidence for and against the state."""
        self._evidence, self._evidence_since = 0.0, None

    def end(self) -> None:
        """End the state now, and forget the evidence for it."""
        if self.since is not None:
            self._change(None)
            self.until = self._last

    def _change(self, since: float | None) -> None:
        self.since, self._evidence, self._evidence_since = since, 0.0, None

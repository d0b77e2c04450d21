"""This module watches the wall clock: whether it is synchronised, and when it is set.

A Pi without a battery-backed clock starts with the time of its last shutdown. Until it has reached a time server, the
times of its events are wrong; then the clock is set, by days. The monotonic clock is never set, so the difference of
the two clocks, the offset, shows each step.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.events import ClockState
from edge.host.kernel_clock import kernel_clock_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

# The state changes rarely, so the kernel is not asked for every event.
CLOCK_CHECK_SECONDS = 10.0
# A change of the offset by so much is a step. A time service that corrects the rate changes both clocks alike on
# Linux, so the offset changes by steps alone; smaller ones change no order of events.
LEAST_STEP_SECONDS = 0.25
# A smaller change is that of two looks at the clocks, and no change of the clock: times that are computed from the
# offset stay the same.
_LEAST_CHANGE_SECONDS = 0.02
# Events are marked as stepped for so long after a step, and then until the clock is seen to be synchronised: a reader
# recognises the times between which their order is not that of their ids.
STEPPED_SECONDS = 60.0
# The two clocks are read again when the process was interrupted for longer between them, up to so many times.
_LONGEST_READ_SECONDS = 0.01
_READS = 20
_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The wall clock at one moment.

    ``now`` is its time and ``offset`` that time less the monotonic clock's, in microseconds (since 1970, UTC). ``step``
    is by how many microseconds the clock was set, 0 unless the reading reports a step. ``order_from`` is the time of
    the wall clock before it was set back: lists sort events with an earlier time by this time and by their ids. None
    where no event needs it.
    """

    now: int
    offset: int
    state: ClockState
    step: int = 0
    order_from: int | None = None

    def at(self, monotonic: float) -> int:
        """The wall clock's time, in microseconds, of a moment of the monotonic clock."""
        return round(monotonic * _MICROS) + self.offset


class WallClock:
    """The wall clock beside the monotonic clock, for any thread. Every method notices a step.

    ``on_step`` gets the reading after a step, ``on_synchronised`` the first one of a synchronised clock. Both are
    called with the lock held, so they come before whatever is done in a later ``held`` block; they must not wait.
    """

    def __init__(
        self,
        read_state: Callable[[], ClockState] = kernel_clock_state,
        monotonic: Callable[[], float] = time.monotonic,
        wall_micros: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.on_step: Callable[[ClockReading], None] = lambda reading: None
        self.on_synchronised: Callable[[ClockReading], None] = lambda reading: None
        self._read_state = read_state
        self._monotonic = monotonic
        self._wall_micros = wall_micros
        self._lock = threading.Lock()
        self._read_at, self._offset = self._read()
        self._state = ClockState.UNKNOWN
        self._state_read_at: float | None = None
        self._stepped_at: float | None = None
        self._was_synchronised = False
        self._order_from: int | None = None
        self._order_from_before: int | None = None

    def order_after(self, micros: int | None) -> None:
        """Sort events behind a time of an earlier run, after which the clock was set back. Before the first event."""
        with self._lock:
            self._order_from = self._order_from_before = micros

    def check(self) -> ClockReading:
        """Look at both clocks: call it often, so that a step is known soon."""
        with self.held() as reading:
            return reading

    def state(self) -> ClockState:
        """Whether the wall clock is synchronised. A change is logged."""
        return self.check().state

    @contextmanager
    def held(self) -> Iterator[ClockReading]:
        """The reading of this moment; no step is reported while the block runs."""
        with self._lock:
            self._notice_step()
            state = self._current_state()
            yield self._reading(state)

    # -- with the lock held ----------------------------------------------------------------------------------------

    def _notice_step(self) -> None:
        now, offset = self._read()
        change = offset - self._offset
        self._read_at = now
        if abs(change) < _LEAST_CHANGE_SECONDS * _MICROS:
            return
        before, self._offset = self._offset, offset
        if abs(change) < LEAST_STEP_SECONDS * _MICROS:
            return
        log.warning("the wall clock was set by %+.1f s; events keep their order by their ids", change / _MICROS)
        if change < 0:
            last = round(now * _MICROS) + before
            self._order_from = last if self._order_from is None else max(self._order_from, last)
        self._stepped_at, self._state_read_at = now, None
        self.on_step(self._reading(ClockState.STEPPED, change))

    def _reading(self, state: ClockState, step: int = 0) -> ClockReading:
        now = round(self._read_at * _MICROS) + self._offset
        return ClockReading(now, self._offset, state, step, self._order_from)

    def _current_state(self) -> ClockState:
        now = self._read_at
        if self._state_read_at is None or now - self._state_read_at >= CLOCK_CHECK_SECONDS:
            self._state_read_at = now
            state = self._read_state()
            if state is not self._state:
                log.info("the wall clock is %s", state)
            self._state = state
        synchronised = self._state is ClockState.SYNCHRONISED
        if synchronised and not self._was_synchronised:
            self._was_synchronised = True
            # The times before it are corrected now, so the steps on the way to it do not matter any more.
            self._order_from = self._order_from_before
            self.on_synchronised(self._reading(self._state))
        if self._stepped_at is not None:
            if not synchronised or now - self._stepped_at < STEPPED_SECONDS:
                return ClockState.STEPPED
            self._stepped_at = None
        return self._state

    def _read(self) -> tuple[float, int]:
        """The monotonic time and the offset at one moment: the best of several attempts on a busy machine."""
        shortest = float("inf")
        best = (0.0, 0)
        for _ in range(_READS):
            before = self._monotonic()
            wall = self._wall_micros()
            after = self._monotonic()
            if after - before < shortest:
                shortest = after - before
                middle = (before + after) / 2
                best = (middle, wall - round(middle * _MICROS))
            if shortest <= _LONGEST_READ_SECONDS:
                break
        return best

"""This module asks the kernel whether the wall clock is synchronised.

A Pi without a battery-backed clock starts with the time of its last shutdown. Until it has reached a time server, the
times of its events are wrong, and the events are marked so.
"""

from __future__ import annotations

import ctypes
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.events import ClockState

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

# From Linux's <sys/timex.h>: what adjtimex() returns when the clock is not synchronised.
_TIME_ERROR = 5
# struct timex is 208 bytes on 64-bit machines, less on others; with `modes` 0 the kernel only fills it in.
_TIMEX_BYTES = 512
# systemd-timesyncd makes this file when it has reached a time server.
_TIMESYNC_FILE = Path("/run/systemd/timesync/synchronized")
# The state changes rarely, so the kernel is not asked for every event.
CLOCK_CHECK_SECONDS = 10.0


class WallClock:
    """The state of the wall clock, for any thread; the kernel is asked once in ten seconds at most."""

    def __init__(
        self, read_state: Callable[[], ClockState] | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._read_state = read_state or kernel_clock_state
        self._monotonic = monotonic
        self._state = ClockState.UNKNOWN
        self._read_at: float | None = None

    def state(self) -> ClockState:
        """Whether the wall clock is synchronised. A change is logged."""
        now = self._monotonic()
        if self._read_at is None or now - self._read_at >= CLOCK_CHECK_SECONDS:
            self._read_at = now
            state = self._read_state()
            if state is not self._state:
                log.info("the wall clock is %s", state)
            self._state = state
        return self._state


def kernel_clock_state(timesync_file: Path = _TIMESYNC_FILE) -> ClockState:
    """The state as the kernel gives it; where the kernel may not be asked, as the file of systemd-timesyncd gives it.

    ``UNKNOWN`` where there is neither.
    """
    answer = _adjtimex()
    if answer >= 0:
        return ClockState.UNSYNCHRONISED if answer == _TIME_ERROR else ClockState.SYNCHRONISED
    return ClockState.SYNCHRONISED if timesync_file.exists() else ClockState.UNKNOWN


def _adjtimex() -> int:
    """The result of adjtimex(2); -1 where the kernel refuses it (a strict sandbox, another system)."""
    try:
        function = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return -1
    return int(function(ctypes.create_string_buffer(_TIMEX_BYTES)))

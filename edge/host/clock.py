"""Whether this machine's wall clock is right, as the kernel sees it.

A Pi without a battery-backed clock starts with the time of its last shutdown; until a time server was heard, an
event's time is a guess, and says so.
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
TIME_ERROR = 5
# struct timex is 208 bytes on 64-bit machines, less on others; with `modes` 0 the kernel only fills it in.
TIMEX_BYTES = 512
# systemd-timesyncd makes this file when it has heard a server.
TIMESYNC = Path("/run/systemd/timesync/synchronized")
# The answer changes a few times in a machine's life; a call of the kernel an event would be waste.
ASK_SECONDS = 10.0


class Clock:
    """Answers ``state()`` for any thread; asks the kernel every ten seconds at most."""

    def __init__(
        self, ask: Callable[[], ClockState] | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask or kernel_state
        self._monotonic = monotonic
        self._known = ClockState.UNKNOWN
        self._asked: float | None = None

    def state(self) -> ClockState:
        """Whether the wall clock is right now. A change is logged."""
        now = self._monotonic()
        if self._asked is None or now - self._asked >= ASK_SECONDS:
            self._asked = now
            state = self._ask()
            if state is not self._known:
                log.info("the wall clock is %s", state)
            self._known = state
        return self._known


def kernel_state(timesync: Path = TIMESYNC) -> ClockState:
    """What the kernel says; systemd's word where it may not be asked; ``UNKNOWN`` where neither answers."""
    answer = _adjtimex()
    if answer >= 0:
        return ClockState.UNSYNCHRONISED if answer == TIME_ERROR else ClockState.SYNCHRONISED
    return ClockState.SYNCHRONISED if timesync.exists() else ClockState.UNKNOWN


def _adjtimex() -> int:
    """The clock's state, -1 where the kernel does not tell (a strict sandbox, another system)."""
    try:
        function = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return -1
    return int(function(ctypes.create_string_buffer(TIMEX_BYTES)))

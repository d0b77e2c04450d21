"""This module asks the kernel whether the wall clock is synchronised, and which boot this is."""

from __future__ import annotations

import ctypes
from pathlib import Path

from edge.core.events import ClockState

# From Linux's <linux/timex.h>, NTP_PHASE_LIMIT: the largest error that the kernel records, in microseconds. It stands
# there from the boot until a time service sets the error, after the clock was set by hand, and when the service has
# not reached its servers for nine hours (the kernel adds 500 microseconds each second).
_UNKNOWN_ERROR = 16_000_000
# systemd-timesyncd makes this file when it has reached a time server.
_TIMESYNC_FILE = Path("/run/systemd/timesync/synchronized")
_BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


class Timex(ctypes.Structure):
    """The beginning of Linux's ``struct timex``, with room for the rest of it. ``modes`` 0 only reads."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def kernel_clock_state(timesync_file: Path = _TIMESYNC_FILE) -> ClockState:
    """The state as the kernel gives it; where the kernel may not be asked, as the file of systemd-timesyncd gives it.

    The largest error decides, as in ``timedatectl``, and not the flag STA_UNSYNC nor the result of adjtimex(2), which
    follows that flag: chrony leaves the flag set while it keeps the clock right, unless its option ``rtcsync`` is
    given. ``UNKNOWN`` where there is neither an answer nor the file.
    """
    error = _largest_error()
    if error is not None:
        return ClockState.SYNCHRONISED if error < _UNKNOWN_ERROR else ClockState.UNSYNCHRONISED
    return ClockState.SYNCHRONISED if timesync_file.exists() else ClockState.UNKNOWN


def boot_id(file: Path = _BOOT_ID_FILE) -> str:
    """The kernel's id of this boot, in which the monotonic clock is one; ``unknown`` where it cannot be read."""
    try:
        return file.read_text().strip() or "unknown"
    except OSError:
        return "unknown"


def _largest_error() -> int | None:
    """The largest error of the clock in microseconds; None where the kernel refuses it (a sandbox, another system)."""
    try:
        function = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    timex = Timex()
    return int(timex.maxerror) if int(function(ctypes.byref(timex))) >= 0 else None

"""One connection to a live camera, in a thread of its own, because OpenCV's calls block and may hang.

A reader that hangs cannot be ended from outside; ``live.py`` leaves it behind and takes another.
"""

from __future__ import annotations

import atexit
import os
import socket
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edge.capture import video as opencv

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.capture.video import Capture

# Time-outs are OpenCV's business; a call that is this much over them hangs.
GRACE_SECONDS = 1.0
# One damaged packet is no reason for a new connection; a dead stream fails this often within milliseconds.
FAILURES_AT_THE_END = 30
LOOK_SECONDS = 2.0
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}

# An interpreter that ends while a thread is about to return from OpenCV aborts (the exit code is lost), so the
# end waits for the readers that are still about. Those that hang for good do no harm.
_at_large: set[Reader] = set()


class Backlog:
    """Tells frames that piled up while a stream was opened from those that come in now.

    FFmpeg reads a stream for one to five seconds before it is open and hands these frames out afterwards in one
    burst: their time of capture is unknown. A frame is one of them as long as it is there sooner than its
    presentation time has moved on. There can be no more of them than the opening took, and some.
    """

    def __init__(self, opened_in: float) -> None:
        self._left = opened_in + 1.0
        self._before: float | None = None

    def holds(self, waited: float, position: float) -> bool:
        """Whether the frame at ``position`` that was waited for ``waited`` seconds is an old one."""
        if self._left <= 0:
            return False
        step = 0.0 if self._before is None else position - self._before
        step = min(step, 1.0) if step > 0 else 0.04
        self._before = position
        if waited >= 0.8 * step:
            self._left = 0.0
            return False
        self._left -= step
        return True


class Reader(threading.Thread):
    """Opens the stream and gives every grabbed frame to ``accept`` until it breaks, is silent, or is to leave.

    ``accept(reader, capture, monotonic, wall, fresh)`` runs in this thread and may retrieve the frame.
    ``deadline`` (monotonic) is when the reader must have shown a sign of life. ``ended`` is called at the end,
    when ``problem`` says why and ``crash`` holds an exception that nobody expected.
    """

    def __init__(
        self,
        name: str,
        address: str,
        open_capture: Callable[[], Capture | None],
        accept: Callable[[Reader, Capture, float, datetime, bool], None],
        ended: Callable[[], None],
        *,
        open_seconds: float,
        silent_seconds: float,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.leave = threading.Event()
        self.done = False
        self.problem = ""
        self.crash: Exception | None = None
        self.deadline = 0.0
        self._address = address
        self._open_capture = open_capture
        self._accept = accept
        self._ended = ended
        self._open_seconds = open_seconds
        self._silent_seconds = silent_seconds

    def start(self) -> None:
        """Begin; the opening counts from now."""
        self._must_act_within(self._open_seconds)
        _at_large.add(self)
        super().start()

    def run(self) -> None:
        """The thread: open, read, release, and tell."""
        try:
            begun = time.monotonic()
            capture = self._open_capture()
            if capture is None:
                self._must_act_within(2 * LOOK_SECONDS)
                self.problem = why_closed(self._address)
                return
            try:
                self.problem = self._read(capture, Backlog(time.monotonic() - begun))
            finally:
                self._must_act_within(self._silent_seconds)
                capture.release()
        except Exception as error:  # told to whoever reads frames: see LiveSource.read
            self.crash = error
        finally:
            self.done = True
            _at_large.discard(self)
            self._ended()

    def _read(self, capture: Capture, backlog: Backlog) -> str:
        """Read until the end; returns why it ended."""
        failed = 0
        last = time.monotonic()
        self._must_act_within(self._silent_seconds)
        while not self.leave.is_set():
            before = time.monotonic()
            grabbed = opencv.grab(capture)
            now, wall = time.monotonic(), datetime.now(UTC)
            if now - last >= self._silent_seconds:
                # Even if a frame came: after a time-out the decoder hands out what it had held back.
                return f"no frame for {now - last:.0f} s"
            if not grabbed:
                failed += 1
                if failed >= FAILURES_AT_THE_END:
                    return "the stream broke off"
                continue
            failed, last = 0, now
            self._must_act_within(self._silent_seconds)
            self._accept(self, capture, now, wall, not backlog.holds(now - before, opencv.position(capture)))
        return ""

    def _must_act_within(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds + GRACE_SECONDS


def why_closed(address: str) -> str:
    """Why a stream or device cannot be opened, as far as can be told from outside, with what to do about it.

    OpenCV says only that it failed. Never holds user, password or query. Takes up to ``LOOK_SECONDS``.
    """
    if address.startswith("/"):
        if not os.path.exists(address):  # noqa: PTH110 - a device's address, not a file to work with
            return f"there is no {address}: is the camera plugged in?"
        if not os.access(address, os.R_OK | os.W_OK):
            return f"{address} may not be used: add the daemon's user to the group `video`"
        return f"{address} gives no video: does another program use it?"
    if address.isdigit():
        return why_closed(f"/dev/video{address}")
    parts = urlsplit(address)
    try:
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme.lower()]
    except ValueError:
        return "the port in the address is not a number"
    try:
        socket.create_connection((host, port), timeout=LOOK_SECONDS).close()
    except socket.gaierror:
        return f"no address is known for the name {host}: is it right, does the name server answer?"
    except ConnectionRefusedError:
        return f"{host} refuses connections on port {port}: is the camera ready, is the port right?"
    except OSError:
        return f"{host} does not answer on port {port}: is the camera on, is the network up?"
    return f"{host}:{port} answers, but gives no video: check path, user and password"


def _wait_for_the_last() -> None:
    """Let readers that are about to time out do so before the interpreter goes."""
    for reader in list(_at_large):
        reader.leave.set()
    for reader in list(_at_large):
        reader.join(max(reader.deadline - time.monotonic(), 0.0))


atexit.register(_wait_for_the_last)

"""Reads one connection to a live camera in a thread of its own, because OpenCV's calls block and may hang.

A thread that hangs cannot be ended from outside; the supervisor leaves it behind and starts another.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.capture import video
from edge.capture.diagnosis import DIAGNOSIS_SECONDS, reason_not_opened
from edge.core.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.capture.newest_frame import NewestFrame
    from edge.capture.video import Capture
    from edge.config.schema import CameraConfig

log = logging.getLogger(__name__)

# OpenCV has time-outs of its own; a call that takes this many seconds longer hangs.
_GRACE_SECONDS = 1.0
# One damaged packet is no reason for a new connection; on a dead stream this many reads fail within milliseconds.
_FAILED_READS_AT_THE_END = 30
# A frame that is there within this share of the time since the frame before was waiting already.
_WAITED_SHARE = 0.8
_USUAL_FRAME_SECONDS = 0.04  # between two frames whose container gives no times
_LONGEST_FRAME_SECONDS = 1.0  # a larger step of the presentation time is a fault in the stream
_OPENING_MARGIN_SECONDS = 1.0  # of video that may have piled up beyond the time the opening took

# An interpreter that ends while a thread is about to return from OpenCV aborts (the exit code is lost), so the
# process waits at its end for the readers that still run. Those that hang for good do no harm.
_running: set[Reader] = set()


class OpeningBacklog:
    """Distinguishes frames that piled up while a stream was opened from frames that come in now.

    FFmpeg reads a stream for one to five seconds before it is open and hands these frames out afterwards in one
    burst: the time they were captured is unknown. A frame belongs to the burst if it is there sooner than its
    presentation time has moved on. The burst is no longer than the opening took, with a margin.
    """

    def __init__(self, opened_in: float) -> None:
        self._left = opened_in + _OPENING_MARGIN_SECONDS
        self._last_position: float | None = None

    def contains(self, waited: float, position: float) -> bool:
        """Whether the frame with presentation time ``position``, which took ``waited`` seconds, is of the backlog."""
        if self._left <= 0:
            return False
        step = 0.0 if self._last_position is None else position - self._last_position
        step = min(step, _LONGEST_FRAME_SECONDS) if step > 0 else _USUAL_FRAME_SECONDS
        self._last_position = position
        if waited >= _WAITED_SHARE * step:
            self._left = 0.0
            return False
        self._left -= step
        return True


class Reader(threading.Thread):
    """Opens the stream and puts its frames into ``frames`` until the stream breaks, is silent, or ``leave`` is set.

    ``deadline`` (monotonic) is the time by which the thread must have made progress, else it hangs. At the end
    ``done`` is True, ``problem`` says why it ended, ``error`` holds an unexpected exception, and ``ended`` is called.
    """

    def __init__(
        self,
        camera: CameraConfig,
        open_capture: Callable[[], Capture | None],
        frames: NewestFrame,
        ended: Callable[[], None],
        *,
        open_seconds: float,
    ) -> None:
        super().__init__(name=f"read-{camera.id}", daemon=True)
        self.leave = threading.Event()
        self.done = False
        self.problem = ""
        self.error: Exception | None = None
        self.deadline = 0.0
        self._camera = camera
        self._open_capture = open_capture
        self._frames = frames
        self._ended = ended
        self._open_seconds = open_seconds

    def start(self) -> None:
        """Start the thread; the time for opening the stream counts from now."""
        self._set_deadline(self._open_seconds)
        _running.add(self)
        super().start()

    def run(self) -> None:
        """Open the stream, read it to its end and release it; runs in the thread."""
        try:
            begun = time.monotonic()
            capture = self._open_capture()
            if capture is None:
                self._set_deadline(DIAGNOSIS_SECONDS)
                self.problem = reason_not_opened(self._camera.public_source)
                return
            try:
                self.problem = self._read(capture, OpeningBacklog(time.monotonic() - begun))
            finally:
                self._set_deadline(self._camera.stale_seconds)
                capture.release()
        except Exception as error:  # raised again by LiveSource.read
            self.error = error
        finally:
            self.done = True
            _running.discard(self)
            self._ended()

    def _read(self, capture: Capture, backlog: OpeningBacklog) -> str:
        """Read until the end; returns why it ended."""
        failed = 0
        last = time.monotonic()
        self._set_deadline(self._camera.stale_seconds)
        while not self.leave.is_set():
            before = time.monotonic()
            grabbed = video.grab(capture)
            now, captured_at = time.monotonic(), datetime.now(UTC)
            if now - last >= self._camera.stale_seconds:
                # Even if a frame came: after a time-out the decoder hands out what it had held back.
                return f"no frame for {now - last:.0f} s"
            if not grabbed:
                failed += 1
                if failed >= _FAILED_READS_AT_THE_END:
                    return "the stream broke off"
                continue
            failed, last = 0, now
            self._set_deadline(self._camera.stale_seconds)
            fresh = not backlog.contains(now - before, video.position(capture))
            number = self._frames.announce(self, now, fresh=fresh)
            if number is not None:
                self._deliver(capture, captured_at, now, number)
        return ""

    def _deliver(self, capture: Capture, captured_at: datetime, monotonic: float, number: int) -> None:
        image = video.retrieve(capture)
        if image is not None and self._frames.put(self, Frame(image, captured_at, monotonic, number)):
            log.info("%s: frames come from %s", self._camera.id, self._camera.public_source)

    def _set_deadline(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds + _GRACE_SECONDS


def _wait_for_running_readers() -> None:
    """Let readers whose calls are about to time out return before the interpreter ends."""
    for reader in list(_running):
        reader.leave.set()
    for reader in list(_running):
        reader.join(max(reader.deadline - time.monotonic(), 0.0))


atexit.register(_wait_for_running_readers)

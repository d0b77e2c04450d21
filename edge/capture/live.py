"""A camera on the network or on USB as a source: the newest frame wins, and it is opened anew for ever.

Two threads: a reader that blocks in OpenCV (``reader.py``), and a supervisor that opens, watches and replaces
it. The reader's frames reach ``read`` through one slot; a frame that nobody took is replaced and counted.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edge.capture import video as opencv
from edge.capture.connection import Reader
from edge.core.backoff import Backoff
from edge.core.errors import SourceError
from edge.core.frames import Frame
from edge.core.pacer import Pacer
from edge.core.source import STREAM_SCHEMES, EndOfSource, SourceState, SourceStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge.capture.video import Capture
    from edge.config.schema import CameraConfig

log = logging.getLogger(__name__)

OPEN_SECONDS = 10.0  # FFmpeg looks into a slow stream for five before it calls it open
FIRST_AND_LONGEST_WAIT = (0.5, 30.0)  # seconds between two attempts to open the camera
STEADY_SECONDS = 10.0  # a connection that gave frames for so long was a good one: the back-off begins anew
MOST_STUCK = 3  # readers left behind in a call that does not return; each holds memory and a connection
CLOSE_SECONDS = 2.0


class LiveSource:
    """A camera. ``Frame.monotonic`` and ``captured_at`` are the machine's clocks when the frame was grabbed.

    Silent for ``stale_seconds`` it is down, and is opened anew after a jittered back-off, also when the reader
    hangs in OpenCV: that thread is left behind. When ``MOST_STUCK`` hang, no more are risked until one returns.
    ``open_capture`` replaces OpenCV in tests that inject faults.
    """

    recorded = False

    def __init__(
        self,
        camera: CameraConfig,
        *,
        open_seconds: float = OPEN_SECONDS,
        waits: tuple[float, float] = FIRST_AND_LONGEST_WAIT,
        open_capture: Callable[[], Capture | None] | None = None,
    ) -> None:
        self._camera = camera
        self._open_seconds = open_seconds
        self._backoff = Backoff(*waits)
        self._open_capture = open_capture or self._open
        self._pacer = Pacer(camera.fps)
        lock = threading.Lock()
        self._arrived = threading.Condition(lock)  # for whoever reads
        self._turn = threading.Condition(lock)  # for the supervisor
        self._supervisor: threading.Thread | None = None
        self._reader: Reader | None = None
        self._stuck: list[Reader] = []
        self._frame: Frame | None = None
        self._crash: Exception | None = None
        self._closed = False
        self._up_since: float | None = None
        self._ever_up = False
        self._problem = ""
        self._sequence = 0
        self._delivered = 0
        self._dropped = 0
        self._reconnects = 0
        self._latest: float | None = None

    @property
    def status(self) -> SourceStatus:
        """How the camera fares. ``down`` as soon as it is silent for ``stale_seconds``."""
        with self._arrived:
            state, problem = SourceState.UP, ""
            silent = time.monotonic() - (self._latest or 0.0)
            if self._closed:
                state, problem = SourceState.ENDED, self._problem
            elif self._up_since is None:
                state = SourceState.DOWN if self._problem else SourceState.STARTING
                problem = self._problem
            elif silent >= self._camera.stale_seconds:
                state, problem = SourceState.DOWN, f"no frame for {silent:.0f} s"
            return SourceStatus(state, self._delivered, self._dropped, self._reconnects, self._latest, problem)

    def start(self) -> None:
        """Begin to open the camera; returns at once. Raises ``SourceError`` for an address without a host."""
        parts = urlsplit(self._camera.source)
        if parts.scheme.lower() in STREAM_SCHEMES and not parts.hostname:
            raise SourceError(f"{self._camera.id}: the address has no host; write {parts.scheme}://HOST/PATH")
        self._supervisor = threading.Thread(target=self._run, name=f"capture-{self._camera.id}", daemon=True)
        self._supervisor.start()

    def read(self, timeout: float) -> Frame | None:
        """The newest frame that was not read yet; waits up to ``timeout`` seconds for one, else None."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._frame or self._closed or self._crash, timeout)
            if self._crash is not None:
                raise RuntimeError(f"{self._camera.id}: capture failed") from self._crash
            if self._closed:
                raise EndOfSource
            frame, self._frame = self._frame, None
            if frame is not None:
                self._delivered += 1
            return frame

    def close(self) -> None:
        """End. A reader that is blocked in OpenCV is given ``CLOSE_SECONDS``, then ends by itself later."""
        with self._arrived:
            self._closed = True
            self._frame = None
            self._arrived.notify_all()
            self._turn.notify_all()
            reader = self._reader
        if reader is not None:
            reader.leave.set()
            reader.join(CLOSE_SECONDS)
        if self._supervisor is not None:
            self._supervisor.join(CLOSE_SECONDS)

    def _open(self) -> Capture | None:
        address = self._camera.source
        if address.startswith("/") or address.isdigit():
            return opencv.open_device(address)
        return opencv.open_stream(
            self._camera.secret_url, open_seconds=self._open_seconds, read_seconds=self._camera.stale_seconds
        )

    def _run(self) -> None:
        try:
            while self._connect_once():
                pass
        except Exception as error:  # told to whoever reads frames
            self._fail(error)

    def _connect_once(self) -> bool:
        """One connection from opening to failure, and the wait after it. False: closed."""
        reader = Reader(
            f"read-{self._camera.id}",
            self._camera.public_source,
            self._open_capture,
            self._accept,
            self._wake,
            open_seconds=self._open_seconds,
            silent_seconds=self._camera.stale_seconds,
        )
        with self._turn:
            if self._closed:
                return False
            self._reader = reader
            reader.start()
        problem = self._watch(reader)
        if problem is None:
            return False
        self._went_down(problem)
        with self._turn:
            if self._turn.wait_for(lambda: self._closed, self._backoff.next_wait()):
                return False
        return self._wait_for_the_stuck()

    def _watch(self, reader: Reader) -> str | None:
        """Wait until the reader ends or is overdue; returns why, None when the source was closed."""
        with self._turn:
            while not self._closed:
                if reader.crash is not None:
                    raise reader.crash
                if reader.done:
                    return reader.problem
                overdue = time.monotonic() - reader.deadline
                if overdue >= 0:
                    self._reader = None  # whatever it may still bring is not taken
                    reader.leave.set()
                    self._stuck.append(reader)
                    return "no sign of life, its reader hangs"
                self._turn.wait(-overdue)
            return None

    def _wait_for_the_stuck(self) -> bool:
        """Go on only when few enough readers hang. False: closed."""

        def few() -> bool:
            self._stuck = [reader for reader in self._stuck if not reader.done]
            return self._closed or len(self._stuck) < MOST_STUCK

        with self._turn:
            enough = not few()
        if enough:
            self._went_down(
                f"{MOST_STUCK} readers hang in the driver and no more are tried until one returns; "
                "restart the camera, and the daemon if that does not help"
            )
        with self._turn:
            self._turn.wait_for(few)
            return not self._closed

    def _accept(self, reader: Reader, capture: Capture, now: float, wall: datetime, fresh: bool) -> None:
        """Called by a reader for each frame it grabbed."""
        with self._arrived:
            if reader is not self._reader:
                return
            sequence, self._sequence = self._sequence, self._sequence + 1
            self._latest = now
            if not fresh:
                self._dropped += 1
                return
            if not self._pacer.takes(now):
                return
        image = opencv.retrieve(capture)  # the dear part, so not for frames that nobody wants, and unlocked
        with self._arrived:
            if reader is not self._reader or self._closed or image is None:
                return
            self._dropped += self._frame is not None
            self._frame = Frame(image, wall, now, sequence)
            self._arrived.notify_all()
            came_up = self._up_since is None
            if came_up:
                self._up_since = now
                self._problem = ""
                self._reconnects += self._ever_up
                self._ever_up = True
        if came_up:
            log.info("%s: frames come from %s", self._camera.id, self._camera.public_source)

    def _went_down(self, problem: str) -> None:
        """Note it, and log it unless it is known already."""
        with self._arrived:
            since, self._up_since = self._up_since, None
            known, self._problem = self._problem, problem
        if since is not None and time.monotonic() - since >= STEADY_SECONDS:
            self._backoff.reset()
        level = logging.DEBUG if problem == known else logging.WARNING
        log.log(level, "%s: %s is down: %s", self._camera.id, self._camera.public_source, problem)

    def _wake(self) -> None:
        with self._turn:
            self._turn.notify_all()

    def _fail(self, error: Exception) -> None:
        with self._arrived:
            self._crash = error
            self._arrived.notify_all()

"""Keeps a live camera connected: opens it, watches its reader thread, and opens it again after every failure."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from edge.capture.reader import Reader
from edge.core.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.capture.newest_frame import NewestFrame
    from edge.capture.video import Capture
    from edge.config.schema import CameraConfig

log = logging.getLogger(__name__)

# Reader threads left behind in a call that does not return; each holds memory and a connection.
MOST_HANGING_READERS = 3
# A connection that gave frames for so long was a good one: the back-off begins again with its first wait.
_STEADY_SECONDS = 10.0
# How long ``close`` waits for each of its two threads.
_CLOSE_SECONDS = 2.0


class ConnectionSupervisor:
    """A thread that opens the camera again and again, after waits that grow from the first to the longest of ``waits``.

    A reader that misses its deadline hangs in OpenCV: it is left behind, and its frames are no longer accepted. While
    ``MOST_HANGING_READERS`` hang, no further one is started until one of them returns.
    """

    def __init__(
        self,
        camera: CameraConfig,
        open_capture: Callable[[], Capture | None],
        frames: NewestFrame,
        *,
        open_seconds: float,
        waits: tuple[float, float],
    ) -> None:
        self._camera = camera
        self._open_capture = open_capture
        self._frames = frames
        self._open_seconds = open_seconds
        self._backoff = Backoff(*waits)
        self._changed = threading.Condition()  # a reader ended, or ``close`` was called
        self._thread = threading.Thread(target=self._run, name=f"capture-{camera.id}", daemon=True)
        self._reader: Reader | None = None
        self._hanging: list[Reader] = []
        self._closed = False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """End the threads. A reader blocked in OpenCV is given ``_CLOSE_SECONDS``; after that it ends by itself."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            reader = self._reader
        if reader is not None:
            reader.leave.set()
            reader.join(_CLOSE_SECONDS)
        if self._thread.is_alive():
            self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        try:
            while self._connect_once():
                pass
        except Exception as error:  # raised again by LiveSource.read
            self._frames.fail(error)

    def _connect_once(self) -> bool:
        """Keep a connection from its opening to its failure, and wait after it. False: the source was closed."""
        reader = Reader(
            self._camera, self._open_capture, self._frames, self._reader_ended, open_seconds=self._open_seconds
        )
        with self._changed:
            if self._closed:
                return False
            self._reader = reader
            self._frames.accept_from(reader)
            reader.start()
        problem = self._watch(reader)
        if problem is None:
            return False
        self._report_down(problem)
        with self._changed:
            if self._changed.wait_for(lambda: self._closed, self._backoff.next_wait()):
                return False
        return self._wait_for_hanging_readers()

    def _watch(self, reader: Reader) -> str | None:
        """Wait until the reader ends or misses its deadline; returns why, None when the source was closed."""
        with self._changed:
            while not self._closed:
                if reader.error is not None:
                    raise reader.error
                if reader.done:
                    return reader.problem
                overdue = time.monotonic() - reader.deadline
                if overdue >= 0:
                    self._reader = None
                    self._frames.accept_from(None)
                    reader.leave.set()
                    self._hanging.append(reader)
                    return "the camera's driver does not return from a call; its reader is given up"
                self._changed.wait(-overdue)
            return None

    def _wait_for_hanging_readers(self) -> bool:
        """Return as soon as few enough readers hang. False: the source was closed."""

        def few_hang() -> bool:
            self._hanging = [reader for reader in self._hanging if not reader.done]
            return self._closed or len(self._hanging) < MOST_HANGING_READERS

        with self._changed:
            too_many = not few_hang()
        if too_many:
            self._report_down(
                f"{MOST_HANGING_READERS} readers hang in the camera's driver and no more are started until one "
                "returns; restart the camera, and the daemon if that does not help"
            )
        with self._changed:
            self._changed.wait_for(few_hang)
            return not self._closed

    def _report_down(self, problem: str) -> None:
        """Set the status DOWN with its reason; a reason that is new is logged as a warning."""
        known = self._frames.status.problem == problem
        if self._frames.go_down(problem) >= _STEADY_SECONDS:
            self._backoff.reset()
        level = logging.DEBUG if known else logging.WARNING
        log.log(level, "%s: %s is down: %s", self._camera.id, self._camera.public_source, problem)

    def _reader_ended(self) -> None:
        with self._changed:
            self._changed.notify_all()

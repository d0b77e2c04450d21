"""Reads a camera on the network or on USB: the newest frame wins, and the camera is opened again for ever.

Two threads work behind it: a reader that blocks in OpenCV (``reader.py``), and a supervisor that opens, watches and
replaces the reader (``supervisor.py``). ``read`` takes the newest frame from a slot (``newest_frame.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edge.capture import video
from edge.capture.newest_frame import NewestFrame
from edge.capture.supervisor import ConnectionSupervisor
from edge.core.errors import SourceError
from edge.core.source import STREAM_SCHEMES, SourceStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.capture.video import Capture
    from edge.config.schema import CameraConfig
    from edge.core.frames import Frame

_OPEN_SECONDS = 10.0  # FFmpeg reads a slow stream for five seconds before it calls it open
_FIRST_AND_LONGEST_WAIT = (0.5, 30.0)  # seconds between two attempts to open the camera


class LiveSource:
    """A camera. ``Frame.monotonic`` and ``captured_at`` are the machine's clocks when the frame was grabbed.

    A camera that gives no frame for ``stale_seconds`` is down; it is opened again after a growing, jittered wait, also
    when the reader hangs in OpenCV. ``open_seconds`` limits one attempt; ``waits`` are the first and the longest wait;
    ``open_capture`` replaces OpenCV in tests that inject faults.
    """

    recorded = False

    def __init__(
        self,
        camera: CameraConfig,
        *,
        open_seconds: float = _OPEN_SECONDS,
        waits: tuple[float, float] = _FIRST_AND_LONGEST_WAIT,
        open_capture: Callable[[], Capture | None] | None = None,
    ) -> None:
        self._camera = camera
        self._open_seconds = open_seconds
        self._frames = NewestFrame(camera)
        self._supervisor = ConnectionSupervisor(
            camera, open_capture or self._open, self._frames, open_seconds=open_seconds, waits=waits
        )

    @property
    def status(self) -> SourceStatus:
        """The camera's state and counters. DOWN as soon as no frame has come for ``stale_seconds``."""
        return self._frames.status

    def start(self) -> None:
        """Begin to open the camera; returns at once. Raises ``SourceError`` for an address without a host."""
        parts = urlsplit(self._camera.source)
        if parts.scheme.lower() in STREAM_SCHEMES and not parts.hostname:
            raise SourceError(f"{self._camera.id}: the address has no host; write {parts.scheme}://HOST/PATH")
        self._supervisor.start()

    def read(self, timeout: float) -> Frame | None:
        """The newest frame that was not read yet; waits up to ``timeout`` seconds for a frame, else None.

        Raises ``EndOfSource`` after ``close``, and ``RuntimeError`` after an unexpected error in the capture threads.
        """
        return self._frames.take(timeout)

    def close(self) -> None:
        """End the threads and wake a ``read`` that waits. A reader blocked in OpenCV may end later, by itself."""
        self._frames.end()
        self._supervisor.close()

    def _open(self) -> Capture | None:
        address = self._camera.source
        if address.startswith("/") or address.isdigit():
            return video.open_device(address)
        return video.open_stream(
            self._camera.secret_url, open_seconds=self._open_seconds, read_seconds=self._camera.stale_seconds
        )

"""Reads the Raspberry Pi's own camera through picamera2, which belongs to its operating system.

It is installed with ``apt install python3-picamera2`` and seen from a virtual environment that was made with
``--system-site-packages``. Nothing else is different for such a camera.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.capture.reader.problems import UnusableStreamError
from edge.core.pacer import Pacer

if TYPE_CHECKING:
    import threading

    from edge.capture.reader.messages import ReaderSettings
    from edge.capture.reader.progress import Progress

# The size of the pictures; libcamera chooses the sensor's mode that suits it.
_SIZE = (1920, 1080)
_NANOSECONDS = 1e-9


@dataclass(frozen=True, slots=True)
class CsiPicture:
    """A picture as picamera2 gives it: an array of height x width x 3, BGR."""

    pixels: Any
    captured: float
    sequence: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def write(self, target: memoryview) -> None:
        """Copy the picture into ``target``."""
        width = self.pixels.shape[1] * self.pixels.shape[2]
        for number, row in enumerate(self.pixels):  # rows may be padded
            target[number * width : (number + 1) * width] = row.tobytes()


def is_csi(address: str) -> bool:
    """Whether the address is that of the Pi's own camera: ``csi:0``, ``csi:1``."""
    return re.fullmatch(r"csi:[0-9]", address) is not None


def read_csi(settings: ReaderSettings, progress: Progress, stopping: threading.Event) -> None:
    """Read the camera until ``stopping`` is set. Raises ``UnusableStreamError`` when there is none."""
    number = int(settings.address.partition(":")[2])
    camera = _open_camera(number)
    try:
        # In libcamera's name RGB888 the blue byte comes first.
        camera.configure(camera.create_video_configuration(main={"size": _SIZE, "format": "RGB888"}))
        camera.start()
        progress.note(connected_at=time.monotonic(), answered=True, codec="raw")
        _read_pictures(camera, Pacer(settings.fps), progress, stopping)
    finally:
        camera.close()


def _open_camera(number: int) -> Any:
    try:
        from picamera2 import Picamera2
    except ImportError:
        raise UnusableStreamError(
            "picamera2 is not installed: apt install python3-picamera2, and make the virtual environment with"
            " --system-site-packages"
        ) from None
    try:
        return Picamera2(number)
    except (IndexError, RuntimeError):
        raise UnusableStreamError(
            f"there is no camera csi:{number}, or another program uses it: see `rpicam-hello --list-cameras`"
        ) from None


def _read_pictures(camera: Any, pacer: Pacer, progress: Progress, stopping: threading.Event) -> None:
    while not stopping.is_set():
        request = camera.capture_request()
        try:
            now = time.monotonic()
            sensor = request.get_metadata().get("SensorTimestamp")
            # The sensor's clock counts the time in which the machine slept too; its age is the same on both.
            age = time.clock_gettime(time.CLOCK_BOOTTIME) - sensor * _NANOSECONDS if sensor else 0.0
            captured = now - min(max(age, 0.0), 1.0)
            sequence = progress.report.pictures
            progress.count(pictures=1, decoded=1)
            progress.note(packet_at=now, key_frame_at=now, decoded_at=now, captured=captured)
            if pacer.takes(captured):
                progress.put(CsiPicture(request.make_array("main"), captured, sequence))
        finally:
            request.release()

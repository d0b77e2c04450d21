"""The Pi's own camera, with a picamera2 in place of the real one: all but the import is the product's own code."""

from __future__ import annotations

import os
import sys
import threading
import time
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from edge.capture.reader.csi_camera import is_csi, read_csi
from edge.capture.reader.messages import ReaderSettings
from edge.capture.reader.problems import UnusableStreamError
from edge.capture.reader.progress import Progress

SETTINGS = ReaderSettings("csi:0", "tcp", True, "", None, 1.0, True, False, 1.0, 1.0)


class FakeCamera:
    """Gives pictures of one grey level each, with rows that are padded, taken 50 ms before."""

    instances: ClassVar[list[FakeCamera]] = []

    def __init__(self, number: int) -> None:
        if number:
            raise IndexError("list index out of range")
        self.configured: Any = None
        self.released = self.count = 0
        self.closed = False
        self.instances.append(self)

    def create_video_configuration(self, main: dict[str, Any]) -> dict[str, Any]:
        """As picamera2's."""
        return main

    def configure(self, main: dict[str, Any]) -> None:
        """As picamera2's."""
        self.configured = main

    def start(self) -> None:
        """As picamera2's."""

    def close(self) -> None:
        """As picamera2's."""
        self.closed = True

    def capture_request(self) -> Any:
        """As picamera2's: waits for the next picture."""
        time.sleep(0.005)
        self.count += 1
        padded = np.full((4, 8, 3), self.count, np.uint8)
        taken = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 50_000_000

        def release() -> None:
            self.released += 1

        return SimpleNamespace(
            get_metadata=lambda: {"SensorTimestamp": taken}, make_array=lambda _: padded[:, :6], release=release
        )


@pytest.fixture
def picamera2(monkeypatch):
    """A module of that name."""
    module: Any = ModuleType("picamera2")
    module.Picamera2 = FakeCamera
    monkeypatch.setitem(sys.modules, "picamera2", module)
    FakeCamera.instances.clear()


def test_pictures_have_the_sensors_time(picamera2, until):
    """They are handed over without their padding, with the time at which the sensor took them."""
    progress, stopping = Progress(os.eventfd(0, os.EFD_NONBLOCK), time.monotonic()), threading.Event()
    thread = threading.Thread(target=read_csi, args=(SETTINGS, progress, stopping))
    thread.start()
    until(lambda: progress.newest(2), "pictures come")
    stopping.set()
    thread.join()
    picture = progress.newest(2)
    assert picture is not None
    assert picture.size == (6, 4)
    pixels = bytearray(6 * 4 * 3)
    picture.write(memoryview(pixels))
    assert set(pixels) == {picture.sequence + 1}
    assert 0.045 < time.monotonic() - picture.captured < 60.0
    (camera,) = FakeCamera.instances
    assert camera.configured == {"size": (1920, 1080), "format": "RGB888"}
    assert camera.released == camera.count == progress.report.decoded
    assert camera.closed


def test_a_camera_that_is_not_there_has_a_sentence(picamera2):
    """picamera2 raises an IndexError of its own."""
    progress = Progress(os.eventfd(0, os.EFD_NONBLOCK), time.monotonic())
    settings = ReaderSettings("csi:1", "tcp", True, "", None, 1.0, True, False, 1.0, 1.0)
    with pytest.raises(UnusableStreamError, match="there is no camera csi:1, or another program uses it"):
        read_csi(settings, progress, threading.Event())


def test_addresses():
    """Only a digit may follow."""
    assert is_csi("csi:0")
    assert not is_csi("csi:")
    assert not is_csi("rtsp://csi:0/")

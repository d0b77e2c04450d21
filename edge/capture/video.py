"""Opens video with OpenCV, for all of this room: OpenCV's loose types and process-wide switches stay here.

OpenCV and the FFmpeg inside it are tuned through environment variables. Those set here apply to the whole
process, and each is left alone when the operator has set it:

- ``OPENCV_FFMPEG_LOGLEVEL=-8``: FFmpeg writes to standard error by itself, thousands of lines for one damaged
  file. This package reports a fault itself, once.
- ``OPENCV_FFMPEG_IS_THREAD_SAFE=1``: without it one lock of the process is held while a stream is opened, and
  a camera that does not answer keeps all other cameras from being opened. FFmpeg itself needs no such lock.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Protocol, cast

import cv2

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.frames import Image

_LOG_LEVEL_ERROR = 2  # OpenCV 4 has no name for it in Python

_switches = threading.Lock()  # the environment must not change under another thread that reads it


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used. Not thread-safe: one thread uses it at a time."""

    def grab(self) -> bool: ...

    def retrieve(self) -> tuple[bool, Image]: ...

    def get(self, prop: int, /) -> float: ...

    def release(self) -> None: ...


def open_file(path: Path) -> Capture | None:
    """A video file; None when it cannot be opened."""
    # An absolute path, so that a name such as "a:b.mp4" is not taken for a protocol.
    return _open(str(path.absolute()), cv2.CAP_FFMPEG)


def grab(capture: Capture) -> bool:
    """Take the next frame without converting it; False at the end, after a time-out, at a damaged place."""
    try:
        return capture.grab()
    except cv2.error:  # its text is about OpenCV's internals
        return False


def retrieve(capture: Capture) -> Image | None:
    """The frame that was grabbed last, height x width x 3, BGR, a new array; None when it cannot be converted.

    This is the expensive part of reading a frame.
    """
    try:
        ok, image = capture.retrieve()
    except cv2.error:
        return None
    return image if ok and image.ndim == 3 else None


def position(capture: Capture) -> float:
    """Seconds of presentation time of the frame that was grabbed last; 0 when the container gives none."""
    return capture.get(cv2.CAP_PROP_POS_MSEC) / 1000


def frame_rate(capture: Capture) -> float:
    """Frames a second as the container has it; may be wrong (0, 1000, 90000)."""
    return capture.get(cv2.CAP_PROP_FPS)


def _open(address: str, backend: int) -> Capture | None:
    with _switches:
        _set_switches()
    # OpenCV's stubs differ between its versions.
    opener: Any = cv2.VideoCapture
    try:
        capture = opener(address, backend)
    except cv2.error:
        return None
    return cast("Capture", capture) if capture.isOpened() else None


def _set_switches() -> None:
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_FFMPEG_IS_THREAD_SAFE", "1")
    if "OPENCV_LOG_LEVEL" not in os.environ:
        # Its warnings repeat what callers report, and at some levels it prints addresses with passwords.
        module: Any = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # OpenCV 4, OpenCV 5
        module.setLogLevel(_LOG_LEVEL_ERROR)

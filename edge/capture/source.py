"""What every source of frames can do, and how one is chosen by its address.

source = open_source(camera)
source.start()
try:
    while True:
        frame = source.read(timeout=1.0)    # None: nothing new within a second
        ...
except EndOfSource:
    ...
finally:
    source.close()
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from edge.errors import SourceError

if TYPE_CHECKING:
    from datetime import datetime

    from edge.config import CameraConfig
    from edge.records import Frame

STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")

# A frame that comes this share of an interval before it is due is taken all the same: containers round their
# times to milliseconds and networks jitter, and waiting for the next frame would halve the rate.
EARLY = 0.05


class EndOfSource(Exception):  # noqa: N818 - it is no error: a recorded source was read to its end, or was closed
    """There will be no more frames."""


class SourceState(StrEnum):
    """Where a source is in its life."""

    STARTING = "starting"  # no frame yet, and nothing known to be wrong
    UP = "up"
    DOWN = "down"  # a live source that gives no frames at present; it is opened anew for ever
    ENDED = "ended"  # read to the end, or closed


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source at one moment.

    ``frames`` were handed out by ``read``; ``dropped`` were lost because newer ones came first (those that
    ``cameras.fps`` leaves out are not lost, and not counted here). ``reconnects`` is how often a live source
    came up again. ``last_frame_monotonic`` is the ``Frame.monotonic`` of the newest frame that came from the
    camera, None before the first. ``problem`` says in a sentence fit for a log what is wrong, without secrets;
    empty when nothing is.
    """

    state: SourceState = SourceState.STARTING
    frames: int = 0
    dropped: int = 0
    reconnects: int = 0
    last_frame_monotonic: float | None = None
    problem: str = ""


class Source(Protocol):
    """Where frames come from. One thread reads; ``status`` and ``close`` may be called from any."""

    @property
    def recorded(self) -> bool:
        """Whether every frame is delivered and there is an end. False: live, the newest frame wins."""

    @property
    def status(self) -> SourceStatus:
        """How the source fares."""

    def start(self) -> None:
        """Begin work, once.

        A recorded source that cannot be opened raises ``SourceError`` with its path and the remedy. A live
        one does not raise for the world's trouble: it goes on trying, and ``status`` tells.
        """

    def read(self, timeout: float) -> Frame | None:
        """The next frame; None when a live source has none within ``timeout`` seconds.

        Raises ``EndOfSource`` at the end of a recorded source, and after ``close``.
        """

    def close(self) -> None:
        """End all work and wake a ``read`` that waits. May be called twice, and without ``start``."""


class Pacer:
    """Chooses which frames to take so that at most ``fps`` a second remain; ``None`` takes all.

    The first frame is taken. From its time on there is a place every ``1 / fps`` seconds; a frame is taken
    when it is at or after the next place (or ``EARLY`` intervals before it), and the next place is then the
    first one after that frame. The places stand on a fixed grid, so nothing drifts: 10 of 25 frames a second
    are 10 for hours. After a gap there is no burst to catch up.
    """

    def __init__(self, fps: float | None) -> None:
        self._fps = fps
        self._origin: float | None = None
        self._next = 1

    def takes(self, at: float) -> bool:
        """Whether to take the frame of time ``at`` (seconds; call once a frame, in order)."""
        if self._fps is None:
            return True
        if self._origin is None:
            self._origin = at
            return True
        place = (at - self._origin) * self._fps + EARLY
        if place < self._next:
            return False
        self._next = math.floor(place) + 1
        return True


def open_source(camera: CameraConfig, *, start: datetime | None = None) -> Source:
    """The source for a camera's address; nothing is opened before its ``start()``.

    - ``sim:...`` is drawn (``simulated.py``), live, or recorded with ``&recorded=1``;
    - ``rtsp://``, ``rtsps://``, ``http://``, ``https://``, ``/dev/...`` and a bare number are live (``live.py``);
    - anything else is a video file's path (``recorded.py``), also as ``file://...``.

    ``start`` (aware) is when a recorded source begins; without it the source finds out itself. A live source
    ignores it. Raises ``SourceError`` for an address that is none of these,
    and for a wrong key of a simulation.
    """
    from edge.capture import live, recorded, simulated  # they import this module

    if start is not None and start.tzinfo is None:
        raise ValueError("start must be aware: give its UTC offset")
    address = camera.source
    scheme = match[1].lower() if (match := re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", address)) else ""
    if address.startswith("sim:"):
        return simulated.open_simulation(camera, start=start)
    if scheme in STREAM_SCHEMES or address.startswith("/dev/") or re.fullmatch(r"[0-9]{1,3}", address):
        return live.LiveSource(camera)
    if scheme not in ("", "file"):
        raise SourceError(
            f"{camera.id}: {scheme}:// is not supported; give a video file, "
            f"{', '.join(name + '://' for name in STREAM_SCHEMES)}, /dev/videoN or sim:ramp"
        )
    return recorded.RecordedSource(camera, start=start)

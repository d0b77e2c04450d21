"""Defines what every source of frames can do, and how a source describes its state.

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

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from edge.core.frames import Frame

STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")


class EndOfSource(Exception):  # noqa: N818 - it is no error: a recorded source was read to its end, or was closed
    """There will be no more frames."""


class SourceState(StrEnum):
    """The phases of a source."""

    STARTING = "starting"  # no frame yet, and nothing known to be wrong
    UP = "up"
    DOWN = "down"  # a live source that gives no frames at present; it is opened again for ever
    ENDED = "ended"  # read to the end, or closed


class SourceStage(StrEnum):
    """How far a live source has come on the way to a frame, in order."""

    CONNECTING = "connecting"
    CONNECTED = "connected"  # and no packet comes
    PACKETS = "packets arrive"  # and no key frame, with which decoding begins
    KEY_FRAME = "key frame seen"  # and no picture can be decoded
    DECODED = "pictures decoded"  # and none is handed over
    DELIVERED = "pictures handed over"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source's state and counters at one moment.

    ``frames`` were returned by ``read``; ``dropped`` were lost because newer frames came first (frames that
    ``cameras.fps`` leaves out are not lost, and not counted here). ``reconnects`` is how often a live source
    came up again. ``last_frame_monotonic`` is the ``Frame.monotonic`` of the newest frame that came from the
    camera, None before the first. ``problem`` is a sentence for the log about what is wrong, without secrets;
    empty when nothing is. A source that is up may have a problem too: its frames come late.

    The other fields are those of a camera on a network or a bus; other sources leave them as they are:

    - ``stage``: how far the connection has come; None while there is none;
    - ``connected_since``: monotonic seconds; None while it is not connected;
    - ``lag_seconds``: how much later the newest picture was decoded than it could have been;
    - ``pictures_per_second``, ``delivered_per_second``: that the camera sent, and that ``read`` returned, lately;
    - ``decoded``, ``corrupt``, ``decoder_errors``, ``lost_packets``: since the start: pictures decoded; those of them
      with faults; data of which no picture could be made; RTP packets that did not come;
    - ``corrupt_share``: of the pictures sent lately, the share that was corrupt or could not be decoded, 0 to 1;
    - ``skipped``: what is not decoded because the machine is too slow; empty when all is decoded;
    - ``codec``; ``reader_pid``: the process that reads the camera.
    """

    state: SourceState = SourceState.STARTING
    frames: int = 0
    dropped: int = 0
    reconnects: int = 0
    last_frame_monotonic: float | None = None
    problem: str = ""
    stage: SourceStage | None = None
    connected_since: float | None = None
    lag_seconds: float = 0.0
    pictures_per_second: float = 0.0
    delivered_per_second: float = 0.0
    decoded: int = 0
    corrupt: int = 0
    decoder_errors: int = 0
    lost_packets: int = 0
    corrupt_share: float = 0.0
    skipped: str = ""
    codec: str = ""
    reader_pid: int | None = None


class Source(Protocol):
    """Where frames come from. One thread reads; ``status`` and ``close`` may be called from any."""

    @property
    def recorded(self) -> bool:
        """Whether every frame is delivered and there is an end. False: live, the newest frame wins."""

    @property
    def status(self) -> SourceStatus:
        """The source's state and counters."""

    def start(self) -> None:
        """Begin work, once.

        A recorded source that cannot be opened raises ``SourceError`` with its path and the remedy. A live source
        that cannot be opened does not raise: it tries again for ever, and ``status`` says why it is down.
        """

    def read(self, timeout: float) -> Frame | None:
        """The next frame; None when a live source has none within ``timeout`` seconds.

        Raises ``EndOfSource`` at the end of a file, and after ``close``.
        """

    def close(self) -> None:
        """End all work and wake a ``read`` that waits. May be called twice, and without ``start``."""

"""A camera that shows a film, as a program of its own, so that it can be killed and stopped: RTSP, or MJPEG over HTTP.

Run with its arguments as JSON: ``film`` (a file), ``epoch`` (monotonic seconds), ``kind``, ``port``, and those of
``CameraServer``. It prints its port and serves until its standard input ends. Each line there sets an attribute of the
server: ``garbage 1``, ``paused 0``, ``loss 0.1``.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.camera_servers import MjpegServer
from support.films import Film
from support.rtsp_server import H264_SDP, LARGEST, RtspServer

if TYPE_CHECKING:
    from collections.abc import Iterator

_PR_SET_PDEATHSIG = 1
_HEVC_FRAGMENT = 49
# A picture that is later than this is not shown: the program was stopped meanwhile.
_LATEST = 0.5


class FilmPlayback:
    """The numbers of a film's pictures by the clock; after a pause it goes on with a key picture, as encoders do."""

    film: Film
    epoch: float
    paused: threading.Event
    _stopping: threading.Event

    def pictures(self) -> Iterator[int]:
        """As those of ``CameraServer``."""
        film, last = self.film, -1
        while not self._stopping.is_set():
            now = time.monotonic()
            number = math.floor((now - self.epoch) * film.fps) + 1
            if last >= 0 and now < self.epoch + (last + 1) / film.fps + _LATEST:
                number = last + 1
            self._stopping.wait(max(self.epoch + number / film.fps - now, 0.0))
            if self._stopping.is_set() or self.paused.is_set():
                last = -1
            elif number == last + 1 or number % film.key_interval == 0:
                last = number
                yield number


class FilmMjpegServer(FilmPlayback, MjpegServer):
    """MJPEG over HTTP."""

    def picture(self, number: int) -> bytes:
        """The film's."""
        return self.film.pictures[number % len(self.film.pictures)][0]


class FilmRtspServer(FilmPlayback, RtspServer):
    """RTSP with H.264, or with H.265 as RFC 7798 has it."""

    def units(self, number: int, size: tuple[int, int]) -> list[bytes]:
        """The film's."""
        return self.film.pictures[number % len(self.film.pictures)]

    def fragments(self, unit: bytes) -> Iterator[tuple[bool, bytes]]:
        """The RTP payloads of one NAL unit, each with whether it is the unit's last."""
        if self.film.codec != "hevc" or len(unit) <= LARGEST:
            yield from super().fragments(unit)
            return
        head, kind, rest = bytes((unit[0] & 0x81 | _HEVC_FRAGMENT << 1, unit[1])), unit[0] >> 1 & 0x3F, unit[2:]
        for at in range(0, len(rest), LARGEST):
            first, last = at == 0, at + LARGEST >= len(rest)
            yield last, head + bytes((kind | first << 7 | last << 6,)) + rest[at : at + LARGEST]


def film_server(kind: str, film: Film, epoch: float, port: int = 0, **keys: Any) -> FilmMjpegServer | FilmRtspServer:
    """A server that is not started."""
    server: FilmMjpegServer | FilmRtspServer
    if kind == "mjpeg":
        server = FilmMjpegServer(**keys)
    else:
        sdp = H264_SDP if film.codec == "h264" else H264_SDP.replace("H264", "H265")
        server = FilmRtspServer(sdp=sdp, key_interval=film.key_interval, **keys)
    server.film, server.epoch, server.port = film, epoch, port
    return server


def main() -> None:
    """Serve until the standard input ends."""
    # A process that was stopped would outlive the one that started it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    arguments = json.loads(sys.argv[1])
    server = film_server(film=Film.load(Path(arguments.pop("film"))), **arguments)
    server.start()
    print(server.port, flush=True)
    for line in sys.stdin:
        name, value = line.split()
        event = getattr(server, name)
        if isinstance(event, threading.Event):
            event.set() if float(value) else event.clear()
        else:
            with contextlib.suppress(ValueError):
                value = type(event)(value)
            setattr(server, name, value)


if __name__ == "__main__":
    main()

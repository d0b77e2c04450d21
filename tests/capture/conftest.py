"""Real sources for the capture tests: an HTTP MJPEG server, an RTSP server, and clips encoded on the spot.

Every picture carries its number as sixteen black or white bars, so that a test can tell after any lossy
encoding which one it got.
"""

from __future__ import annotations

import base64
import os
import random
import select
import socket
import socketserver
import struct
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest

from edge.capture.source import EndOfSource
from edge.config import CameraConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge.capture.source import Source
    from edge.records import Frame

WIDTH, HEIGHT, BITS = 160, 120, 16


def numbered(number: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """A picture that shows ``number`` (below 65 536) as bars."""
    bars = np.array([255 if number >> bit & 1 else 0 for bit in range(BITS)], np.uint8)
    row = np.repeat(bars, size[0] // BITS)
    return np.broadcast_to(row[None, :, None], (size[1], row.size, 3)).copy()


def shown_number(image: np.ndarray) -> int:
    """The number that a picture of ``numbered`` shows."""
    wide = image.shape[1] // BITS
    middle = image[image.shape[0] // 2, :, 1]
    return sum(1 << bit for bit in range(BITS) if middle[bit * wide + wide // 2] > 127)


def encode_clip(
    path: Path,
    times: Sequence[float],
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    container: str | None = None,
    container_options: dict[str, str] | None = None,
    noisy: bool = False,
) -> Path:
    """Write a clip with one numbered picture at each of ``times`` (seconds); returns ``path``."""
    noise = np.random.default_rng(7).integers(0, 40, (HEIGHT, WIDTH, 3), np.uint8)
    base = Fraction(1, 25) if container or path.suffix == ".avi" else Fraction(1, 1000)
    with av.open(str(path), "w", format=container, options=container_options or {}) as output:
        output.metadata.update(metadata or {})
        stream: Any = output.add_stream(codec, rate=25, options=options or {"preset": "ultrafast", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = base
        for number, moment in enumerate(times):
            picture = numbered(number)
            if noisy:
                picture = np.roll(noise, number * 7, axis=1) + picture // 255 * 200
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = round(moment / base), base
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


class CameraServer:
    """What the two servers share: a port that can be left and taken again, and faults on command.

    ``paused`` holds the pictures back, ``silent`` accepts connections and never answers, ``garbage`` sends
    random bytes in place of pictures. ``credentials`` (``"user:password"``) asks for basic authentication.
    """

    scheme = "http"
    path = "/stream"

    def __init__(self, *, fps: float = 25.0, credentials: str = "") -> None:
        self.fps = fps
        self.credentials = credentials
        self.paused = threading.Event()
        self.silent = threading.Event()
        self.garbage = threading.Event()
        self.port = 0
        self.accepted = 0
        self.refused = 0
        self.number = 0
        self._stopping = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._server: socketserver.ThreadingTCPServer | None = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{self.path}"

    def start(self) -> None:
        """Listen: on a free port the first time, on the same one after ``stop``."""
        owner = self
        owner._stopping.clear()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that went away is what many tests are about."""

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                owner.accepted += 1
                owner._sockets.add(self.request)
                try:
                    if owner.silent.is_set():
                        owner._stopping.wait()
                    else:
                        owner.serve(self.request)
                finally:
                    owner._sockets.discard(self.request)

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Die: the port is closed and every connection is cut."""
        self._stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for connection in list(self._sockets):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                self._sockets.discard(connection)

    def allowed(self, headers: dict[str, str]) -> bool:
        """Whether the request carries the credentials asked for; counts those that do not."""
        expected = "Basic " + base64.b64encode(self.credentials.encode()).decode()
        if not self.credentials or headers.get("authorization") == expected:
            return True
        self.refused += 1
        return False

    def pictures(self) -> Iterator[int]:
        """Numbers of pictures at the server's rate, until it stops."""
        due = time.monotonic()
        while not self._stopping.is_set():
            due = max(due + 1 / self.fps, time.monotonic() - 1.0)
            self._stopping.wait(max(due - time.monotonic(), 0))
            if not self.paused.is_set() and not self._stopping.is_set():
                yield self.number
                self.number = (self.number + 1) % 65_536

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError


def read_request(stream: Any) -> tuple[str, dict[str, str]]:
    """First line and headers (names lower-case) of an HTTP or RTSP request; an empty line at the end."""
    first = stream.readline().decode().strip()
    headers: dict[str, str] = {}
    while line := stream.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return first, headers


class MjpegServer(CameraServer):
    """``multipart/x-mixed-replace`` as network cameras send it."""

    path = "/video.mjpg?channel=1"

    def serve(self, connection: socket.socket) -> None:
        _, headers = read_request(connection.makefile("rb"))
        if not self.allowed(headers):
            connection.sendall(
                b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="camera"\r\n'
                b"Content-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
        )
        for number in self.pictures():
            body = cv2.imencode(".jpg", numbered(number))[1].tobytes()
            if self.garbage.is_set():
                body = random.Random(number).randbytes(len(body))
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body + b"\r\n")


class RtspServer(CameraServer):
    """RTSP with H.264 over RTP interleaved in the connection (RFC 2326, RFC 6184 packetization mode 1)."""

    scheme = "rtsp"
    path = "/live"
    largest = 1200

    def __init__(self, *, fps: float = 50.0, credentials: str = "") -> None:
        # FFmpeg looks at nearly 30 pictures before it calls a stream open: the faster they come, the better.
        super().__init__(fps=fps, credentials=credentials)

    def start(self) -> None:
        self._pictures = self._encode(250)
        super().start()

    @staticmethod
    def _encode(count: int) -> list[list[bytes]]:
        """The NAL units of ``count`` numbered pictures, the first of every 25 a key picture."""
        encoder: Any = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "25", "x264-params": "repeat-headers=1"}
        pictures = []
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
            frame.pts = number
            stream = b"".join(bytes(packet) for packet in encoder.encode(frame))
            pictures.append([unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1") if unit.strip(b"\0")])
        return pictures

    def serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        while not self._stopping.is_set():
            first, headers = read_request(stream)
            if not first:
                return
            method = first.split()[0]
            if not self.allowed(headers):
                self._answer(connection, headers, 'WWW-Authenticate: Basic realm="camera"', status="401 Unauthorized")
            elif method == "DESCRIBE":
                sdp = (
                    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                    "c=IN IP4 0.0.0.0\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n"
                    "a=control:track1\r\n"
                )
                self._answer(connection, headers, "Content-Type: application/sdp", body=sdp)
            elif method == "SETUP" and "interleaved" not in headers.get("transport", ""):
                self._answer(connection, headers, status="461 Unsupported Transport")
            elif method == "SETUP":
                self._answer(connection, headers, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1")
            elif method == "PLAY":
                self._answer(connection, headers, "Session: 1")
                self._play(connection)
                return
            else:
                self._answer(connection, headers, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")

    @staticmethod
    def _answer(
        connection: socket.socket, headers: dict[str, str], *lines: str, status: str = "200 OK", body: str = ""
    ) -> None:
        head = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('cseq', '0')}", *lines, f"Content-Length: {len(body)}"]
        connection.sendall("\r\n".join([*head, "", body]).encode())

    def _play(self, connection: socket.socket) -> None:
        sequence = 0
        begun = time.monotonic()
        self.number -= self.number % 25  # a decoder begins at a key picture
        for number in self.pictures():
            units = self._pictures[number % len(self._pictures)]
            for last_unit, unit in ((unit is units[-1], unit) for unit in units):
                for marker, payload in self._fragments(unit):
                    if self.garbage.is_set():
                        payload = random.Random(sequence).randbytes(len(payload))
                    stamp = int((time.monotonic() - begun) * 90_000) & 0xFFFFFFFF
                    kind = 96 | (128 if marker and last_unit else 0)
                    packet = struct.pack(">BBHII", 0x80, kind, sequence & 0xFFFF, stamp, 0x5EED) + payload
                    connection.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                    sequence += 1
            if select.select([connection], [], [], 0)[0] and b"TEARDOWN" in (connection.recv(4096) or b"TEARDOWN"):
                return

    def _fragments(self, unit: bytes) -> Iterator[tuple[bool, bytes]]:
        """The RTP payloads of one NAL unit, each with whether it is the unit's last."""
        if len(unit) <= self.largest:
            yield True, unit
            return
        indicator, kind, rest = unit[0] & 0xE0 | 28, unit[0] & 0x1F, unit[1:]
        for at in range(0, len(rest), self.largest):
            first, last = at == 0, at + self.largest >= len(rest)
            yield last, bytes((indicator, kind | first << 7 | last << 6)) + rest[at : at + self.largest]
@pytest.fixture
def clips() -> Path:
    """The folder of the labelled clips; skips where there is none."""
    default = Path(__file__).resolve().parents[3] / "shared" / "clips"
    folder = Path(os.environ.get("SMARTPARK_CLIPS", default))
    if not folder.is_dir():
        pytest.skip(f"no labelled clips in {folder}: set SMARTPARK_CLIPS to their folder")
    return folder


@pytest.fixture
def clip() -> Callable[..., Path]:
    """``encode_clip``."""
    return encode_clip


@pytest.fixture
def number_in() -> Callable[[np.ndarray], int]:
    """``shown_number``."""
    return shown_number


@pytest.fixture
def camera() -> Callable[..., CameraConfig]:
    """Makes a camera's configuration: the source, then keys."""

    def make(source: object, **keys: Any) -> CameraConfig:
        return CameraConfig(id="cam", source=str(source), **keys)

    return make


@pytest.fixture
def read_all() -> Callable[[Source], list[Frame]]:
    """Starts a recorded source, reads it to the end and closes it; gives its frames."""

    def read(source: Source) -> list[Frame]:
        frames: list[Frame] = []
        source.start()
        try:
            while (frame := source.read(1.0)) is not None:
                frames.append(frame)
        except EndOfSource:
            return frames
        finally:
            source.close()
        pytest.fail("a recorded source gave None before its end")

    return read


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits for a condition: ``until(lambda: ..., "what")``; fails after ``limit`` seconds."""

    def wait(condition: Callable[[], object], what: str, limit: float = 20.0) -> None:
        end = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < end, f"waited {limit} s in vain until {what}"
            threading.Event().wait(0.01)

    return wait


@pytest.fixture
def serve() -> Iterator[Callable[..., CameraServer]]:
    """Starts a camera server: ``serve("mjpeg" or "rtsp", fps=..., credentials=...)``."""
    servers: list[CameraServer] = []

    def start(kind: str, **keys: Any) -> CameraServer:
        server = (MjpegServer if kind == "mjpeg" else RtspServer)(**keys)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()

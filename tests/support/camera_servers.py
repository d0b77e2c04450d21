"""Network cameras for tests: an HTTP MJPEG server and an RTSP server with faults on command.

Every picture carries its number as sixteen black or white bars, so that a test can tell after any lossy
encoding which picture it got.
"""

from __future__ import annotations

import base64
import random
import select
import socket
import socketserver
import struct
import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        """Listen: on a free port the first time, on the same port after ``stop``."""
        owner = self
        owner._stopping.clear()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """Ignore a client that went away: many tests are about that."""

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

    def __init__(self, *, fps: float = 100.0, credentials: str = "") -> None:
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

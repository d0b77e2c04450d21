"""Network cameras for tests: what they share, and an HTTP MJPEG server. ``rtsp_server.py`` has the one for RTSP.

Every picture carries its number as sixteen black or white bars, so that a test can tell after any lossy
encoding which picture it got. The libraries that make pictures are imported where they are used: a server that shows a
film needs none of them, and starts at once.
"""

from __future__ import annotations

import base64
import random
import socket
import socketserver
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

WIDTH, HEIGHT, BITS = 160, 120, 16


def numbered(number: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """A picture that shows ``number`` (below 65 536) as bars."""
    import numpy as np

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

    ``paused`` stops the encoder, ``silent`` accepts connections and never answers, ``garbage`` sends random bytes in
    place of pictures. ``credentials`` (``"user:password"``) asks for basic authentication; ``certificate`` (the
    files of a certificate for localhost and of its key) makes it speak TLS.
    """

    scheme = "http"
    path = "/stream"

    def __init__(
        self,
        *,
        fps: float = 25.0,
        credentials: str = "",
        certificate: tuple[Path, Path] | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self.fps = fps
        self._address = address
        self.credentials = credentials
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
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
        scheme, host = (f"{self.scheme}s", "localhost") if self._tls else (self.scheme, "127.0.0.1")
        return f"{scheme}://{host}:{self.port}{self.path}"

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
                connection = self.request
                owner._sockets.add(connection)
                try:
                    if owner.silent.is_set():
                        owner._stopping.wait()
                    elif owner._tls is not None:
                        owner._sockets.discard(connection)
                        connection = owner._tls.wrap_socket(connection, server_side=True)
                        owner._sockets.add(connection)
                        owner.serve(connection)
                    else:
                        owner.serve(connection)
                finally:
                    owner._sockets.discard(connection)
                    connection.close()

        self._server = Server((self._address, self.port), Handler)
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
            body = self.picture(number)
            if self.garbage.is_set():
                body = random.Random(number).randbytes(len(body))
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body + b"\r\n")

    def picture(self, number: int) -> bytes:
        """The picture of that number as JPEG."""
        import cv2

        return bytes(cv2.imencode(".jpg", numbered(number))[1])

"""An RTSP camera for tests, which can do what no good server does.

It speaks RTSP (RFC 2326) and sends H.264 over RTP (RFC 6184, packetization mode 1), interleaved in the connection or
over UDP. Its pictures are made once by PyAV and carry their number (``camera_servers.numbered``).
"""

from __future__ import annotations

import functools
import random
import select
import socket
import struct
import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from support.camera_servers import HEIGHT, WIDTH, CameraServer, numbered, read_request
from support.films import nal_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COUNT = 250  # pictures that are made; then they begin again
LARGEST = 1200  # bytes in an RTP packet
H264_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\n"
    "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
)
AUDIO_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:track1\r\n"


@functools.cache
def encoded(size: tuple[int, int], key_interval: int, count: int = COUNT, grain: int = 0) -> list[list[bytes]]:
    """The NAL units of numbered pictures; every ``key_interval``-th is a key picture with parameter sets.

    ``grain`` is the strength of a noise that makes decoding expensive; the numbers cannot be read from 80 on.
    """
    import numpy as np

    noise = np.random.default_rng(7).integers(0, max(grain, 1), (size[1], size[0], 3), np.uint8)
    return encode(
        (numbered(number, size) // 255 * (255 - grain) + np.roll(noise, number * 7, axis=1) for number in range(count)),
        size,
        key_interval,
    )


def encode(pictures: Iterable[Any], size: tuple[int, int], key_interval: int) -> list[list[bytes]]:
    """The NAL units of BGR pictures."""
    import av
    import numpy as np

    encoder: Any = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    options = f"repeat-headers=1:scenecut=0:keyint={key_interval}:min-keyint={key_interval}:threads=1"
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": options}
    units = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture, np.uint8), format="bgr24")
        frame.pts = number
        stream = b"".join(bytes(packet) for packet in encoder.encode(frame))
        units.append(nal_units(stream))
    return units


class RtspServer(CameraServer):
    """A camera whose faults a test switches on and off while it runs.

    - ``paused``: PLAY is answered, and the encoder makes no pictures;
    - ``held``: pictures are made, stamped, and sent all at once when it is cleared;
    - ``stuck_at``: a method ("DESCRIBE") that is never answered; ``refusals``: method -> status line;
    - ``garbage``: random bytes in the packets; ``loss``: the share of packets that are not sent;
    - ``stamp_shift``: seconds that are added to the stamps; ``stamp_rate``: how fast the stamps run;
    - ``size``: another one takes effect at the next key picture;
    - ``count``, ``grain``: how many pictures are made before they begin again, and their noise (``encoded``);
    - ``aligned``: False begins in the middle between two key pictures.
    """

    scheme = "rtsp"
    path = "/live"

    def __init__(self, *, fps: float = 50.0, key_interval: int = 25, sdp: str = H264_SDP, **keys: Any) -> None:
        super().__init__(fps=fps, **keys)
        self.key_interval = key_interval
        self.sdp = sdp
        self.size = (WIDTH, HEIGHT)
        self.held = threading.Event()
        self.stuck_at = ""
        self.refusals: dict[str, str] = {}
        self.loss = 0.0
        self.stamp_shift = 0.0
        self.stamp_rate = 1.0
        self.count, self.grain = COUNT, 0
        self.aligned = True
        self.played = 0
        self.transports: list[str] = []
        self.made: dict[int, float] = {}  # number that a picture shows -> monotonic time

    def serve(self, connection: socket.socket) -> None:
        """Answer requests, and send pictures after PLAY."""
        stream = connection.makefile("rb")
        send = functools.partial(self._interleave, connection)
        sender: socket.socket | None = None
        while not self._stopping.is_set():
            first, headers = read_request(stream)
            if not first:
                return
            method = first.split()[0]
            transport = headers.get("transport", "")
            if method == self.stuck_at:
                self._stopping.wait()
            elif method in self.refusals:
                self._answer(connection, headers, status=self.refusals[method])
            elif not self.allowed(headers):
                self._answer(connection, headers, 'WWW-Authenticate: Basic realm="camera"', status="401 Unauthorized")
            elif method == "DESCRIBE":
                self._answer(connection, headers, "Content-Type: application/sdp", body=self.sdp)
            elif method == "SETUP":
                self.transports.append(transport)
                if "client_port" in transport:
                    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    send, reply = self._udp(sender, transport)
                else:
                    reply = "RTP/AVP/TCP;unicast;interleaved=0-1"
                self._answer(connection, headers, f"Transport: {reply}", "Session: 1")
            elif method == "PLAY":
                self._answer(connection, headers, "Session: 1")
                self.played += 1
                self._play(connection, send)
                break
            else:
                self._answer(connection, headers, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        if sender is not None:
            sender.close()

    @staticmethod
    def _answer(
        connection: socket.socket, headers: dict[str, str], *lines: str, status: str = "200 OK", body: str = ""
    ) -> None:
        head = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('cseq', '0')}", *lines, f"Content-Length: {len(body)}"]
        connection.sendall("\r\n".join([*head, "", body]).encode())

    @staticmethod
    def _interleave(connection: socket.socket, packets: list[bytes]) -> None:
        connection.sendall(b"".join(struct.pack(">cBH", b"$", 0, len(packet)) + packet for packet in packets))

    @staticmethod
    def _udp(sender: socket.socket, transport: str) -> tuple[Any, str]:
        port = int(transport.partition("client_port=")[2].partition("-")[0])
        sender.bind(("127.0.0.1", 0))
        own = sender.getsockname()[1]

        def send(packets: list[bytes]) -> None:
            for packet in packets:
                sender.sendto(packet, ("127.0.0.1", port))

        return send, f"RTP/AVP;unicast;client_port={port}-{port + 1};server_port={own}-{own + 1}"

    def _play(self, connection: socket.socket, send: Any) -> None:
        sequence, waiting, size = 0, [], self.size
        begun = time.monotonic()
        if self.aligned:
            self.number -= self.number % self.key_interval  # a decoder begins at a key picture
        elif self.number % self.key_interval == 0:
            self.number += 1
        for number in self.pictures():
            if number % self.key_interval == 0:
                size = self.size
            units = self.units(number, size)
            made = self.made[number % self.count] = time.monotonic()
            seconds = (made - begun) * self.stamp_rate + self.stamp_shift
            for index, unit in enumerate(units):
                for marker, payload in self.fragments(unit):
                    if self.garbage.is_set():
                        payload = random.Random(sequence).randbytes(len(payload))
                    kind = 96 | (128 if marker and index == len(units) - 1 else 0)
                    stamp = int(seconds * 90_000) & 0xFFFFFFFF
                    header = struct.pack(">BBHII", 0x80, kind, sequence & 0xFFFF, stamp, 0x5EED)
                    if random.Random(sequence).random() >= self.loss:
                        waiting.append(header + payload)
                    sequence += 1
            if not self.held.is_set():
                send(waiting)
                waiting.clear()
            if select.select([connection], [], [], 0)[0] and b"TEARDOWN" in (connection.recv(4096) or b"TEARDOWN"):
                return

    def units(self, number: int, size: tuple[int, int]) -> list[bytes]:
        """The NAL units of the picture of that number."""
        return encoded(size, self.key_interval, self.count, self.grain)[number % self.count]

    def fragments(self, unit: bytes) -> Iterator[tuple[bool, bytes]]:
        """The RTP payloads of one NAL unit, each with whether it is the unit's last."""
        if len(unit) <= LARGEST:
            yield True, unit
            return
        indicator, kind, rest = unit[0] & 0xE0 | 28, unit[0] & 0x1F, unit[1:]
        for at in range(0, len(rest), LARGEST):
            first, last = at == 0, at + LARGEST >= len(rest)
            yield last, bytes((indicator, kind | first << 7 | last << 6)) + rest[at : at + LARGEST]

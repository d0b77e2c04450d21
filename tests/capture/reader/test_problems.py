"""Each failure has a sentence of its own, found with FFmpeg against real servers, and none holds a secret."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from contextlib import suppress
from typing import Any

import av
import av.logging
import pytest
from support.rtsp_server import AUDIO_SDP, H264_SDP

from edge.capture.reader.connection import CameraConnection
from edge.capture.reader.messages import ReaderSettings
from edge.capture.reader.problems import UnusableStreamError, host_and_port, try_host
from edge.capture.reader.progress import Progress

PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>hello</html>"


def settings(address: str, **keys: Any) -> ReaderSettings:
    """Settings with short limits."""
    given: dict[str, Any] = {"transport": "tcp", "verify": True, "ca_file": "", "fps": None, "max_lag_seconds": 1.0}
    given |= {"trust_times": True, "probe": False, "probe_seconds": 2.0, "io_seconds": 2.0, **keys}
    return ReaderSettings(address, **given)


@pytest.fixture
def problem():
    """Opens a camera in this process, and returns the sentence with which that ends."""
    before = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.WARNING)
    av.logging.set_skip_repeated(False)  # as the reader does: a line that a test before has caused counts too
    connections = []

    def open_camera(address: str, **keys: Any) -> str:
        address = address.replace("://", "://user:hunter2@")
        progress = Progress(os.eventfd(0, os.EFD_NONBLOCK), time.monotonic())
        connection = CameraConnection(settings(address, **keys), progress)
        connections.append(connection)
        connection.start()
        connection.join(60.0)
        ended = progress.take_end()
        assert ended is not None
        assert ended.unexpected == ""
        assert "hunter2" not in ended.problem
        assert "user:" not in ended.problem
        return ended.problem

    yield open_camera
    for connection in connections:
        connection.stop()
        connection.join(20.0)
    av.logging.set_level(before[0])
    av.logging.set_skip_repeated(before[1])


@pytest.fixture
def answer():
    """Starts a server that answers each connection with the same bytes and closes it; returns its port."""
    servers = []

    def serve(data: bytes) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def run() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    connection.recv(4096)
                    connection.sendall(data)
                    connection.shutdown(socket.SHUT_WR)
                    # With requests that nobody has read the close would be a reset, and take the answer with it.
                    while connection.recv(4096):
                        pass

        threading.Thread(target=run, daemon=True).start()
        return int(server.getsockname()[1])

    yield serve
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.mark.parametrize(
    ("method", "status", "sentence"),
    [
        ("DESCRIBE", "401 Unauthorized", "refuses the user or the password (401)"),
        ("DESCRIBE", "403 Forbidden", "forbids access (403)"),
        ("DESCRIBE", "404 Not Found", "has no stream at this path (404)"),
        ("PLAY", "404 Not Found", "has no stream at this path (404)"),
        ("SETUP", "453 Not Enough Bandwidth", "refuses the request (453)"),
        ("SETUP", "461 Unsupported Transport", "does not offer this transport (461): set transport"),
        ("DESCRIBE", "503 Service Unavailable", "reports an error of its own (503)"),
    ],
)
def test_a_status_of_rtsp_has_its_sentence(serve, problem, method, status, sentence):
    """With the status in it, and what to do."""
    server = serve("rtsp")
    server.refusals[method] = status
    assert problem(server.url).startswith(f"127.0.0.1:{server.port} {sentence}")


@pytest.mark.parametrize(
    ("sdp", "sentence"),
    [
        (AUDIO_SDP, "offers no stream of video"),
        ("hello", "offers no stream of video"),
        (H264_SDP.replace("H264", "FANCY"), "is not supported: set the camera to H.264, H.265 or MJPEG"),
    ],
)
def test_a_stream_that_cannot_be_decoded_has_its_sentence(serve, problem, sdp, sentence):
    """A camera that sends sound only, a description that is none, and a codec that nobody knows."""
    assert sentence in problem(serve("rtsp", sdp=sdp).url)


@pytest.mark.parametrize(
    ("scheme", "data", "sentence"),
    [
        ("rtsp", b"", "closes the connection without an answer in RTSP"),
        ("rtsp", random.Random(1).randbytes(3000), "closes the connection without an answer in RTSP"),
        (
            "http",
            PAGE,
            "answers, but not with video",
        ),
        ("http", b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "refuses the user or the password (401)"),
        ("http", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "has no stream at this path (404)"),
        ("http", b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "reports an error of its own (500)"),
        ("rtsps", b"RTSP/1.0 200 OK\r\n\r\n", "does not speak TLS"),
    ],
)
def test_an_answer_that_is_no_video_has_its_sentence(answer, problem, scheme, data, sentence):
    """Random bytes, a page, a refusal over HTTP, and a server without TLS."""
    port = answer(data)
    assert sentence in problem(f"{scheme}://127.0.0.1:{port}/live")


def test_a_host_that_cannot_be_reached_has_its_sentence(problem, monkeypatch):
    """No name, no listener, no network; with FFmpeg alone, and with the attempt before it."""
    for probe in (False, True):
        assert "no address is known for the name nosuch.invalid" in problem("rtsp://nosuch.invalid/live", probe=probe)
        assert "127.0.0.1 refuses connections on port 1" in problem("rtsp://127.0.0.1:1/live", probe=probe)
    refuse = OSError(113, "No route to host")
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: (_ for _ in ()).throw(refuse))
    assert "127.0.0.1 cannot be reached" in problem("rtsp://127.0.0.1:1/live", probe=True)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: (_ for _ in ()).throw(TimeoutError()))
    assert "127.0.0.1 does not answer on port 1" in problem("rtsp://127.0.0.1:1/live", probe=True)


def test_certificates_have_their_sentences(serve, problem, make_certificate, tmp_path):
    """A certificate of nobody known, a file of authorities that is missing, and a stream that breaks off later."""
    server = serve("rtsp", certificate=make_certificate("camera"))
    server.refusals["DESCRIBE"] = "404 Not Found"
    assert "the certificate of localhost" in problem(server.url)
    assert "cannot be read: check `ca_file`" in problem(server.url, ca_file=str(tmp_path / "none.pem"))
    assert "(404)" in problem(server.url, verify=False)


def test_addresses_are_checked():
    """An address without a host or with a wrong port has a sentence, not an exception of the parser."""
    assert host_and_port("rtsps://cam/live") == ("cam", 322)
    assert host_and_port("rtsp://[::1]:8554/live") == ("::1", 8554)
    for address in ("rtsp:///live", "rtsp://cam:port/live", "rtsp://[cam/live", "ftp://cam/live"):
        with pytest.raises(UnusableStreamError, match="the address"):
            host_and_port(address)


def test_devices_are_tried_before_they_are_opened(tmp_path):
    """One that is missing and one that may not be used have their sentences."""
    with pytest.raises(UnusableStreamError, match="there is no /dev/video98: is the camera plugged in"):
        try_host(settings("98"))
    if os.geteuid():
        device = tmp_path / "video0"
        device.write_bytes(b"")
        device.chmod(0)
        with pytest.raises(UnusableStreamError, match="add the daemon's user to the group `video`"):
            try_host(settings(str(device)))

"""Cameras behind GStreamer's RTSP server, a good server of another make: codecs, restarts, and hanging."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.film_cameras import GSTREAMER_PACKAGES, SYSTEM_PYTHON, has_gstreamer

from edge.core.source import SourceState

SCRIPT = Path(__file__).parents[2] / "support" / "gst_rtsp_server.py"


class GstServer:
    """A server that can be killed, stopped, and started again as another camera on the same port."""

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where the camera is."""
        return f"rtsp://127.0.0.1:{self.port}/live"

    def start(self, codec: str, size: tuple[int, int], *, rate: int = 25, interval: int = 25) -> None:
        """Start it; the port stays the same."""
        arguments = [codec, *map(str, (*size, rate, interval, self.port))]
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SCRIPT), *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@pytest.fixture(scope="session")
def gstreamer():
    """Skips where GStreamer's RTSP server is missing."""
    if not has_gstreamer():
        pytest.skip(f"GStreamer's RTSP server is not installed: apt-get install {GSTREAMER_PACKAGES}")


@pytest.fixture
def server(gstreamer):
    """A server that is killed at the end."""
    made = GstServer()
    yield made
    made.kill()


def test_a_camera_comes_back_as_another(server, frame_of, live, until):
    """H.264, then H.265 of another size at another rate after a SIGKILL: frames come again, of the new size."""
    server.start("h264", (160, 120))
    source = live(server.url, stale_seconds=5.0)
    first = frame_of(source)
    assert (first.size, source.status.codec) == ((160, 120), "h264")
    server.kill()
    until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
    server.start("h265", (320, 240), rate=10, interval=10)
    until(lambda: (frame := source.read(1.0)) and frame.size == (320, 240), "frames have the new size")
    until(lambda: source.status.codec == "hevc", "the codec is known")
    assert source.status.reconnects == 1


@pytest.mark.long
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_camera_that_hangs_for_a_minute(server, serve, frame_of, live, until, codec):
    """SIGSTOP for 60 s: down after stale_seconds, up within 10 s of its return; another camera is never paused."""
    server.start(codec, (640, 360))
    source, other = live(server.url, stale_seconds=10.0), live(serve("rtsp", fps=25).url)
    frame_of(source)
    before = frame_of(other)
    server.signal(signal.SIGSTOP)
    stopped, longest = time.monotonic(), 0.0
    while time.monotonic() - stopped < 60.0:
        frame = frame_of(other)
        longest, before = max(longest, frame.monotonic - before.monotonic), frame
    assert source.status.state is SourceState.DOWN
    server.signal(signal.SIGCONT)
    back = time.monotonic()
    until(lambda: (frame := source.read(1.0)) and frame.monotonic > back, "frames come again")
    print(f"{codec}: first frame {time.monotonic() - back:.1f} s after the return, other paused {longest:.2f} s")


@pytest.mark.long
def test_many_restarts_leave_nothing_behind(server, frame_of, live, until):
    """After thirty restarts as other cameras, descriptors, processes and memory are what they were after five."""
    import psutil

    own = psutil.Process()
    source = live("rtsp://127.0.0.1:1/live")
    source.close()
    held, waits = [], []
    server.start("h264", (160, 120))
    source = live(server.url, stale_seconds=5.0)
    frame_of(source)
    for number in range(30):
        server.kill()
        server.start("h264" if number % 2 else "h265", (160 + 16 * (number % 3), 120))
        back = time.monotonic()
        until(lambda back=back: (frame := source.read(1.0)) and frame.monotonic > back, "frames come again")
        waits.append(time.monotonic() - back)
        until(lambda: len(own.children()) == 2, "there is one reader, and one server")
        held.append((own.num_fds(), own.num_threads(), own.memory_info().rss))
    print("seconds to the first frame:", [round(wait, 1) for wait in waits])
    assert held[-1][:2] == held[4][:2]
    assert held[-1][2] - held[4][2] < 5_000_000

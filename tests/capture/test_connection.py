"""What holds live cameras together: readers that hang, time-outs, old frames, waits between tries."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture import video as opencv
from edge.capture.connection import Backlog, why_closed
from edge.capture.live import MOST_STUCK
from edge.core.source import SourceState


class FakeCapture:
    """A capture that hangs in grab() or retrieve() when told to; its frames show ``grey``."""

    def __init__(self, *, where="grab", grey=0):
        self.where = where
        self.grey = grey
        self.hang = threading.Event()
        self.back = threading.Event()
        self.released = threading.Event()
        self.count = 0

    def grab(self):
        if self.hang.is_set() and self.where == "grab":
            self.back.wait()
        self.back.wait(0.01)
        self.count += 1
        return True

    def retrieve(self):
        if self.hang.is_set() and self.where == "retrieve":
            self.back.wait()
        return True, np.full((4, 4, 3), self.grey, np.uint8)

    def get(self, prop):
        return self.count * 10.0

    def release(self):
        self.released.set()


def test_a_device_that_is_not_there(live, until):
    """A V4L2 device that is unplugged is down with a question that helps."""
    for address in ("/dev/video99", "99"):
        source = live(address)
        until(lambda s=source: s.status.state is SourceState.DOWN, "the device is down")
        assert source.status.problem == "there is no /dev/video99: is the camera plugged in?"


@pytest.mark.parametrize("where", ["grab", "retrieve"])
def test_a_reader_that_hangs_is_left_behind(frame_of, live, until, where):
    """A call that never returns costs its thread, not the camera: a new connection takes over for good."""
    captures = []

    def open_capture():
        captures.append(FakeCapture(where=where, grey=len(captures)))
        return captures[-1]

    source = live("rtsp://host/live", open_capture=open_capture, stale_seconds=0.3)
    frame_of(source)
    hung = captures[0]
    hung.hang.set()
    until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
    assert "no frame for" in source.status.problem, "it is down before its reader is given up"
    until(lambda: len(captures) == 2, "a second connection is opened")
    frame_of(source)
    until(lambda: source.status.reconnects == 1, "it counts as a reconnection")
    assert not hung.released.is_set()
    captures[1].hang.set()  # so that whatever comes now comes from the first
    until(lambda: source.read(0.02) is None, "the second is silent")
    hung.back.set()
    assert hung.released.wait(5.0), "the reader that came back lets go of its capture"
    assert source.read(0.05) is None, "what it brings is too old"
    captures[1].back.set()


def test_only_so_many_readers_may_hang(frame_of, live, until):
    """When MOST_STUCK readers hang no more are started, the status says so, and it goes on when one returns."""
    captures = []

    def open_capture():
        captures.append(FakeCapture())
        if len(captures) <= MOST_STUCK:
            captures[-1].hang.set()
        return captures[-1]

    source = live("rtsp://host/live", open_capture=open_capture, stale_seconds=0.1)
    try:
        until(lambda: "no more are tried" in source.status.problem, "it stays down")
        assert len(captures) == MOST_STUCK
        assert source.status.state is SourceState.DOWN
        captures[1].back.set()
        frame_of(source)
        assert len(captures) == MOST_STUCK + 1
    finally:
        for capture in captures:
            capture.back.set()


def test_an_unexpected_error_reaches_whoever_reads(live):
    """A fault of ours in the reader is not retried for ever in silence: read() raises it."""

    def open_capture():
        raise ZeroDivisionError("ours")

    source = live("rtsp://host/live", open_capture=open_capture)
    with pytest.raises(RuntimeError, match="cam: capture failed") as caught:
        source.read(5.0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_process_ends_cleanly_while_a_reader_reads(serve):
    """Without close() the interpreter still waits for the reader instead of aborting under it."""
    program = (
        "import sys\n"
        "from edge.sources import open_source\n"
        "from edge.config.schema import CameraConfig\n"
        "source = open_source(CameraConfig(id='cam', source=sys.argv[1]))\n"
        "source.start()\n"
        "assert source.read(20) is not None\n"
    )
    server = serve("mjpeg", fps=200)
    for _ in range(3):
        run = subprocess.run([sys.executable, "-c", program, server.url], capture_output=True, text=True, timeout=60)
        assert (run.returncode, run.stderr) == (0, "")


def test_opencv_honours_its_time_outs(serve, until):
    """The installed OpenCV gives up opening and reading after the times that it is told."""
    server = serve("mjpeg")
    capture = opencv.open_stream(server.url, open_seconds=5.0, read_seconds=0.5)
    assert capture is not None
    server.paused.set()
    begun = time.monotonic()
    until(lambda: not opencv.grab(capture), "a read fails")
    assert 0.3 < time.monotonic() - begun < 2.0
    capture.release()
    server.silent.set()
    begun = time.monotonic()
    assert opencv.open_stream(server.url, open_seconds=0.5, read_seconds=5.0) is None
    assert 0.3 < time.monotonic() - begun < 2.0


def test_a_backlog_ends_with_the_first_wait():
    """Frames that are there at once are old; the first that had to be waited for, and all after it, are new."""
    backlog = Backlog(opened_in=5.0)
    waits = [0.0, 0.001, 0.001, 0.004, 0.035, 0.001, 0.04]
    assert [backlog.holds(wait, index * 0.04) for index, wait in enumerate(waits)] == [
        *(True, True, True, True),
        *(False, False, False),
    ]


@given(
    st.floats(0, 10, allow_nan=False),
    st.lists(st.tuples(st.floats(0, 1, allow_nan=False), st.floats(-5, 100, allow_nan=False)), max_size=300),
)
def test_a_backlog_is_bounded(opened_in, reads):
    """No more video is passed over than can have piled up, even when a stream runs too fast; then none."""
    backlog = Backlog(opened_in)
    held = [backlog.holds(waited, position) for waited, position in reads]
    assert held == sorted(held, reverse=True)
    steps = [0.04] + [min(max(b - a, 0), 1.0) or 0.04 for (_, a), (_, b) in pairwise(reads)]
    assert sum(step for step, old in zip(steps, held, strict=False) if old) <= opened_in + 2.0 + 1e-6


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/dev/null", "does another program use it"),
        ("/dev/video77", "plugged in"),
        ("rtsp://127.0.0.1:99999/x", "not a number"),
        ("http://no-such-host.invalid/x", "no address is known"),
    ],
)
def test_why_a_camera_cannot_be_opened(address, words):
    """The reason that can be found from outside is told with a question or a remedy."""
    assert words in why_closed(address)

"""What keeps live cameras connected: readers that hang, errors in them, time-outs, the end of the process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from edge.capture import reader, video
from edge.capture.supervisor import MOST_HANGING_READERS
from edge.core.source import SourceState


class FakeCapture:
    """A capture that gives frames of one grey level, and hangs in grab() or retrieve() from ``hang`` to ``resume``."""

    def __init__(self, *, where="grab", grey=0):
        self.where = where
        self.grey = grey
        self.hang = threading.Event()
        self.resume = threading.Event()
        self.released = threading.Event()
        self.count = 0

    def grab(self):
        if self.hang.is_set() and self.where == "grab":
            self.resume.wait()
        self.resume.wait(0.01)
        self.count += 1
        return True

    def retrieve(self):
        if self.hang.is_set() and self.where == "retrieve":
            self.resume.wait()
        return True, np.full((4, 4, 3), self.grey, np.uint8)

    def get(self, prop):
        return self.count * 10.0

    def release(self):
        self.released.set()


@pytest.fixture
def captures():
    """The captures of a test; those that hang are let go at its end."""
    made: list[FakeCapture] = []
    yield made
    for capture in made:
        capture.resume.set()


@pytest.fixture
def short_grace(monkeypatch):
    """A fake capture has no time-out of its own, so that the reader need not be given a second more than that."""
    monkeypatch.setattr(reader, "_GRACE_SECONDS", 0.0)


def test_a_device_that_is_not_there(live, until):
    """A V4L2 device that is unplugged is down with a question that helps."""
    for address in ("/dev/video99", "99"):
        source = live(address)
        until(lambda s=source: s.status.state is SourceState.DOWN, "the device is down")
        assert source.status.problem == "there is no /dev/video99: is the camera plugged in?"


@pytest.mark.parametrize("where", ["grab", "retrieve"])
def test_a_reader_that_hangs_is_left_behind(frame_of, live, until, captures, where):
    """A call that never returns costs its thread, not the camera: a new connection takes over for good."""

    def open_capture():
        captures.append(FakeCapture(where=where, grey=len(captures)))
        return captures[-1]

    source = live("rtsp://host/live", open_capture=open_capture, stale_seconds=0.5)
    assert frame_of(source).image.max() == 0
    hung = captures[0]
    hung.hang.set()
    until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
    assert "no frame for" in source.status.problem, "it is down before its reader is given up"
    until(lambda: len(captures) >= 2, "a second connection is opened")
    until(lambda: frame_of(source).image.max() > 0, "frames of the second connection come")
    assert source.status.reconnects >= 1
    assert not hung.released.is_set()
    hung.resume.set()

    def late_frames_are_refused():
        assert frame_of(source).image.max() > 0, "the reader that returned brought its old frame"
        return hung.released.is_set()

    until(late_frames_are_refused, "the reader that returned releases its capture")
    assert frame_of(source).image.max() > 0


def test_only_so_many_readers_may_hang(frame_of, live, until, captures, short_grace):
    """When MOST_HANGING_READERS hang no more are started, the status says so, and it goes on when a reader returns."""

    def open_capture():
        captures.append(FakeCapture())
        if len(captures) <= MOST_HANGING_READERS:
            captures[-1].hang.set()
        return captures[-1]

    source = live("rtsp://host/live", open_capture=open_capture, stale_seconds=0.3)
    until(lambda: "no more are started" in source.status.problem, "it stays down")
    assert len(captures) == MOST_HANGING_READERS
    assert source.status.state is SourceState.DOWN
    assert source.read(0.0) is None
    captures[1].resume.set()
    frame_of(source)
    assert len(captures) > MOST_HANGING_READERS


def test_an_unexpected_error_is_raised_by_read(live):
    """A fault in the code of the reader is not retried for ever in silence: read() raises it."""

    def open_capture():
        raise ZeroDivisionError("a fault in the code")

    source = live("rtsp://host/live", open_capture=open_capture)
    with pytest.raises(RuntimeError, match="cam: capture failed") as caught:
        source.read(60.0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_frames_that_piled_up_during_the_opening_are_skipped(frame_of, live, captures):
    """Frames that are there at once belong to the time of the opening: the first frame that is read came later."""

    class BurstCapture(FakeCapture):
        """Three frames at once, those after them in step with their times, 300 ms apart."""

        def grab(self):
            self.resume.wait(0.0 if self.count < 3 else 0.3)
            self.count += 1
            return True

        def get(self, prop):
            return self.count * 300.0

    def open_capture():
        captures.append(BurstCapture())
        return captures[-1]

    source = live("rtsp://host/live", open_capture=open_capture)
    assert frame_of(source).sequence == 3
    assert source.status.dropped == 3


def test_the_process_ends_cleanly_while_readers_read(serve):
    """Without close() the interpreter still waits for its readers instead of aborting under them."""
    program = (
        "import sys\n"
        "from edge.sources import open_source\n"
        "from edge.config.schema import CameraConfig\n"
        "sources = [open_source(CameraConfig(id=f'cam-{number}', source=sys.argv[1])) for number in range(4)]\n"
        "for source in sources: source.start()\n"
        "for source in sources: assert source.read(60) is not None\n"
    )
    server = serve("mjpeg", fps=200)
    run = subprocess.run([sys.executable, "-c", program, server.url], capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stderr) == (0, "")


def test_opencv_keeps_to_its_time_outs(serve, until):
    """The installed OpenCV gives up opening and reading after the times that it is given, not after its own 30 s."""
    server = serve("mjpeg")
    capture = video.open_stream(server.url, open_seconds=20.0, read_seconds=0.3)
    assert capture is not None
    server.paused.set()
    begun = time.monotonic()
    until(lambda: not video.grab(capture), "a read fails")
    assert 0.2 < time.monotonic() - begun < 20.0
    capture.release()
    server.silent.set()
    begun = time.monotonic()
    assert video.open_stream(server.url, open_seconds=0.3, read_seconds=5.0) is None
    assert 0.2 < time.monotonic() - begun < 20.0

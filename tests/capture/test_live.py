"""Live cameras over real HTTP and RTSP connections: the newest frame wins, and trouble passes."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from edge.capture import opencv
from edge.capture.live import BACK_OFF, MOST_STUCK, BackOff, LiveSource
from edge.capture.reader import Backlog, why_closed
from edge.capture.source import EndOfSource, SourceState

KINDS = pytest.mark.parametrize("kind", ["mjpeg", "rtsp"])


@pytest.fixture
def live(camera):
    """Starts a LiveSource that tries again quickly; closed at the end."""
    sources = []

    def start(address, *, open_capture=None, open_seconds=10.0, stale_seconds=2.0, **keys):
        source = LiveSource(
            camera(address, stale_seconds=stale_seconds, **keys),
            open_seconds=open_seconds,
            back_off=(0.05, 0.3),
            open_capture=open_capture,
        )
        sources.append(source)
        source.start()
        return source

    yield start
    for source in sources:
        source.close()


def frame_of(source, limit=20.0):
    """The next frame; fails when none comes."""
    frame = source.read(limit)
    assert frame is not None, source.status
    return frame


class FakeCapture:
    """A capture whose grab() can hang; its frames are empty."""

    def __init__(self):
        self.hang = threading.Event()
        self.back = threading.Event()
        self.released = threading.Event()
        self.count = 0

    def grab(self):
        if self.hang.is_set():
            self.back.wait()
        self.back.wait(0.01)
        self.count += 1
        return True

    def retrieve(self):
        return True, np.zeros((4, 4, 3), np.uint8)

    def get(self, prop):
        return self.count * 10.0

    def release(self):
        self.released.set()


@KINDS
def test_frames_come_in_order_with_their_time(serve, live, number_in, kind):
    """Frames arrive in order, stamped with both clocks at the moment they were grabbed."""
    source = live(serve(kind).url)
    assert not source.recorded
    frames = [frame_of(source) for _ in range(20)]
    now, wall = time.monotonic(), datetime.now(UTC)
    numbers = [number_in(frame.image) for frame in frames]
    assert numbers == sorted(set(numbers))
    for earlier, later in pairwise(frames):
        assert later.sequence > earlier.sequence
        assert later.monotonic > earlier.monotonic
    assert 0 <= now - frames[-1].monotonic < 1.0
    assert abs((wall - frames[-1].captured_at) - timedelta(seconds=now - frames[-1].monotonic)).total_seconds() < 0.1
    status = source.status
    assert status.state is SourceState.UP
    assert status.frames == 20
    assert status.problem == ""
    assert status.last_frame_monotonic >= frames[-1].monotonic


@KINDS
def test_the_first_frame_is_fresh(serve, live, number_in, kind):
    """What piled up while the stream was opened is passed over: the first frame is at most a few old."""
    server = serve(kind)
    source = live(server.url)
    first = frame_of(source)
    assert server.number - number_in(first.image) <= 15  # nearly 30 pile up in front of an RTSP stream
    assert source.status.dropped >= first.sequence - 1


@KINDS
def test_the_newest_frame_wins(serve, live, until, number_in, kind):
    """A reader that was away gets the newest frame, not the oldest; those it missed are counted."""
    server = serve(kind)
    source = live(server.url)
    before = frame_of(source)
    dropped, since = source.status.dropped, server.number
    until(lambda: server.number > since + 25, "the server sent 25 pictures")
    after = frame_of(source)
    assert server.number - number_in(after.image) <= 15
    assert number_in(after.image) - number_in(before.image) == after.sequence - before.sequence >= 20
    assert source.status.dropped - dropped == pytest.approx(after.sequence - before.sequence - 1, abs=3)


@KINDS
def test_fps_limits_what_is_handed_out(serve, live, kind):
    """With fps = 5 a faster camera is read 5 times a second, and what is left out does not count as dropped."""
    server = serve(kind)
    source = live(server.url, fps=5)
    first = frame_of(source)
    dropped = source.status.dropped
    last = [frame_of(source) for _ in range(10)][-1]
    seconds = last.monotonic - first.monotonic
    assert 5 * seconds + 1.1 >= 10
    assert last.sequence - first.sequence >= 0.6 * server.fps * seconds
    assert source.status.dropped - dropped <= 3


@KINDS
def test_credentials(serve, live, number_in, kind):
    """User and password of the configuration open a camera that asks for them."""
    server = serve(kind, credentials="gate:s3cr3t:word/@")
    source = live(server.url, username="gate", password=SecretStr("s3cr3t:word/@"))
    first, second = frame_of(source), frame_of(source)
    assert number_in(second.image) > number_in(first.image)


@KINDS
def test_secrets_are_never_told(serve, live, until, caplog, capfd, kind):
    """A camera that refuses the password is down with a remedy; no log, status or output holds a secret."""
    caplog.set_level(logging.DEBUG)
    server = serve(kind, credentials="gate:right")
    in_url = server.url.replace("://", "://gate:hunter2@").replace("channel=1", "channel=1&token=t0ken")
    by_keys = live(server.url, username="gate", password=SecretStr("hunter2"))
    sources = [by_keys, live(in_url)]
    for source in sources:
        until(lambda s=source: s.status.state is SourceState.DOWN, "the camera is down")
        assert "check path, user and password" in source.status.problem
    until(lambda: server.refused >= 4, "it was tried again")
    for source in sources:
        source.close()
    out, err = capfd.readouterr()
    told = "".join([caplog.text, out, err, *(source.status.problem for source in sources)])
    for secret in ("hunter2", "t0ken", "gate:"):
        assert secret not in told
    assert "127.0.0.1" in caplog.text


@KINDS
def test_a_camera_that_dies_and_comes_back(serve, live, until, caplog, kind):
    """The connection breaks: down, with the reason; the camera is back: up again, counted once, logged once each."""
    caplog.set_level(logging.INFO)
    server = serve(kind)
    source = live(server.url)
    before = frame_of(source)
    server.stop()
    until(lambda: "refuses connections" in source.status.problem, "the port is found closed")
    assert source.status.state is SourceState.DOWN
    assert source.read(0.0) is None or source.read(0.0) is None  # at most the one that was under way
    server.start()
    after = frame_of(source)
    assert after.sequence > before.sequence
    assert after.monotonic > before.monotonic
    assert source.status.state is SourceState.UP
    assert source.status.reconnects == 1
    until(lambda: caplog.text.count("frames come") == 2, "it is logged that frames come again")
    assert caplog.text.count("refuses connections") == 1


@KINDS
def test_a_silent_camera_is_down_and_opened_anew(serve, live, until, kind):
    """Connected but silent for stale_seconds: down, then a new connection; up again when pictures come."""
    server = serve(kind)
    source = live(server.url, stale_seconds=1.0)
    frame_of(source)
    connections = server.accepted
    server.paused.set()
    begun = time.monotonic()
    until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
    assert 0.8 <= time.monotonic() - begun < 5.0
    assert "no frame for" in source.status.problem
    until(lambda: server.accepted > connections, "it is opened anew")
    server.paused.clear()
    until(lambda: source.status.state is SourceState.UP, "the camera is up")
    assert frame_of(source).monotonic > begun


@KINDS
def test_garbage_in_a_stream_passes(serve, live, until, kind, capfd):
    """Rubbish instead of pictures neither ends the process nor stays: good pictures come through again."""
    server = serve(kind)
    source = live(server.url, stale_seconds=1.0)
    frame_of(source)
    sent = server.number
    server.garbage.set()
    until(lambda: server.number > sent + 20, "rubbish was sent")
    server.garbage.clear()
    clear = time.monotonic()
    until(lambda: (frame := source.read(1.0)) and frame.monotonic > clear + 0.2, "pictures come again")
    assert source.status.state is SourceState.UP
    assert capfd.readouterr() == ("", "")


def test_a_camera_that_is_not_there(live, until):
    """start() does not raise for the world's trouble: the source is down, says why, and read() returns None."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused
        source = live(f"rtsp://127.0.0.1:{taken.getsockname()[1]}/live")
        until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
        assert "refuses connections" in source.status.problem
        assert source.read(0.01) is None


def test_a_camera_that_does_not_answer(serve, live, until):
    """A host that accepts and says nothing is given up after the time for opening, and tried again."""
    server = serve("mjpeg")
    server.silent.set()
    source = live(server.url, open_seconds=0.5)
    until(lambda: server.accepted >= 4, "it was tried again")  # half of them only to see who is there
    assert source.status.state is SourceState.DOWN
    server.silent.clear()
    frame_of(source)


def test_a_dead_camera_does_not_delay_another(serve, live):
    """While one camera takes its ten seconds to time out, another opens and gives frames."""
    dead = serve("mjpeg")
    dead.silent.set()
    waiting = live(dead.url)
    begun = time.monotonic()
    frame_of(live(serve("mjpeg").url))
    assert time.monotonic() - begun < 5.0
    assert waiting.status.state is SourceState.STARTING


def test_a_device_that_is_not_there(live, until):
    """A V4L2 device that is unplugged is down with a question that helps."""
    for address in ("/dev/video99", "99"):
        source = live(address)
        until(lambda s=source: s.status.state is SourceState.DOWN, "the device is down")
        assert source.status.problem == "there is no /dev/video99: is the camera plugged in?"


def test_a_reader_that_hangs_is_left_behind(live, until):
    """A read() that never returns costs its thread, not the camera: a new connection takes over."""
    captures = []

    def open_capture():
        captures.append(FakeCapture())
        return captures[-1]

    source = live("rtsp://host/live", open_capture=open_capture, stale_seconds=0.3)
    frame_of(source)
    hung = captures[0]
    hung.hang.set()
    until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
    until(lambda: len(captures) == 2, "a second connection is opened")
    frame_of(source)
    until(lambda: source.status.reconnects == 1, "it counts as a reconnection")
    assert not hung.released.is_set()
    hung.back.set()
    assert hung.released.wait(5.0), "the reader that came back lets go of its capture"


def test_only_so_many_readers_may_hang(live, until):
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


@KINDS
def test_close_is_prompt_and_wakes_read(serve, live, kind):
    """close() ends a read() that waits, also while the camera is silent, and then the source has ended."""
    server = serve(kind)
    source = live(server.url, stale_seconds=30.0)
    frame_of(source)
    server.paused.set()
    ends = []

    def drain():
        try:
            while True:
                source.read(60.0)
        except EndOfSource:
            ends.append(time.monotonic())

    thread = threading.Thread(target=drain)
    thread.start()
    begun = time.monotonic()
    source.close()
    thread.join(10.0)
    assert ends
    assert time.monotonic() - begun < 5.0
    assert source.status.state is SourceState.ENDED
    server.stop()  # lets the reader that is still blocked end
    with pytest.raises(EndOfSource):
        source.read(0.0)


def test_the_process_ends_cleanly_while_a_reader_reads(serve):
    """Without close() the interpreter still waits for the reader instead of aborting under it."""
    program = (
        "import sys\n"
        "from edge.capture.source import open_source\n"
        "from edge.config import CameraConfig\n"
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
    steps = [0.04] + [
        min(max(b - a, 0), 1.0) or 0.04 for (_, a), (_, b) in pairwise(reads)
    ]
    assert sum(step for step, old in zip(steps, held, strict=False) if old) <= opened_in + 2.0 + 1e-6


@given(st.integers(1, 60))
def test_the_back_off_grows_within_its_bounds(tries):
    """Waits stay between half a second and thirty, reach the upper part, and are short again after a reset."""
    back_off = BackOff(*BACK_OFF)
    waits = [back_off.next() for _ in range(tries)]
    assert all(BACK_OFF[0] <= wait <= BACK_OFF[1] for wait in waits)
    assert all(later <= 3 * earlier for earlier, later in pairwise(waits))
    back_off.reset()
    assert back_off.next() <= 3 * BACK_OFF[0]


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

"""Live cameras over real HTTP and RTSP connections, read by real processes: the newest frame wins, every fault ends."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest
from pydantic import SecretStr

from edge.core.source import EndOfSource, SourceStage, SourceState

KINDS = pytest.mark.parametrize("kind", ["mjpeg", "rtsp"])


@KINDS
def test_frames_come_in_order_with_their_time(frame_of, serve, live, number_in, kind):
    """Frames arrive in order, with the times on both clocks at which they were taken; the status describes them."""
    source = live(serve(kind, fps=25).url)
    assert not source.recorded
    begun, wall = time.monotonic(), datetime.now(UTC)
    frames = [frame_of(source) for _ in range(20)]
    numbers = [number_in(frame.image) for frame in frames]
    assert numbers == sorted(set(numbers))
    for earlier, later in pairwise(frames):
        assert later.sequence > earlier.sequence
        assert later.monotonic > earlier.monotonic
    assert begun < frames[1].monotonic
    assert frames[-1].monotonic <= time.monotonic()
    for frame in frames:  # both clocks, read one after the other
        assert (frame.captured_at - wall).total_seconds() == pytest.approx(frame.monotonic - begun, abs=3.0)
    status = source.status
    assert status.state is SourceState.UP
    assert status.stage is SourceStage.DELIVERED
    assert status.frames == 20
    assert status.problem == ""
    assert status.codec == {"mjpeg": "mjpeg", "rtsp": "h264"}[kind]
    assert begun <= status.connected_since <= time.monotonic()
    assert status.last_frame_monotonic >= frames[-1].monotonic


@KINDS
def test_the_newest_frame_wins(frame_of, serve, live, until, number_in, kind):
    """A caller that was away gets the newest frame, not the oldest; those it missed are counted."""
    source = live(serve(kind, fps=25).url)
    before = frame_of(source)
    dropped = source.status.dropped
    until(lambda: source.status.dropped >= dropped + 25, "25 pictures came and were replaced")
    after = frame_of(source)
    later = frame_of(source)
    assert after.sequence - before.sequence == number_in(after.image) - number_in(before.image) > 25
    # The reader reports a moment after it has handed a picture over.
    until(lambda: source.status.frames + source.status.dropped >= later.sequence + 1, "all are counted")


def test_a_picture_stays_as_it_is_while_it_is_used(frame_of, serve, live, number_in):
    """Frames that a caller keeps are read-only and never change, however many come after them."""
    source = live(serve("mjpeg", fps=100).url)
    kept = [frame_of(source) for _ in range(6)]
    copies = [frame.image.copy() for frame in kept]
    rows = kept[0].image[10:20]
    first_row = rows.copy()
    with pytest.raises(ValueError, match="read-only"):
        kept[0].image[0, 0] = 0
    del kept[0]
    for _ in range(20):
        frame_of(source)
    assert np.array_equal(rows, first_row)
    for frame, copy in zip(kept, copies[1:], strict=True):
        assert np.array_equal(frame.image, copy)
    assert len({number_in(frame.image) for frame in kept}) == 5


@KINDS
def test_fps_limits_what_is_handed_out(frame_of, serve, live, kind):
    """With fps = 5 a faster camera is read 5 times a second, and what is left out does not count as dropped."""
    server = serve(kind)
    source = live(server.url, fps=5)
    first = last = frame_of(source)
    dropped = source.status.dropped
    while last.sequence < first.sequence + 25:
        last = frame_of(source)
    taken = source.status.frames + source.status.dropped - dropped
    assert taken <= 5 * (time.monotonic() - first.monotonic) + 1.1
    assert taken < last.sequence - first.sequence


@KINDS
def test_credentials(frame_of, serve, live, number_in, kind):
    """User and password of the configuration open a camera that asks for them."""
    server = serve(kind, credentials="gate:s3cr3t:word/@")
    source = live(server.url, username="gate", password=SecretStr("s3cr3t:word/@"))
    first, second = frame_of(source), frame_of(source)
    assert number_in(second.image) > number_in(first.image)


def test_secrets_are_never_shown(serve, live, until, caplog, capfd):
    """A camera that refuses the password is down with a remedy; no log, status, output or process list has a secret."""
    caplog.set_level(logging.DEBUG)
    server = serve("rtsp", credentials="gate:right")
    in_url = server.url.replace("://", "://gate:hunter2@") + "?token=t0ken"
    sources = [live(server.url, username="gate", password=SecretStr("hunter2")), live(in_url)]
    shown = []
    for source in sources:
        until(lambda s=source: "(401)" in s.status.problem, "the camera is down")
        assert source.status.state is SourceState.DOWN
        assert "set `username` and `password`" in source.status.problem
        process = Path(f"/proc/{source.status.reader_pid}")
        shown += [(process / "cmdline").read_text(), (process / "environ").read_text()]
    until(lambda: server.refused >= 4, "it was tried again")
    for source in sources:
        source.close()
    out, err = capfd.readouterr()
    shown += [caplog.text, out, err, *(source.status.problem for source in sources)]
    for secret in ("hunter2", "t0ken", "gate:"):
        assert secret not in "".join(shown)
    assert "127.0.0.1" in caplog.text


@KINDS
def test_a_camera_that_dies_and_comes_back(frame_of, serve, live, until, caplog, kind):
    """The connection breaks: down, with the reason; the camera is back: up again, counted once, logged once each."""
    caplog.set_level(logging.INFO)
    server = serve(kind)
    source = live(server.url)
    before = frame_of(source)
    server.stop()
    until(lambda: "refuses connections" in source.status.problem, "the port is found closed")
    assert source.status.state is SourceState.DOWN
    assert source.read(0.0) is None, "what waited was dropped"
    server.start()
    after = frame_of(source)
    assert after.sequence > before.sequence
    assert after.monotonic > before.monotonic
    assert source.status.state is SourceState.UP
    assert source.status.reconnects == 1
    until(lambda: caplog.text.count("frames come") == 2, "it is logged that frames come again")
    assert caplog.text.count("refuses connections") == 1


@KINDS
def test_a_silent_camera_is_down_and_opened_again(frame_of, serve, live, until, kind):
    """Connected but silent for stale_seconds: down, then a new connection; up again when pictures come."""
    server = serve(kind)
    source = live(server.url, stale_seconds=1.0)
    frame_of(source)
    connections = server.accepted
    server.paused.set()
    until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
    assert time.monotonic() - source.status.last_frame_monotonic >= 1.0
    assert "no frame for" in source.status.problem
    until(lambda: server.accepted > connections, "it is opened again")
    server.paused.clear()
    down = time.monotonic()
    until(lambda: (frame := source.read(1.0)) and frame.monotonic > down, "frames come again")
    assert source.status.reconnects >= 1


@KINDS
def test_garbage_in_a_stream_passes(frame_of, serve, live, until, kind, capfd):
    """Random bytes instead of pictures are counted as faults; after them good pictures come again."""
    server = serve(kind)
    source = live(server.url, stale_seconds=1.0)
    frame_of(source)
    sent = server.number
    server.garbage.set()
    until(lambda: server.number > sent + 20, "random bytes were sent")
    until(lambda: source.status.corrupt_share > 0.05, "the faults are counted")
    server.garbage.clear()
    clear = time.monotonic()
    until(lambda: (frame := source.read(1.0)) and frame.monotonic > clear + 0.2, "pictures come again")
    assert source.status.state is SourceState.UP
    assert source.status.corrupt + source.status.decoder_errors > 0
    assert capfd.readouterr() == ("", "")


def test_a_camera_that_is_not_there(live, until):
    """start() does not raise when a camera refuses: the source is down, says why, and read() returns None."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused
        source = live(f"rtsp://127.0.0.1:{taken.getsockname()[1]}/live")
        until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
        assert "refuses connections" in source.status.problem
        assert source.read(0.01) is None


def test_a_device_that_is_not_there(live, until):
    """A V4L2 device that is unplugged, and a Pi's camera without its software, are down with a sentence that helps."""
    for address in ("/dev/video99", "99"):
        source = live(address)
        until(lambda s=source: s.status.state is SourceState.DOWN, "the device is down")
        assert source.status.problem == "there is no /dev/video99: is the camera plugged in?"
        source.close()
    source = live("csi:0")
    until(lambda: source.status.state is SourceState.DOWN, "the Pi's camera is down")
    assert source.status.problem.startswith("picamera2 is not installed: apt install python3-picamera2")


def test_a_dead_camera_does_not_delay_another(frame_of, serve, live, until):
    """While a camera that accepts connections and says nothing is waited for, another opens and gives frames."""
    dead = serve("mjpeg")
    dead.silent.set()
    waiting = live(dead.url)
    until(lambda: dead.accepted, "the dead camera is being opened")
    frame_of(live(serve("mjpeg").url))
    assert waiting.status.state is SourceState.STARTING
    until(lambda: waiting.status.stage is SourceStage.CONNECTED, "it is known to be connected")


@KINDS
def test_close_is_prompt_and_wakes_read(frame_of, serve, live, kind):
    """close() ends a read() that waits, also while the camera is silent, and leaves no process."""
    server = serve(kind)
    source = live(server.url, stale_seconds=100.0)
    frame_of(source)
    pid = source.status.reader_pid
    server.paused.set()
    ends = []

    def drain():
        try:
            while True:
                source.read(200.0)
        except EndOfSource:
            ends.append(time.monotonic())

    thread = threading.Thread(target=drain)
    thread.start()
    begun = time.monotonic()
    source.close()
    thread.join(20.0)
    assert ends
    assert time.monotonic() - begun < 50.0, "it waited for a time-out of the stream"
    assert source.status.state is SourceState.ENDED
    assert not psutil.pid_exists(pid)
    with pytest.raises(EndOfSource):
        source.read(0.0)


def test_a_killed_reader_is_replaced_and_leaves_nothing(frame_of, serve, live, until, caplog):
    """After each SIGKILL frames come again; descriptors, processes and shared memory are what they were."""
    source = live(serve("rtsp").url)
    frame_of(source)
    own = psutil.Process()

    def held():
        return own.num_fds(), len([child for child in own.children() if child.pid == source.status.reader_pid])

    before = held()
    for _ in range(3):
        killed = source.status.reader_pid
        os.kill(killed, signal.SIGKILL)
        until(lambda: "its reader ended (signal 9)" in caplog.text, "the reason is logged")
        until(lambda pid=killed: source.status.reader_pid not in (None, pid), "another reader is started")
        until(lambda: source.read(1.0), "frames come again")
        assert not psutil.pid_exists(killed)
    # The server's end of a connection that was cut is closed by the server's thread.
    until(lambda: held() == before, "descriptors and processes are what they were")

    def mapped():
        return sum("memfd:camera" in line for line in Path("/proc/self/maps").read_text().splitlines())

    # A frame of the memory before is let go when the next frame comes.
    until(lambda: source.read(1.0) and mapped() == 1, "there is the memory of one reader")


def test_a_stopped_reader_is_killed_and_replaced(frame_of, serve, live, until):
    """A reader that hangs, as in a driver, reports nothing: it is killed, and another gives frames."""
    source = live(serve("rtsp").url, limits={"silence": 2.5})
    frame_of(source)
    hung = source.status.reader_pid
    os.kill(hung, signal.SIGSTOP)
    until(lambda: source.status.reader_pid not in (None, hung), "another reader is started")
    until(lambda: source.read(1.0), "frames come again")
    assert not psutil.pid_exists(hung)


def test_a_rate_below_a_picture_in_stale_seconds_is_no_fault(frame_of, serve, live):
    """With fps = 0.7 and stale_seconds = 1 the camera is up between its frames, and its reader is not replaced."""
    source = live(serve("rtsp").url, fps=0.7, stale_seconds=1.0, limits={"hand_over": 1.0})
    frame_of(source)
    reader = source.status.reader_pid
    frame_of(source)
    assert (source.status.state, source.status.reader_pid) == (SourceState.UP, reader)
    assert source.status.reconnects == 0


def test_sources_leave_no_descriptor(serve, live, frame_of, until):
    """Opening and closing a camera again and again, started or not, leaves descriptors as they were."""
    server = serve("mjpeg")
    own = psutil.Process()
    live(server.url).close()
    before = own.num_fds()
    for _ in range(3):
        source = live(server.url)
        frame_of(source)
        source.close()
        source.close()
    until(lambda: own.num_fds() <= before, "no descriptor is left")

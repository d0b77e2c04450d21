"""Live cameras over real HTTP and RTSP connections: the newest frame wins, and every fault ends."""

from __future__ import annotations

import logging
import socket
import threading
import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from pydantic import SecretStr

from edge.capture import supervisor
from edge.core.source import EndOfSource, SourceState

KINDS = pytest.mark.parametrize("kind", ["mjpeg", "rtsp"])


@KINDS
def test_frames_come_in_order_with_their_time(frame_of, serve, live, number_in, kind):
    """Frames arrive in order, stamped with both clocks at the moment they were grabbed."""
    source = live(serve(kind).url)
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
    assert status.frames == 20
    assert status.problem == ""
    assert status.last_frame_monotonic >= frames[-1].monotonic


def test_the_first_frame_is_fresh(frame_of, serve, live, number_in):
    """What piled up while the stream was opened is skipped: the first frame was sent at the end of the opening.

    A machine that interrupts the reader at its very first frame makes that look awaited; not five times in a row.
    """
    server = serve("rtsp", fps=50)
    for _ in range(5):
        source = live(server.url)
        first = frame_of(source)
        age = server.number - number_in(first.image)
        assert source.status.dropped >= first.sequence - 1
        source.close()
        if first.sequence >= 10 and age <= 15:  # nearly 30 pile up in front of an RTSP stream
            return
    pytest.fail(f"the first frame has number {first.sequence} and is {age} pictures old")


@KINDS
def test_the_newest_frame_wins(frame_of, serve, live, until, number_in, kind):
    """A caller that was away gets the newest frame, not the oldest; those it missed are counted."""
    source = live(serve(kind).url)
    before = frame_of(source)
    dropped = source.status.dropped
    until(lambda: source.status.dropped >= dropped + 25, "25 pictures came and were replaced")
    after = frame_of(source)
    status = source.status
    later = frame_of(source)
    assert after.sequence - before.sequence == number_in(after.image) - number_in(before.image) > 25
    # Every frame up to the one that was read is counted, either as read or as dropped.
    assert after.sequence + 1 <= status.frames + status.dropped <= later.sequence


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


@KINDS
def test_secrets_are_never_shown(serve, live, until, caplog, capfd, kind):
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
    shown = "".join([caplog.text, out, err, *(source.status.problem for source in sources)])
    for secret in ("hunter2", "t0ken", "gate:"):
        assert secret not in shown
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
def test_a_silent_camera_is_down_and_opened_again(frame_of, serve, live, until, kind):
    """Connected but silent for stale_seconds: down, then a new connection; up again when pictures come."""
    server = serve(kind)
    source = live(server.url, stale_seconds=1.0)
    frame_of(source)
    connections = server.accepted
    server.paused.set()
    until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
    down = time.monotonic()
    assert "no frame for" in source.status.problem
    latest = source.status.last_frame_monotonic
    assert down - latest >= 1.0
    until(lambda: server.accepted > connections, "it is opened again")
    assert source.status.last_frame_monotonic == latest, "what a decoder held back is not a new frame"
    server.paused.clear()
    until(lambda: (frame := source.read(1.0)) and frame.monotonic > down, "frames come again")
    assert source.status.reconnects >= 1


@KINDS
def test_garbage_in_a_stream_passes(frame_of, serve, live, until, kind, capfd):
    """Random bytes instead of pictures do not end the process, and after them good pictures come again."""
    server = serve(kind)
    source = live(server.url, stale_seconds=1.0)
    frame_of(source)
    sent = server.number
    server.garbage.set()
    until(lambda: server.number > sent + 20, "random bytes were sent")
    server.garbage.clear()
    clear = time.monotonic()
    until(lambda: (frame := source.read(1.0)) and frame.monotonic > clear + 0.2, "pictures come again")
    assert source.status.state is SourceState.UP
    assert capfd.readouterr() == ("", "")


def test_a_camera_that_is_not_there(live, until):
    """start() does not raise when a camera refuses: the source is down, says why, and read() returns None."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused
        source = live(f"rtsp://127.0.0.1:{taken.getsockname()[1]}/live")
        until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
        assert "refuses connections" in source.status.problem
        assert source.read(0.01) is None


def test_a_camera_that_does_not_answer(frame_of, serve, live, until):
    """A host that accepts and never answers is given up after the time for opening, and tried again."""
    server = serve("mjpeg")
    server.silent.set()
    source = live(server.url, open_seconds=0.5)
    until(lambda: server.accepted >= 4, "it was tried again")  # half of them only to find out why
    assert source.status.state is SourceState.DOWN
    server.silent.clear()
    frame_of(source)


def test_a_dead_camera_does_not_delay_another(frame_of, serve, live, until):
    """While one camera takes its time to time out, another opens and gives frames."""
    dead = serve("mjpeg")
    dead.silent.set()
    waiting = live(dead.url, open_seconds=100.0)
    until(lambda: dead.accepted, "the dead camera is being opened")
    frame_of(live(serve("mjpeg").url))
    assert waiting.status.state is SourceState.STARTING
    dead.stop()  # ends the attempt to open it


@KINDS
def test_close_is_prompt_and_wakes_read(frame_of, serve, live, monkeypatch, kind):
    """close() ends a read() that waits, also while the camera is silent, and then the source has ended."""
    monkeypatch.setattr(supervisor, "_CLOSE_SECONDS", 0.2)
    server = serve(kind)
    source = live(server.url, stale_seconds=100.0)
    frame_of(source)
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
    assert time.monotonic() - begun < 50.0, "it waited for the reader's time-out"
    assert source.status.state is SourceState.ENDED
    server.stop()  # ends the reader, which is still blocked
    with pytest.raises(EndOfSource):
        source.read(0.0)

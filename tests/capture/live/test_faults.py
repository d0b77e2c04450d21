"""What cameras on real networks do: late and lost packets, jumping times, other sizes, TLS, death of a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from itertools import pairwise

import psutil
import pytest

from edge.core.source import SourceStage, SourceState


def seconds_in(problem: str) -> int:
    """The seconds that a sentence names."""
    found = re.search(r"for (\d+) s", problem)
    return int(found[1]) if found else 0


@pytest.mark.parametrize("seconds", [2, pytest.param(17, marks=pytest.mark.long)])
def test_a_first_packet_that_comes_late_is_waited_for(frame_of, serve, live, until, seconds):
    """A camera that answers PLAY before its encoder runs is down with a reason, and up on the same connection."""
    server = serve("rtsp")
    server.paused.set()
    source = live(server.url, stale_seconds=0.5)
    until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
    until(lambda: "sends no video for" in source.status.problem, "the status says what is missing")
    until(lambda: seconds_in(source.status.problem) >= seconds, "it is waited for")
    assert source.status.stage is SourceStage.CONNECTED
    server.paused.clear()
    frame_of(source)
    assert server.played == 1
    assert (source.status.state, source.status.problem) == (SourceState.UP, "")


def test_a_key_frame_that_comes_late_is_waited_for(frame_of, serve, live, until):
    """Packets without a key frame for longer than stale_seconds are no reason for a new connection."""
    server = serve("rtsp", fps=100, key_interval=250)
    server.aligned = False
    source = live(server.url, stale_seconds=0.5)
    until(lambda: "packets arrive, no key frame for" in source.status.problem, "the status says what is missing")
    assert source.status.stage is SourceStage.PACKETS
    frame_of(source)
    assert server.played == 1


@pytest.mark.parametrize(
    ("stuck_at", "limit"), [("DESCRIBE", "first_packet"), ("PLAY", "first_packet"), ("OPTIONS", "answer")]
)
def test_a_camera_that_falls_silent_is_given_up_after_the_limit_of_its_stage(serve, live, until, stuck_at, limit):
    """Nothing waits for ever: the connection is closed, and the camera is tried again."""
    server = serve("rtsp")
    server.stuck_at = stuck_at
    source = live(server.url, limits={limit: 0.7}, stale_seconds=0.5)
    until(lambda: server.accepted >= 3, "it is tried again")
    wanted = "does not answer" if limit == "answer" else "sends no video"
    until(lambda: wanted in source.status.problem, "the status says what is missing")


def test_pictures_that_were_held_up_have_the_time_at_which_they_were_taken(frame_of, serve, live, until, number_in):
    """After the network held packets back, frames are stamped as if it had not."""
    server = serve("rtsp", fps=100)
    source = live(server.url)
    frame_of(source)
    server.held.set()
    held = server.number
    until(lambda: server.number > held + 150, "pictures are held up")
    made = time.monotonic()
    server.held.clear()
    until(lambda: (frame := source.read(1.0)) and frame.monotonic > made, "they have come")
    for _ in range(5):
        frame = frame_of(source)
        made = server.made[number_in(frame.image)]
        assert made - 1.0 < frame.monotonic < made + 1.0


def test_a_backlog_is_dropped_up_to_the_newest_key_frame(frame_of, serve, live, until):
    """Pictures that come later than max_lag_seconds are dropped and counted, and the lag is over."""
    server = serve("rtsp", fps=100)
    source = live(server.url, max_lag_seconds=0.5)
    frame_of(source)
    decoded, dropped = source.status.decoded, source.status.dropped
    server.held.set()
    held = server.number
    until(lambda: server.number > held + 200, "pictures are held up for two seconds")
    server.held.clear()
    until(lambda: source.status.dropped >= dropped + 50, "pictures are dropped")
    until(lambda: source.status.lag_seconds < 0.5, "the lag is over")
    assert source.status.decoded - decoded < server.number - held
    frame_of(source)


def test_another_size_in_the_running_stream_is_another_frame_size(frame_of, serve, live, until, number_in):
    """Frames have the stream's own size, before and after; nothing is scaled, and the connection is the same."""
    server = serve("rtsp")
    source = live(server.url)
    kept = frame_of(source)
    number = number_in(kept.image)
    assert kept.size == (160, 120)
    server.size = (320, 240)
    until(lambda: (frame := source.read(1.0)) and frame.size == (320, 240), "frames have the new size")
    later = frame_of(source)
    assert later.size == (320, 240)
    assert number_in(later.image) > number == number_in(kept.image)
    assert server.played == 1


@pytest.mark.parametrize("shift", [3600.0, -3600.0, 2**32 / 90_000 - 1.0])
def test_times_that_jump_or_wrap_do_no_harm(frame_of, serve, live, until, shift):
    """Frames keep coming, with times that grow strictly and are those of now; nothing is dropped for it."""
    server = serve("rtsp")
    if shift > 3600:
        server.stamp_shift = shift  # wraps around after a second
    source = live(server.url, max_lag_seconds=2.0)
    first = frame_of(source)
    server.stamp_shift = shift
    until(lambda: server.made and server.number > 70, "pictures are sent")
    frames = [first, *(frame_of(source) for _ in range(10))]
    assert all(earlier.monotonic < later.monotonic for earlier, later in pairwise(frames))
    assert time.monotonic() - 5.0 < frames[-1].monotonic <= time.monotonic()
    assert source.status.skipped == ""
    assert server.played == 1


def test_lost_packets_are_counted(frame_of, serve, live, until):
    """A stream of which packets are missing gives frames, and the status says how many of them may have faults."""
    server = serve("rtsp")
    server.loss = 0.05
    source = live(server.url)
    frame_of(source)
    until(lambda: source.status.lost_packets > 3, "lost packets are counted")
    until(lambda: source.status.corrupt_share > 0.2, "pictures with faults are counted")


def test_rtsp_over_udp(frame_of, serve, live, number_in):
    """With transport = "udp" the camera is asked for UDP, and with the default for TCP."""
    server = serve("rtsp")
    over_udp = live(server.url, transport="udp")
    first, second = frame_of(over_udp), frame_of(over_udp)
    assert number_in(second.image) > number_in(first.image)
    over_udp.close()
    frame_of(live(server.url))
    assert ["client_port" in transport for transport in server.transports] == [True, False]


@pytest.mark.parametrize("kind", ["mjpeg", "rtsp"])
def test_certificates_are_verified(frame_of, serve, live, until, make_certificate, kind):
    """A certificate that nobody known has signed is refused; ``ca_file`` or ``verify = false`` accept it."""
    certificate = make_certificate("camera")
    server = serve(kind, certificate=certificate)
    refused = live(server.url)
    until(lambda: "the certificate of localhost" in refused.status.problem, "the certificate is refused")
    assert "set `ca_file`" in refused.status.problem
    refused.close()
    frame_of(live(server.url, ca_file=certificate[0]))
    frame_of(live(server.url, verify=False))


def test_a_reader_dies_with_the_daemon(serve, until):
    """After a SIGKILL of the process that started it, the reader is gone too, and with it the shared memory."""
    server = serve("rtsp")
    program = (
        "import sys; from edge.capture.live.source import LiveSource; from edge.config.schema import CameraConfig\n"
        "source = LiveSource(CameraConfig(id='cam', source=sys.argv[1])); source.start(); source.read(60.0)\n"
        "print(source.status.reader_pid, flush=True); source.read(1.0); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        reader = psutil.Process(int(process.stdout.readline()))
        assert reader.is_running()
        os.kill(process.pid, signal.SIGKILL)
    until(lambda: not reader.is_running() or reader.status() == psutil.STATUS_ZOMBIE, "the reader is gone")

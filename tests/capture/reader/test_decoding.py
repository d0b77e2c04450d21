"""Decoding of real packets: which are decoded when pictures lag, after a loss, and at the start."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from support.camera_servers import shown_number
from support.rtsp_server import encoded

from edge.capture.reader import decoding as module
from edge.capture.reader.decoding import BgrConversion, DecodedPicture, Decoding, set_time
from edge.capture.reader.effort import Effort
from edge.capture.reader.messages import ReaderSettings
from edge.capture.reader.packet_queue import PacketQueue, QueuedPacket
from edge.capture.reader.progress import Progress
from edge.capture.reader.stream_clock import StreamClock

KEY_INTERVAL = 25
SETTINGS = ReaderSettings("rtsp://host/", "tcp", True, "", None, 1.0, True, False, 1.0, 1.0)


class Run:
    """A decoder whose packets the test puts in, with the pictures that it gives."""

    def __init__(self, settings: ReaderSettings = SETTINGS) -> None:
        self.queue, self.clock = PacketQueue(), StreamClock()
        self.progress = Progress(os.eventfd(0, os.EFD_NONBLOCK), time.monotonic())
        self.shown: list[int] = []
        self.progress.put = self._note  # type: ignore[method-assign]
        stream: Any = SimpleNamespace(codec_context=av.CodecContext.create("h264", "r"))
        self.decoding = Decoding(stream, settings, self.queue, self.clock, self.progress)

    def _note(self, picture: Any) -> None:
        width, height = picture.size
        pixels = bytearray(width * height * 3)
        picture.write(memoryview(pixels))
        self.shown.append(shown_number(np.frombuffer(pixels, np.uint8).reshape(height, width, 3)))

    def put(self, number: int, age: float, *, after_loss: bool = False) -> None:
        """Put the packet of a picture that was taken ``age`` seconds ago into the queue."""
        data = b"".join(b"\0\0\0\1" + unit for unit in encoded((160, 120), KEY_INTERVAL)[number])
        packet: Any = av.Packet(data)
        position = time.monotonic() - age
        set_time(packet, position)
        self.queue.put(QueuedPacket(packet, position, number % KEY_INTERVAL == 0, len(data), after_loss))

    def all(self) -> Progress:
        """Decode what is in the queue."""
        while self.queue.waits():
            self.decoding.step()
        return self.progress


def test_decoding_begins_with_a_key_frame():
    """Packets before the first key frame are passed over and counted; the report says since when it waits."""
    run = Run()
    for number in range(20, 24):
        run.put(number, 0.0)
    report = run.all().report
    assert (report.pictures, report.dropped, report.decoded) == (4, 4, 0)
    assert report.waiting_for_key_since is not None
    for number in range(25, 28):
        run.put(number, 0.0)
    report = run.all().report
    assert run.shown == [25, 26, 27]
    assert report.waiting_for_key_since is None
    assert (report.pictures, report.dropped, report.decoded) == (7, 4, 3)


def test_pictures_that_lag_are_dropped_up_to_the_newest_key_frame():
    """Of three seconds of backlog only what follows the newest key frame is decoded."""
    run = Run()
    for number in range(80):
        run.put(number, 3.0)
    report = run.all().report
    assert run.shown[0] == 75
    assert report.dropped >= 74
    assert report.lag > 2.0
    assert report.effort == Effort.REFERENCE.value


def test_a_queue_that_overflows_is_lag():
    """Large pictures fill it before they are late: less is decoded, from the next key frame on."""
    run = Run()
    run.queue = run.decoding._queue = PacketQueue(most_bytes=1)
    for number in range(10):
        run.put(number, 0.0)
    report = run.all().report
    assert (report.pictures, report.dropped, report.decoded) == (10, 10, 0)
    assert report.effort == Effort.REFERENCE.value
    run.put(25, 0.0)
    assert run.all().report.decoded == 1


def test_without_a_key_frame_to_go_to_the_backlog_is_decoded():
    """Nothing newer could be shown for it; less is decoded until it is gone."""
    run = Run()
    run.put(0, 0.0)
    for number in range(1, 20):
        run.put(number, 2.0)
    report = run.all().report
    assert run.shown == list(range(20))
    assert report.effort == Effort.REFERENCE.value


def test_pictures_that_were_late_before_they_came_end_the_connection(monkeypatch):
    """When nothing waits here for a while, to decode less does not help: a new connection may."""
    paused = Run()
    paused.put(0, module.MOST_UPSTREAM_LAG + 1)
    assert paused.all().take_end() is None
    monkeypatch.setattr(module, "HELD_UP_SECONDS", 0.0)
    run = Run()
    run.put(0, module.MOST_UPSTREAM_LAG + 1)
    ended = run.all().take_end()
    assert ended is not None
    assert ended.late
    assert "lower its bit rate" in ended.problem
    assert run.progress.report.effort == Effort.FULL.value


def test_after_a_loss_pictures_are_suspect_up_to_the_next_key_frame():
    """They are decoded and handed over, and count as corrupt."""
    run = Run()
    for number in range(30):
        if number != 10:
            run.put(number, 0.0, after_loss=number == 11)
    report = run.all().report
    assert report.decoded == 29
    assert report.corrupt == 14  # 11 to 24
    assert run.shown[-1] == 29


def test_data_that_is_no_picture_is_an_error_and_no_end():
    """A damaged packet is counted, and the pictures after the next key frame are good."""
    run = Run()
    run.put(0, 0.0)
    bad: Any = av.Packet(b"\0\0\0\1" + b"\x65" + bytes(200))
    set_time(bad, time.monotonic())
    run.queue.put(QueuedPacket(bad, time.monotonic(), False, 205))
    run.put(25, 0.0)
    report = run.all().report
    assert run.shown[-1] == 25
    assert report.errors + report.corrupt >= 1


@pytest.mark.parametrize("fps", [5.0, 10.0])
def test_the_rate_of_the_configuration_is_kept(fps):
    """All is decoded, because later pictures depend on it, and what the rate leaves out is not handed over."""
    run = Run(ReaderSettings("rtsp://host/", "tcp", True, "", fps, 20.0, True, False, 1.0, 1.0))
    for number in range(50):
        run.put(number, 2.0 - number / 25)
    report = run.all().report
    assert report.decoded == 50
    assert abs(len(run.shown) - 2 * fps) <= 1
    assert report.dropped == 0


def test_key_frames_alone_come_at_once():
    """At the lowest effort a key frame does not wait in the decoder for pictures that are not decoded."""
    run = Run()
    run.decoding._effort.effort = Effort.KEY_FRAMES
    for number in (0, 1, 25, 26, 50):
        run.put(number, 0.0)
        run.all()
        assert run.shown[-1] == number // KEY_INTERVAL * KEY_INTERVAL
    report = run.progress.report
    assert (report.decoded, report.dropped) == (3, 2)
    assert report.waiting_for_key_since is None


def test_pictures_that_are_too_large_are_refused(monkeypatch):
    """A stream that claims a size beyond all cameras takes no memory; it is counted as errors."""
    monkeypatch.setattr(module, "_MOST_PIXELS", 100 * 100)
    run = Run()
    run.put(0, 0.0)
    report = run.all().report
    assert (report.decoded, run.shown) == (0, [])
    assert report.errors == 1


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj422p", "yuyv422", "nv12", "gray", "bgr24"])
@pytest.mark.parametrize("size", [(50, 34), (64, 48)])
def test_pictures_of_every_format_become_bgr(pixel_format, size):
    """The rows have no padding, and the colours are those of the picture."""
    width, height = size
    colours = np.zeros((height, width, 3), np.uint8)
    colours[: height // 2], colours[height // 2 :] = (200, 60, 60), (40, 40, 190)
    frame = av.VideoFrame.from_ndarray(colours, format="bgr24").reformat(format=pixel_format)
    pixels = bytearray(width * height * 3)
    DecodedPicture(frame, 0.0, 0, BgrConversion()).write(memoryview(pixels))
    written = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
    expected = colours if pixel_format != "gray" else frame.to_ndarray(format="bgr24")
    for row in (3, height - 4):
        assert np.abs(written[row, 4:-4].astype(int) - expected[row, 4:-4].astype(int)).max() <= 6

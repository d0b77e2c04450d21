"""Runs one connection to a camera: opens it, receives its packets, and lets another thread decode them."""

from __future__ import annotations

import re
import threading
import time
import traceback
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.logging

from edge.capture.reader import csi_camera
from edge.capture.reader.decoding import SKIP_FRAME, Decoding, set_time
from edge.capture.reader.effort import EffortControl
from edge.capture.reader.messages import Ended
from edge.capture.reader.open_stream import has_times, is_device, open_container
from edge.capture.reader.packet_queue import PacketQueue, QueuedPacket
from edge.capture.reader.problems import (
    UnusableStreamError,
    host_and_port,
    no_video,
    reason,
    try_host,
    unknown_codec,
)
from edge.capture.reader.stream_clock import StreamClock
from edge.core.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from edge.capture.reader.messages import ReaderSettings
    from edge.capture.reader.problems import LogLines
    from edge.capture.reader.progress import Progress

# How FFmpeg says that RTP packets are missing.
_MISSED = re.compile(r"RTP: missed (\d+) packets")
_ENDED = "the stream ended: is the camera restarting?"
_PLAYED = "the file was played to its end{}; to play it again and again write ?loop=1&realtime=1"
_UNREADABLE = ", and {} places of it could not be read"
_BROKE_OFF = "the connection broke off: is the camera restarting, is the network up?"


class CameraConnection:
    """A connection from its opening to its end, of which ``progress`` learns."""

    def __init__(self, settings: ReaderSettings, progress: Progress) -> None:
        self._settings = settings
        self.progress = progress
        self._stopping = threading.Event()
        self._queue = PacketQueue()
        self._threads = [threading.Thread(target=self._guard, args=(self._run,), name="receive", daemon=True)]

    def start(self) -> None:
        """Begin to open the camera; returns at once."""
        self._threads[0].start()

    def stop(self) -> None:
        """Begin to close the connection; returns at once."""
        self._stopping.set()
        self._queue.close()

    def join(self, timeout: float) -> None:
        """Wait until the connection is closed, or the time is over."""
        self._threads[0].join(timeout)

    def _guard(self, work: Callable[[], None]) -> None:
        """Run the function of a thread; an error that nobody expected ends the connection."""
        try:
            work()
        except Exception as error:  # its text may hold the address
            places = "".join(traceback.format_tb(error.__traceback__))
            self.progress.end(Ended("the reader failed", unexpected=f"{places}{type(error).__name__}"))

    def _run(self) -> None:
        if self._settings.clip:
            self.progress.end(self._play())
            return
        with av.logging.Capture() as logs:
            try:
                self._read(logs)
                problem = _ENDED
            except (av.FFmpegError, OSError, UnusableStreamError) as error:
                broke_off = self.progress.report.packet_at is not None and not is_device(self._settings.address)
                problem = _BROKE_OFF if broke_off else reason(error, logs, self._settings)
        self.progress.end(Ended(problem))

    def _read(self, logs: LogLines) -> None:
        """Open the camera and read it to its end."""
        if csi_camera.is_csi(self._settings.address):
            csi_camera.read_csi(self._settings, self.progress, self._stopping)
            return
        if self._settings.probe or is_device(self._settings.address):
            try_host(self._settings)
        with open_container(self._settings) as container:
            now = time.monotonic()
            if self.progress.report.connected_at is None:
                self.progress.note(connected_at=now)
            stream = self._choose(container)
            trusted = self._settings.trust_times and has_times(container)
            clock = StreamClock(trusted=trusted)
            self.progress.note(answered=True, codec=stream.codec_context.name)
            decoding = Decoding(stream, self._settings, self._queue, clock, self.progress)
            decoder = threading.Thread(target=self._guard, args=(decoding.run,), name="decode", daemon=True)
            decoder.start()
            try:
                self._receive(container, stream, clock, logs)
            finally:
                self._queue.close()

    def _play(self) -> Ended:
        """Play a video file like a camera; returns its end."""
        # OpenCV, which turns pictures upright, is loaded only here.
        from edge.capture.clips.playback import ClipPlayer

        settings, progress = self._settings, self.progress
        player = ClipPlayer(
            Path(settings.address),
            loop=settings.loop,
            fps=settings.fps,
            max_lag_seconds=settings.max_lag_seconds,
            wait=self._stopping.wait,
        )
        first = progress.report.pictures
        # Nobody reads FFmpeg's messages here, and those of several decoding threads would wait for each other.
        av.logging.set_level(None)
        with closing(player):
            try:
                codec = player.start()
                progress.note(connected_at=time.monotonic(), answered=True, codec=codec)
                effort = EffortControl(time.monotonic())
                failures = 0
                for picture in player.pictures():
                    now = time.monotonic()
                    progress.count(pictures=1, decoded=1, errors=player.failures - failures)
                    progress.note(packet_at=now, key_frame_at=now, decoded_at=now, captured=picture.captured)
                    progress.note(lag=round(picture.lag, 3))
                    failures = player.failures
                    late = picture.lag > settings.max_lag_seconds
                    if effort.lagging(now) if late else effort.keeping_up(now):
                        player.skip(SKIP_FRAME[effort.effort])
                        progress.note(effort=effort.effort.value)
                    if picture.wanted:
                        progress.put(replace(picture, sequence=first + picture.sequence))
            except SourceError as error:
                return Ended(str(error))
        unreadable = _UNREADABLE.format(player.failures) if player.failures else ""
        return Ended(_PLAYED.format(unreadable), finished=True)

    def _choose(self, container: InputContainer) -> VideoStream:
        """The stream to read. Raises ``UnusableStreamError``."""
        where = self._settings.address
        if not is_device(where):
            where = "{}:{}".format(*host_and_port(where))
        if not container.streams.video:
            raise UnusableStreamError(no_video([stream.type for stream in container.streams], where))
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise UnusableStreamError(unknown_codec("", where))
        return stream

    def _receive(self, container: InputContainer, stream: VideoStream, clock: StreamClock, logs: LogLines) -> None:
        """Put packets into the queue as they arrive, until the stream ends or the connection is to be closed."""
        for packet in container.demux(stream):
            now = time.monotonic()
            if self._stopping.is_set():
                return
            if not packet.size:  # the end of the stream
                return
            lost = sum(int(match[1]) for _, _, line in logs if (match := _MISSED.match(line)))
            if lost:
                self.progress.count(lost_packets=lost)
            logs.clear()
            self.progress.note(packet_at=now)
            stamp = packet.dts if packet.pts is None else packet.pts
            seconds = None if stamp is None or packet.time_base is None else float(stamp * packet.time_base)
            position = clock.position(seconds, now)
            set_time(packet, position)
            self._queue.put(QueuedPacket(packet, position, packet.is_keyframe, packet.size, lost > 0))

"""Decodes the packets of a stream in a thread of its own, and keeps its pictures from falling behind."""

from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import av.logging
from av.video.reformatter import VideoReformatter

from edge.capture.reader.effort import Effort, EffortControl
from edge.capture.reader.messages import Ended
from edge.core.pacer import Pacer

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.video.stream import VideoStream

    from edge.capture.clips.clip_decoder import SkippedPictures
    from edge.capture.reader.messages import ReaderSettings
    from edge.capture.reader.packet_queue import PacketQueue, QueuedPacket
    from edge.capture.reader.progress import Progress
    from edge.capture.reader.stream_clock import StreamClock

# Packets get times on the stream's clock, so that the decoder hands them on with the pictures in their right order.
TIME_BASE = Fraction(1, 1_000_000)
_BGR_CHANNELS = 3
# Formats from which FFmpeg converts slowly, and those with the same values in planes of their own, from which it is
# quick: 1.2 instead of 3.7 ms for a USB camera's picture of 1080p, as quick as OpenCV.
_PLANAR = {"yuyv422": "yuv422p", "uyvy422": "yuv422p", "nv12": "yuv420p", "nv21": "yuv420p"}
# Seconds of lag that arose before the packets came here, after which a new connection is to end it.
MOST_UPSTREAM_LAG = 10.0
# Seconds for which it must last: a pause of the network is over at once.
HELD_UP_SECONDS = 5.0
# Larger pictures are refused by the decoder: 8K, of which three in BGR are 300 MB.
_MOST_PIXELS = 7680 * 4320
_HELD_UP = (
    "pictures arrive {:.0f} s after they were taken: the network or the camera is too slow for its stream; lower its"
    " bit rate or frame rate"
)
# What FFmpeg's decoder leaves out.
SKIP_FRAME: dict[Effort, SkippedPictures] = {
    Effort.FULL: "DEFAULT",
    Effort.REFERENCE: "NONREF",
    Effort.KEY_FRAMES: "NONKEY",
}


class BgrConversion:
    """Converts pictures to BGR. Used by one thread."""

    def __init__(self) -> None:
        # A reformatter is quick as long as the formats stay the same.
        self._unpack, self._convert = VideoReformatter(), VideoReformatter()

    def convert(self, frame: VideoFrame) -> VideoFrame:
        """The picture in BGR."""
        planar = _PLANAR.get(frame.format.name)
        if planar is not None:
            frame = self._unpack.reformat(frame, format=planar, threads=1)
        return self._convert.reformat(frame, format="bgr24", threads=1)


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """A picture as the decoder gave it; the conversion to BGR waits until the daemon wants the picture."""

    frame: VideoFrame
    captured: float
    sequence: int
    to_bgr: BgrConversion

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.frame.width, self.frame.height

    def write(self, target: memoryview) -> None:
        """Convert the picture to BGR into ``target``."""
        plane = self.to_bgr.convert(self.frame).planes[0]
        row, width = plane.line_size, self.frame.width * _BGR_CHANNELS
        with memoryview(plane) as source:
            if row == width:
                target[:] = source[: len(target)]
                return
            for number in range(self.frame.height):
                target[number * width : (number + 1) * width] = source[number * row : number * row + width]


class Decoding:
    """Takes packets from the queue until it is closed. ``run`` is the thread's function."""

    def __init__(
        self,
        stream: VideoStream,
        settings: ReaderSettings,
        queue: PacketQueue,
        clock: StreamClock,
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._queue = queue
        self._clock = clock
        self._progress = progress
        self._pacer = Pacer(settings.fps)
        progress.note(waiting_for_key_since=time.monotonic())
        # It has the parameters that the container knows, and is opened with the first packet.
        self._decoder: Any = stream.codec_context
        # With more threads FFmpeg holds back as many pictures as it has threads, and each comes that much later.
        self._decoder.thread_count = 1
        self._decoder.options = {"max_pixels": str(_MOST_PIXELS)}
        self._intra_only = self._decoder.codec.intra_only
        self._effort = EffortControl(time.monotonic())
        self._to_bgr = BgrConversion()
        self._waiting_for_key = True
        self._damaged = False  # data is missing since the last key frame
        self._held_up_since: float | None = None
        self._sequence = -1  # of the last picture

    def run(self) -> None:
        """Decode until the queue is closed."""
        while self.step():
            pass

    def step(self) -> bool:
        """Handle the next packet; waits for it. False when the queue is closed."""
        queued = self._queue.get()
        if queued is None:
            return False
        now = time.monotonic()
        self._account_overflow(now)
        self._progress.count(pictures=1)
        if not self._limit_lag(queued, now) and self._is_decodable(queued, now):
            self._decode(queued)
        else:
            self._progress.count(dropped=1)
        return True

    def _account_overflow(self, now: float) -> None:
        dropped = self._queue.take_overflow()
        if dropped:
            self._progress.count(pictures=dropped, dropped=dropped)
            # The queue is full before a second has passed where pictures are large: that is lag too.
            if self._effort.lagging(now):
                self._apply_effort()
            self._wait_for_key(now)

    def _limit_lag(self, queued: QueuedPacket, now: float) -> bool:
        """Drop to the newest key frame when pictures lag, and choose the effort; whether ``queued`` is dropped too."""
        lag = self._clock.lag(queued.position, now)
        self._progress.note(lag=round(lag, 3))
        if lag <= self._settings.max_lag_seconds:
            self._held_up_since = None
            if self._effort.keeping_up(now):
                self._apply_effort()
            return False
        dropped = self._queue.drop_to_newest_key_frame()
        if dropped or self._queue.waits():
            if self._effort.lagging(now):
                self._apply_effort()
            self._held_up_since = None
        elif lag > MOST_UPSTREAM_LAG:
            # Nothing waits here, so to decode less would not help.
            self._held_up_since = self._held_up_since or now
            if now - self._held_up_since >= HELD_UP_SECONDS:
                self._progress.end(Ended(_HELD_UP.format(lag), late=True))
        if not dropped:
            return False
        self._progress.count(pictures=dropped - 1, dropped=dropped - 1)
        self._wait_for_key(now)
        return True

    def _is_decodable(self, queued: QueuedPacket, now: float) -> bool:
        """Whether the packet can be decoded."""
        self._damaged = queued.after_loss or (self._damaged and not queued.key)
        if queued.key:
            self._waiting_for_key = False
            self._progress.note(key_frame_at=now, waiting_for_key_since=None)
            return True
        if self._effort.effort is Effort.KEY_FRAMES:
            self._wait_for_key(now)
        return not self._waiting_for_key

    def _wait_for_key(self, now: float) -> None:
        if not self._waiting_for_key:
            self._waiting_for_key = True
            self._progress.note(waiting_for_key_since=now)
            self._decoder.flush_buffers()

    def _decode(self, queued: QueuedPacket) -> None:
        # Where each picture stands alone, those that the rate leaves out need not be decoded.
        if self._intra_only and not self._pacer.takes(self._clock.taken(queued.position)):
            return
        with av.logging.Capture() as logs:
            try:
                frames = self._decoder.decode(queued.packet)
                if self._effort.effort is Effort.KEY_FRAMES:
                    # Without the pictures between them, key frames would come out of the decoder late.
                    frames = [*frames, *self._decoder.decode(None)]
                    self._decoder.flush_buffers()
            except (av.FFmpegError, ValueError):
                self._progress.count(errors=1)
                return
        faulty = any(level <= av.logging.ERROR for level, _, _ in logs)
        if faulty and not frames:
            self._progress.count(errors=1)
        for frame in frames:
            self._hand_over(frame, corrupt=faulty or self._damaged or frame.is_corrupt)

    def _hand_over(self, frame: VideoFrame, *, corrupt: bool) -> None:
        now = time.monotonic()
        position = now if frame.pts is None else float(frame.pts * TIME_BASE)
        captured = min(self._clock.taken(position), now)
        self._sequence = max(self._progress.report.pictures - 1, self._sequence + 1)
        self._progress.count(decoded=1, corrupt=int(corrupt))
        self._progress.note(decoded_at=now, captured=captured)
        if self._intra_only or self._pacer.takes(captured):
            self._progress.put(DecodedPicture(frame, captured, self._sequence, self._to_bgr))

    def _apply_effort(self) -> None:
        self._decoder.skip_frame = SKIP_FRAME[self._effort.effort]
        self._progress.note(effort=self._effort.effort.value)


def set_time(packet: Packet[VideoStream], position: float) -> None:
    """Give a packet its time on the stream's clock."""
    packet.pts = packet.dts = round(position / TIME_BASE)
    packet.time_base = TIME_BASE

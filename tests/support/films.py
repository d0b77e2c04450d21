"""Films of the simulated ramp for camera servers: drawn and encoded once, shown in a loop, with the truth about them.

A film begins and ends with an empty ramp, so that it can be repeated. What it shows at a moment is set by the clock
alone: the traffic goes on while its camera is dead, and two films of the same traffic show the same vehicles at the
same moment, whatever their size, rate and codec.
"""

from __future__ import annotations

import math
import pickle
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.events import Direction
    from edge.simulator.scene import SceneParameters

ENCODERS = {"h264": ("libx264", "x264-params"), "hevc": ("libx265", "x265-params")}
JPEG_QUALITY = 85


@dataclass(frozen=True)
class Film:
    """Pictures at ``fps``; ``pictures`` are lists of NAL units, or each a JPEG alone where the codec is ``mjpeg``.

    Every ``key_interval``-th picture is a key picture, and their number is a multiple of it.
    """

    codec: str
    size: tuple[int, int]
    fps: int
    key_interval: int
    pictures: list[list[bytes]]

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.pictures) / self.fps

    def save(self, path: Path) -> Path:
        """Write it to a file, which Pythons of other versions can read."""
        path.write_bytes(pickle.dumps(asdict(self), protocol=4))
        return path

    @classmethod
    def load(cls, path: Path) -> Film:
        """Read it from a file."""
        return cls(**pickle.loads(path.read_bytes()))


def make_film(
    traffic: SceneParameters, codec: str = "h264", size: tuple[int, int] | None = None, fps: int | None = None
) -> Film:
    """Draw and encode ``traffic``, which has an end; a key picture every two seconds, or each picture."""
    import cv2

    from edge.simulator.scene import Scene

    width, height = size or (traffic.width, traffic.height)
    rate = fps or round(traffic.fps)
    scene = Scene(replace(traffic, width=width, height=height, fps=rate))
    images = [scene.render(number / rate) for number in range(round(traffic.seconds * rate))]
    key_interval = 1 if codec == "mjpeg" else 2 * rate
    if codec == "mjpeg":
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        pictures = [[cv2.imencode(".jpg", image, quality)[1].tobytes()] for image in images]
    else:
        pictures = encode(images, codec, rate, key_interval)
    return Film(codec, (width, height), rate, key_interval, pictures)


def encode(images: Any, codec: str, fps: int, key_interval: int) -> list[list[bytes]]:
    """The NAL units of each picture; parameter sets come with every key picture."""
    import av

    name, key = ENCODERS[codec]
    encoder: Any = av.CodecContext.create(name, "w")
    height, width = images[0].shape[:2]
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    threads = "threads=1" if codec == "h264" else "pools=1:frame-threads=1:log-level=none"
    options = f"repeat-headers=1:scenecut=0:keyint={key_interval}:min-keyint={key_interval}:{threads}"
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", key: options}
    packets: list[bytes] = []
    for number, image in enumerate(images):
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts = number
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    assert len(packets) == len(images)
    return [nal_units(packet) for packet in packets]


def nal_units(stream: bytes) -> list[bytes]:
    """The NAL units of a stream of bytes with start codes (Annex B of H.264)."""
    return [unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1") if unit.strip(b"\0")]


@dataclass(frozen=True)
class Truth:
    """The crossings of traffic that is repeated from ``epoch`` (seconds of any clock) on."""

    epoch: float
    seconds: float
    crossings: tuple[tuple[Direction, float], ...]

    @classmethod
    def of(cls, traffic: SceneParameters, epoch: float) -> Truth:
        """The truth about a film of that traffic that is repeated."""
        from edge.simulator.scene import Scene

        found = Scene(traffic).crossings(traffic.seconds)
        return cls(epoch, traffic.seconds, tuple((crossing.direction, crossing.at) for crossing in found))

    def between(self, first: float, last: float) -> list[tuple[Direction, float]]:
        """The crossings from ``first`` to ``last``, on the clock of the epoch, in order of time."""
        rounds = range(math.floor((first - self.epoch) / self.seconds), math.ceil((last - self.epoch) / self.seconds))
        times = [
            (direction, self.epoch + number * self.seconds + at)
            for number in rounds
            for direction, at in self.crossings
        ]
        return [(direction, at) for direction, at in times if first <= at <= last]

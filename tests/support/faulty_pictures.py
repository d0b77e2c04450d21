"""Makes pictures of cameras with faults, from real and simulated frames, and runs the checks of pictures over them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from edge.config.picture import PictureConfig
from edge.config.schema import CameraConfig
from edge.core.frames import Frame
from edge.picture.watch import PictureWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from edge.core.frames import Image

START = datetime(2026, 5, 4, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Change:
    """A state that began or ended: the code, when this was noticed, and when it began or ended."""

    code: str
    begins: bool
    noticed: float
    at: float


def watch_pictures(
    pictures: Iterable[tuple[float, Image]],
    watch: PictureWatch | None = None,
    *,
    config: PictureConfig | None = None,
    corrupt_share: Callable[[float], float] = lambda at: 0.0,
) -> list[Change]:
    """Give pictures, with their seconds, to the checks; every state that began or ended."""
    if watch is None:
        watch = new_watch(config)
    lasting = {state.code.value: state.since_monotonic for state in watch.states}
    changes = []
    for at, image in pictures:
        watch.add(Frame(image, START + timedelta(seconds=at), at, 0), corrupt_share=corrupt_share(at))
        now = {state.code.value: state.since_monotonic for state in watch.states}
        changes += [Change(code, True, at, since) for code, since in now.items() if code not in lasting]
        changes += [Change(code, False, at, watch.usable_since or at) for code in lasting if code not in now]
        lasting = now
    return changes


def new_watch(config: PictureConfig | None = None, **keys: Any) -> PictureWatch:
    """The checks of a camera ``cam``, which are not about the rate of its frames unless a ``least_rate`` is given."""
    keys = {"least_rate": 0.0, **keys}
    return PictureWatch(CameraConfig(id="cam", source="rtsp://10.0.0.5/"), config or PictureConfig(), **keys)


def begun(changes: Sequence[Change]) -> list[str]:
    """The codes of the states that began, in order."""
    return [change.code for change in changes if change.begins]


def clip_pictures(path: Path, every: float = 0.5, seconds: float = 1e9) -> list[tuple[float, Image]]:
    """The frames of a clip, one each ``every`` seconds, up to ``seconds``."""
    found: list[tuple[float, Image]] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        first: float | None = None
        for frame in container.decode(stream):
            at = float((frame.pts or 0) * (stream.time_base or Fraction(1)))
            first = at if first is None else first
            if at - first > seconds:
                break
            if not found or at - first >= found[-1][0] + every - 0.001:
                found.append((at - first, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)))
    return found


def damaged_clip(path: Path, share: float, kind: str, seconds: float = 1e9, seed: int = 1) -> list[tuple[float, Image]]:
    """A clip of whose packets a share was lost (``drop``), or has wrong bits (``flip``), as the decoder shows it."""
    chance = random.Random(seed)
    found: list[tuple[float, Image]] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder: Any = av.CodecContext.create(stream.codec_context.name, "r")
        decoder.extradata = stream.codec_context.extradata
        for number, packet in enumerate(container.demux(stream)):
            at = float((packet.pts or 0) * (stream.time_base or Fraction(1)))
            if packet.size == 0 or at > seconds:
                continue
            data = bytearray(bytes(packet))
            if number > 0 and chance.random() < share:
                if kind == "drop":
                    continue
                for _ in range(max(1, len(data) // 1500)):
                    data[chance.randrange(min(60, len(data) - 1), len(data))] ^= 1 << chance.randrange(8)
            sent = av.Packet(bytes(data))
            sent.pts, sent.dts, sent.time_base = packet.pts, packet.dts, packet.time_base
            try:
                found += [
                    (float((frame.pts or 0) * (stream.time_base or Fraction(1))), frame.to_ndarray(format="bgr24"))
                    for frame in decoder.decode(sent)
                ]
            except av.FFmpegError:
                continue
    return found


def repeated(
    pictures: Sequence[tuple[float, Image]],
    seconds: float,
    fault: Callable[[Image, float], Image] = lambda image, at: image,
    begins: float = 1e9,
    ends: float = 1e9,
    every: float = 0.5,
) -> Iterator[tuple[float, Image]]:
    """Pictures forwards and backwards again and again, one each ``every`` seconds, with a fault for some time."""
    images = [image for _, image in pictures]
    loop = images + images[-2:0:-1]
    for number in range(round(seconds / every)):
        at, image = number * every, loop[number % len(loop)]
        yield at, fault(image, at) if begins <= at < ends else image


class Faults:
    """The faults of cameras, each a function of the picture and the time. Every fault has the noise of a sensor."""

    def __init__(self, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        self._frozen: Image | None = None

    def frozen(self, image: Image, at: float) -> Image:
        """Always the first picture."""
        self._frozen = image if self._frozen is None else self._frozen
        return self._frozen

    def black(self, image: Image, at: float) -> Image:
        """A lens with its cap on."""
        return self._noisy(np.full(image.shape, 5.0, np.float32), 3.0)

    def covered(self, image: Image, at: float) -> Image:
        """A hand in front of the lens: an even colour that is brighter on one side."""
        height, width = image.shape[:2]
        grey = np.linspace(20, 70, width, dtype=np.float32)[None, :, None]
        grey = grey + np.linspace(0, 25, height, dtype=np.float32)[:, None, None]
        return self._noisy(grey * np.array([0.7, 0.8, 1.1], np.float32), 4.0)

    def washed_out(self, image: Image, at: float) -> Image:
        """Far too long an exposure."""
        return self._noisy(image.astype(np.float32) * 2 + 150, 1.0)

    def blurred(self, image: Image, at: float) -> Image:
        """Out of focus: about five pixels of a picture of 640."""
        return cv2.GaussianBlur(image, (0, 0), 0.005 * image.shape[1]).astype(np.uint8)

    def bumped(self, image: Image, at: float) -> Image:
        """Shifted by 5 %."""
        return moved(image, shift=(0.05, 0.01))

    def turned(self, image: Image, at: float) -> Image:
        """Turned by 3 degrees."""
        return moved(image, degrees=3)

    def turned_away(self, image: Image, at: float) -> Image:
        """Shifted by 15 %."""
        return moved(image, shift=(0.15, 0.03))

    def smeared(self, image: Image, at: float) -> Image:
        """The last whole row of blocks goes on down to the end."""
        image = image.copy()
        from_row = image.shape[0] // 2 // 16 * 16
        image[from_row:] = 128
        return image

    def _noisy(self, values: np.ndarray, deviation: float) -> Image:
        shape = values.shape[:2]
        noise = self._random.standard_normal((*shape, 1), np.float32) * np.float32(deviation)
        return np.clip(values + noise, 0, 255).astype(np.uint8) * np.ones(3, np.uint8)


# Which state each fault is to begin.
EXPECTED = {
    "frozen": "frozen",
    "black": "dark",
    "covered": "covered",
    "washed_out": "washed_out",
    "blurred": "blurred",
    "smeared": "corrupt",
    "bumped": "moved",
    "turned": "moved",
    "turned_away": "turned_away",
}


def moved(image: Image, shift: tuple[float, float] = (0.0, 0.0), degrees: float = 0.0, zoom: float = 1.0) -> Image:
    """The picture of a camera that was moved: ``shift`` in shares of width and height, turned about its middle."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
    matrix[:, 2] += (shift[0] * width, shift[1] * height)
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT).astype(np.uint8)


def lorry(image: Image, at: float) -> Image:
    """A lorry that stands in front of the camera and hides four fifths of the picture."""
    image, (height, width) = image.copy(), image.shape[:2]
    left, right, bottom = round(0.1 * width), round(0.9 * width), round(0.95 * height)
    side = np.full((bottom, right - left, 3), (200, 205, 210), np.uint8)
    cv2.rectangle(side, (0, height // 3), (right - left, height // 3 + height // 40), (20, 20, 160), -1)
    for x in (0.15, 0.75):
        cv2.circle(side, (round(x * (right - left)), round(0.93 * bottom)), height // 12, (25, 25, 25), -1)
    image[:bottom, left:right] = cv2.GaussianBlur(side, (0, 0), 1.0)
    return image


class Nuisances:
    """What cameras see and what is no fault, each a function of the picture and the time."""

    def __init__(self, seed: int = 2) -> None:
        self._random = np.random.default_rng(seed)

    def dusk(self, image: Image, at: float) -> Image:
        """It becomes four times darker within a minute and a half."""
        return np.clip(image * max(0.25, 1 - (at - 30) / 120), 0, 255).astype(np.uint8)

    def lamps_off(self, image: Image, at: float) -> Image:
        """Some of the lamps go out at once."""
        return np.clip(image * 0.4, 0, 255).astype(np.uint8)

    def clouds(self, image: Image, at: float) -> Image:
        """The light comes and goes."""
        return np.clip(image * (1 + 0.4 * np.sin(at / 3)), 0, 255).astype(np.uint8)

    def headlights(self, image: Image, at: float) -> Image:
        """Headlights shine into the lens for some seconds in each ten; the camera darkens the rest."""
        if at % 10 > 4:
            return image
        rows, columns = np.mgrid[0 : image.shape[0], 0 : image.shape[1]]
        height, width = image.shape[:2]
        glow = np.exp(
            -(((columns - 0.4 * width) / (0.2 * width)) ** 2) - ((rows - 0.5 * height) / (0.25 * height)) ** 2
        )
        return np.clip(image * 0.5 + 400 * glow[..., None], 0, 255).astype(np.uint8)

    def rain(self, image: Image, at: float) -> Image:
        """Streaks and haze."""
        height, width = image.shape[:2]
        streaks = np.zeros((height, width), np.float32)
        for _ in range(width // 2):
            x, y = int(self._random.integers(width)), int(self._random.integers(height))
            cv2.line(streaks, (x, y), (x + 3, y + height // 16), 60.0, 1)
        return np.clip(image * 0.8 + 20 + streaks[..., None], 0, 255).astype(np.uint8)

    def noise(self, image: Image, at: float) -> Image:
        """The noise of a sensor at night."""
        noise = self._random.standard_normal(image.shape, np.float32) * np.float32(14)
        return np.clip(image + noise, 0, 255).astype(np.uint8)

    def wind(self, image: Image, at: float) -> Image:
        """The mast sways by one percent."""
        return moved(image, shift=(0.01 * np.sin(2.1 * at), 0.0))

    def lorry(self, image: Image, at: float) -> Image:
        """A lorry stands in front of the camera for half a minute in each one."""
        return lorry(image, at) if at % 60 < 30 else image


NUISANCES = ("dusk", "lamps_off", "clouds", "headlights", "rain", "noise", "wind", "lorry")

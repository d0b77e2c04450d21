"""Plays a video file at the speed of its own times, as a live camera would send it, once or for ever."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.capture.clips.clip_decoder import ClipDecoder
from edge.capture.clips.pictures import BgrConverter, Deinterlacer, TimedPicture
from edge.capture.clips.presentation_clock import PresentationClock
from edge.core.errors import SourceError, shown_name
from edge.core.pacer import Pacer
from edge.core.tracks import LONG_GAP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from av import VideoFrame

    from edge.capture.clips.clip_decoder import SkippedPictures

# Seconds between the last picture of a round and the first of the next: after such a gap tracking and counting begin
# anew, so nothing crosses a line by the jump from the end of the file to its beginning. A longer gap in the file, as
# in a recording that was started by motion, is shortened to this.
SEAM_SECONDS = LONG_GAP_SECONDS + 0.5
# For how long the last picture can be taken before the end of the file is reported.
_LAST_PICTURE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class PlayedPicture:
    """A picture at its time; it is converted to BGR when it is written.

    ``captured`` is the monotonic time at which it was due, ``sequence`` counts from 0 through all rounds. ``wanted``:
    the rate takes it. ``lag``: by how many seconds it was decoded after that time; if that was more than the player
    allows, the file goes on later from here.
    """

    picture: VideoFrame
    captured: float
    sequence: int
    wanted: bool
    lag: float
    converter: BgrConverter

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, upright."""
        return self.converter.size_of(self.picture)

    def write(self, target: memoryview) -> None:
        """Write the picture as BGR. Raises ``av.FFmpegError`` or ``ValueError`` for one that cannot be converted."""
        image = self.converter.convert(self.picture)
        np.frombuffer(target, np.uint8).reshape(image.shape)[:] = image


class ClipPlayer:
    """Plays one file. Used by one thread.

    ``failures`` counts what could not be read or decoded since the start.
    """

    def __init__(
        self,
        path: Path,
        *,
        loop: bool,
        fps: float | None,
        max_lag_seconds: float,
        wait: Callable[[float], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``wait`` waits for some seconds of ``clock``, or returns True at once when the playing is to end."""
        self.failures = 0
        self._path = path
        self._loop = loop
        self._max_lag = max_lag_seconds
        self._wait = wait
        self._clock = clock
        self._pacer = Pacer(fps)
        self._decoder = ClipDecoder(path)
        self._sequence = 0  # of the next picture
        self._latest = 0.0  # when the last picture was due
        self._skip: SkippedPictures = "DEFAULT"

    def start(self) -> str:
        """Open the file and return its codec. Raises ``SourceError`` with the path and the remedy."""
        self._decoder.start()
        return self._decoder.codec

    def pictures(self) -> Iterator[PlayedPicture]:
        """Each picture, at its time. It ends after the last picture, or when ``wait`` says so.

        Raises ``SourceError`` when the file holds no picture that can be decoded, and when it is gone at the end of a
        round.
        """
        while True:
            first = self._sequence
            yield from self._round()
            if self._sequence == first and not self._wait(0):
                raise SourceError(f"{shown_name(self._path)}: no frame can be decoded; copy or record it again")
            seconds = SEAM_SECONDS if self._loop else _LAST_PICTURE_SECONDS
            if self._wait(max(self._latest + seconds - self._clock(), 0)) or not self._loop:
                return
            self._decoder.close()
            self._decoder.start()
            self._decoder.skip(self._skip)

    def skip(self, pictures: SkippedPictures) -> None:
        """Choose what is not decoded from here on, also in later rounds."""
        self._skip = pictures
        self._decoder.skip(pictures)

    def close(self) -> None:
        """Release the file."""
        self._decoder.close()

    def _round(self) -> Iterator[PlayedPicture]:
        """The pictures from the beginning of the file to its end."""
        presentation = PresentationClock(self._decoder.info.rate)
        deinterlacer, converter = Deinterlacer(), BgrConverter()
        failed, zero, before = self.failures, 0.0, None
        decoded = (
            TimedPicture(picture, presentation.seconds(at), number, wanted=True)
            for number, (picture, at) in enumerate(self._decoder.pictures())
        )
        for timed in deinterlacer.whole(decoded):
            self.failures = failed + self._decoder.failures + deinterlacer.failures
            if before is None:
                zero = self._clock() - timed.seconds
            elif self._skip == "DEFAULT":
                zero -= max(timed.seconds - before - SEAM_SECONDS, 0.0)
            before = timed.seconds
            lag = self._clock() - (zero + timed.seconds)
            if lag > self._max_lag:
                zero += lag
            self._latest = zero + timed.seconds
            if self._wait(max(-lag, 0.0)):
                return
            yield PlayedPicture(
                timed.picture,
                self._latest,
                self._sequence,
                self._pacer.takes(self._latest),
                max(lag, 0.0),
                converter,
            )
            self._sequence += 1

"""Reads a video file: every frame once, at its own presentation time, independent of the wall clock."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from edge.capture.clips.clip_decoder import ClipDecoder
from edge.capture.clips.pictures import BgrConverter, Deinterlacer, TimedPicture
from edge.capture.clips.presentation_clock import PresentationClock
from edge.core.errors import SourceError, shown_name
from edge.core.frames import Frame
from edge.core.pacer import Pacer
from edge.core.source import EndOfSource, SourceState, SourceStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from edge.config.schema import CameraConfig
    from edge.core.frames import Image

log = logging.getLogger(__name__)

# A clip that does not count its frames is cut off if it ends so many seconds before the length that it claims.
_MISSING_SECONDS = 1.0
# Every n-th row and column is compared to see whether a picture differs from the first.
_SAMPLE_STEP = 4
# A value (0 to 255) that differs by no more was the same before compression: of still pictures, encoded by x264 at
# usual settings, up to 0.007 % of the values differed by more. The smallest vehicle that the detector finds covers
# some 0.05 % of the picture.
_COMPRESSION_NOISE = 24
_CHANGED_SHARE = 0.0002


class RecordedSource:
    """A clip. ``Frame.monotonic`` is its presentation time from the first frame, ``captured_at`` the start plus that.

    The start is ``start``, else the container's creation time, else (with a warning, because a copy may change it)
    the file's modification time. Damaged frames are skipped, a file that is cut off ends early; one warning at the end
    counts what is missing.
    """

    recorded = True

    def __init__(self, camera: CameraConfig, *, start: datetime | None = None) -> None:
        self._camera_id = camera.id
        self._path = camera.address.file
        self._start = start
        self._pacer = Pacer(camera.fps)
        self._decoder = ClipDecoder(self._path)
        self._deinterlacer = Deinterlacer()
        self._clock = PresentationClock()
        self._lock = threading.Lock()  # the file must not be closed during a read
        self._frames: Iterator[Frame] | None = None
        self._sequence = 0  # of the next picture; those that are left out count
        self._latest = 0.0  # seconds from the first picture
        self._failures = 0  # pictures that could not be converted
        self._first_sample: NDArray[np.int16] | None = None
        self._changes = False  # whether a picture differs from the first
        self._status = SourceStatus()

    @property
    def status(self) -> SourceStatus:
        """The source's state and counters."""
        return self._status

    def start(self) -> None:
        """Open the file. Raises ``SourceError`` with the path and the remedy."""
        self._decoder.start()
        self._clock = PresentationClock(self._decoder.info.rate)
        start = self._find_start()
        self._frames = self._read_frames(start)
        log.info("%s: clip %s begins at %s", self._camera_id, shown_name(self._path), start.isoformat())

    def read(self, timeout: float) -> Frame | None:
        """The next frame of the clip; never None, and ``timeout`` has no meaning.

        Raises ``EndOfSource`` after the last frame, and ``SourceError`` there when nothing can have been counted: no
        frame could be decoded, or the pictures never changed.
        """
        with self._lock:
            if self._frames is None:
                raise EndOfSource
            frame = next(self._frames, None)
            if frame is None:
                self._end_of_clip()
                raise EndOfSource
            self._status = replace(
                self._status,
                state=SourceState.UP,
                frames=self._status.frames + 1,
                last_frame_monotonic=frame.monotonic,
            )
            return frame

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._release()

    def _read_frames(self, start: datetime) -> Iterator[Frame]:
        """The frames that the rate takes; only their pictures are converted."""
        import av

        converter = BgrConverter()
        for timed in self._deinterlacer.whole(self._timed_pictures()):
            if not timed.wanted:
                continue
            try:
                image = converter.convert(timed.picture)
            except (av.FFmpegError, ValueError):
                self._failures += 1
                continue
            if not self._changes:
                self._changes = self._differs_from_first(image)
            yield Frame(image, start + timedelta(seconds=timed.seconds), timed.seconds, timed.sequence)
        if converter.other_size is not None and converter.size is not None:
            log.warning(
                "%s: %s changes its picture's size from %dx%d to %dx%d; all frames were scaled to the first size",
                *(self._camera_id, shown_name(self._path), *converter.size, *converter.other_size),
            )

    def _timed_pictures(self) -> Iterator[TimedPicture]:
        for picture, container_time in self._decoder.pictures():
            self._latest = self._clock.seconds(container_time)
            self._sequence += 1
            yield TimedPicture(picture, self._latest, self._sequence - 1, self._pacer.takes(self._latest))

    def _differs_from_first(self, image: Image) -> bool:
        sample = image[::_SAMPLE_STEP, ::_SAMPLE_STEP].astype(np.int16)
        if self._first_sample is None:
            self._first_sample = sample
            return False
        changed = np.abs(sample - self._first_sample).max(axis=2, initial=0) > _COMPRESSION_NOISE
        return bool(changed.mean() > _CHANGED_SHARE)

    def _find_start(self) -> datetime:
        if self._start is not None:
            return self._start.astimezone(UTC)
        if self._decoder.info.created is not None:
            return self._decoder.info.created
        changed = datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        log.warning(
            "%s: %s does not say when it was recorded; the file's modification time %s is used, which a copy "
            "may change; give the true start with --start",
            *(self._camera_id, shown_name(self._path), changed.isoformat(timespec="seconds")),
        )
        return changed

    def _end_of_clip(self) -> None:
        """Log what is missing and release the file. Raises ``SourceError`` when nothing can have been counted."""
        name, missing = shown_name(self._path), self._missing()
        problem = ""
        if self._status.frames == 0:
            problem = f"{name}: no frame can be decoded; copy or record it again"
        elif not self._changes:
            pictures = "it has a single picture" if self._status.frames == 1 else "its pictures never change"
            problem = f"{name}: {pictures}, so nothing can be counted in it; check the camera, and record it again"
        elif missing:
            problem = (
                f"{name}: {self._sequence} frames could be decoded{missing}; "
                "the clip is damaged, cut off, or begins before its first key frame"
            )
        self._status = replace(self._status, problem=problem)
        self._release()
        if not self._changes:
            raise SourceError(problem)
        if problem:
            log.warning("%s: %s", self._camera_id, problem)

    def _missing(self) -> str:
        """What the clip claims and does not have, for a message; empty where nothing is missing."""
        container = self._decoder.info
        failures = self._decoder.failures + self._deinterlacer.failures + self._failures
        if failures or (container.frames or 0) > self._sequence:
            missing = f" of the {container.frames} that it claims" if container.frames else ""
            return missing + (f", {failures} reads failed on the way" if failures else "")
        if container.frames is None and (container.seconds or 0.0) - self._latest > _MISSING_SECONDS:
            return f", up to second {self._latest:.1f} of the {container.seconds:.1f} that it claims"
        return ""

    def _release(self) -> None:
        self._frames = None
        self._decoder.close()
        self._status = replace(self._status, state=SourceState.ENDED)

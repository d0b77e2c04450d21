"""Reads a video file: every frame once, at its own presentation time, independent of the wall clock."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.capture import video
from edge.capture.clip_file import ContainerInfo, clip_path, read_container
from edge.capture.presentation_clock import PresentationClock
from edge.core.errors import SourceError
from edge.core.frames import Frame
from edge.core.pacer import Pacer
from edge.core.source import EndOfSource, SourceState, SourceStatus

if TYPE_CHECKING:
    from edge.config.schema import CameraConfig

log = logging.getLogger(__name__)

# At a damaged place single reads fail before others succeed (7 in a row were seen); at the end all do.
_FAILED_READS_AT_THE_END = 100
# A clip that does not count its frames is cut off if it ends so many seconds before the length that it claims.
_MISSING_SECONDS = 1.0


class RecordedSource:
    """A clip. ``Frame.monotonic`` is its presentation time from the first frame, ``captured_at`` the start plus that.

    The start is ``start``, else the container's creation time, else (with a warning, because a copy may change it)
    the file's modification time. Damaged frames are skipped, a file that is cut off ends early; one warning at the end
    counts what is missing.
    """

    recorded = True

    def __init__(self, camera: CameraConfig, *, start: datetime | None = None) -> None:
        self._camera_id = camera.id
        self._path = clip_path(camera.source)
        self._start = start
        self._pacer = Pacer(camera.fps)
        self._container = ContainerInfo()
        self._capture: video.Capture | None = None
        self._clock = PresentationClock()
        self._lock = threading.Lock()  # OpenCV's handle must not be released during a read
        self._sequence = 0  # of the next frame; frames that are left out count
        self._latest = 0.0  # seconds from the first frame
        self._failures = 0
        self._status = SourceStatus()

    @property
    def status(self) -> SourceStatus:
        """The source's state and counters."""
        return self._status

    def start(self) -> None:
        """Open the file. Raises ``SourceError`` with the path and the remedy."""
        self._container = read_container(self._path)
        self._start = self._find_start()
        self._capture = video.open_file(self._path)
        if self._capture is None:
            raise SourceError(f"{self._path} cannot be opened as video; copy or record it again")
        self._clock = PresentationClock(video.frame_rate(self._capture))
        log.info("%s: clip %s begins at %s", self._camera_id, self._path, self._start.isoformat())

    def read(self, timeout: float) -> Frame | None:
        """The next frame of the clip; never None, and ``timeout`` has no meaning.

        Raises ``EndOfSource`` after the last frame, and ``SourceError`` when no frame could be decoded.
        """
        with self._lock:
            if self._capture is None or self._start is None:
                raise EndOfSource
            failed = 0
            while failed < _FAILED_READS_AT_THE_END:
                if not video.grab(self._capture):
                    failed += 1
                    continue
                self._failures += failed  # a frame came after the failures, so they were not the end of the clip
                failed = 0
                self._latest = self._clock.seconds(video.position(self._capture))
                self._sequence += 1
                if not self._pacer.takes(self._latest):
                    continue
                image = video.retrieve(self._capture)
                if image is None:
                    self._failures += 1
                    continue
                self._status = replace(
                    self._status,
                    state=SourceState.UP,
                    frames=self._status.frames + 1,
                    last_frame_monotonic=self._latest,
                )
                captured_at = self._start + timedelta(seconds=self._latest)
                return Frame(image, captured_at, self._latest, self._sequence - 1)
            self._end_of_clip()
            raise EndOfSource

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._release()

    def _find_start(self) -> datetime:
        if self._start is not None:
            return self._start.astimezone(UTC)
        if self._container.created is not None:
            return self._container.created
        changed = datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        log.warning(
            "%s: %s does not say when it was recorded; the file's modification time %s is used, which a copy "
            "may change; give the true start with --start",
            *(self._camera_id, self._path, changed.isoformat(timespec="seconds")),
        )
        return changed

    def _end_of_clip(self) -> None:
        """Log what is missing and release the file. Raises ``SourceError`` when no frame could be decoded."""
        container, missing = self._container, ""
        if self._failures or (container.frames or 0) > self._sequence:
            missing = f" of the {container.frames} that it claims" if container.frames else ""
            missing += f", {self._failures} reads failed on the way" if self._failures else ""
        elif container.frames is None and (container.seconds or 0.0) - self._latest > _MISSING_SECONDS:
            missing = f", up to second {self._latest:.1f} of the {container.seconds:.1f} that it claims"
        if self._sequence == 0:
            problem = f"{self._path}: no frame can be decoded; copy or record it again"
        elif missing:
            problem = (
                f"{self._path}: {self._sequence} frames could be decoded{missing}; "
                "the clip is damaged, cut off, or begins before its first key frame"
            )
        else:
            problem = ""
        self._status = replace(self._status, problem=problem)
        self._release()
        if self._sequence == 0:
            raise SourceError(problem)
        if problem:
            log.warning("%s: %s", self._camera_id, problem)

    def _release(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None
        self._status = replace(self._status, state=SourceState.ENDED)

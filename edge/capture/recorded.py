"""A video file as a source: every frame once, at its own presentation time, free of the wall clock."""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from edge.capture import video as opencv
from edge.core.errors import SourceError
from edge.core.frames import Frame
from edge.core.pacer import Pacer
from edge.core.source import EndOfSource, SourceState, SourceStatus

if TYPE_CHECKING:
    from edge.config.schema import CameraConfig

log = logging.getLogger(__name__)

USUAL_RATE = 25.0  # frames a second, where the container's own figure is nonsense
CREDIBLE_RATES = (0.1, 240.0)
# Two frames of one time are this far apart, seconds; a jump back of more than the second begins a new count.
NEXT_TO_IT, JUMP = 0.001, 1.0
# At a damaged place single reads fail before others succeed (7 in a row were seen); at the end all do.
FAILURES_AT_THE_END = 100
# Containers are filled in with these when a recorder has no clock: 1904 (QuickTime's zero), 1970, 1980.
FIRST_CREDIBLE_YEAR = 1990
# FFmpeg plays plain text as the picture of a terminal.
NOT_VIDEO = ("tty",)


def content_digest(path: Path) -> str:
    """SHA-256 of a file's content in hex: names a clip whatever it is called. Raises ``SourceError``."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error


def clip_path(address: str) -> Path:
    """The path that a camera's ``source`` names: as it stands, or from a ``file://`` URL."""
    if address.lower().startswith("file://"):
        return Path(unquote(urlsplit(address).path))
    return Path(address).expanduser()


@dataclass(frozen=True, slots=True)
class Container:
    """What a file says of itself: when it was recorded, how many frames and seconds it holds; None: nothing."""

    created: datetime | None
    frames: int | None
    seconds: float | None


def inspect(path: Path) -> Container:
    """Look into the container without decoding. Raises ``SourceError`` with the path and the remedy."""
    if not path.exists():
        raise SourceError(f"{path}: there is no such file; check `source`, or mount the disk that holds it")
    if not path.is_file():
        raise SourceError(f"{path} is not a file; name a video file")
    if path.stat().st_size == 0:
        raise SourceError(f"{path} is empty; copy it again")
    import av  # 18 MB that a daemon with live cameras does not need

    try:
        with av.open(str(path.absolute()), metadata_errors="replace") as container:
            if not container.streams.video or container.format.name in NOT_VIDEO:
                raise SourceError(f"{path} holds no video; name a video file")
            stream = container.streams.video[0]
            return Container(
                created=creation_time(container.metadata.get("creation_time", "")),
                frames=stream.frames or None,
                seconds=_seconds(container.duration, container.start_time, av.time_base),
            )
    except (av.FFmpegError, OSError) as error:
        reason = error.strerror or "it is damaged"
        raise SourceError(f"{path} cannot be opened as video: {reason}; copy or record it again") from error


def _seconds(duration: int | None, start: int | None, unit: int) -> float | None:
    """At least so long is the video. Some containers count the duration from 0, not from the first frame."""
    return (duration - max(start or 0, 0)) / unit if duration else None


def creation_time(text: str) -> datetime | None:
    """A container's ``creation_time``; None when there is none, or a placeholder of a recorder without a clock."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment if moment.year >= FIRST_CREDIBLE_YEAR else None


class PresentationClock:
    """Turns a container's times into seconds from the first frame that grow strictly.

    ``rate`` (frames a second) fills in where frames have no time: then it is index / rate. A time that stands
    still, or goes back by less than ``JUMP``, is put ``NEXT_TO_IT`` behind the one before; a larger jump
    back (pieces of a recording put together) goes on one frame later.
    """

    def __init__(self, rate: float) -> None:
        low, high = CREDIBLE_RATES
        self._step = 1 / (rate if low <= rate <= high else USUAL_RATE)
        self._zero: float | None = None  # what the container's times are counted from
        self._last = 0.0

    def at(self, stamp: float) -> float:
        """Seconds from the first frame for a frame whose container says ``stamp`` seconds (0: nothing)."""
        if self._zero is None:
            self._zero = stamp
            return 0.0
        moment = stamp - self._zero
        if moment <= self._last:
            back = self._last - moment
            if stamp == 0.0:
                moment = self._last + self._step
            elif back < JUMP:
                moment = self._last + NEXT_TO_IT
            else:
                moment = self._last + self._step
                self._zero = stamp - moment
        self._last = moment
        return moment


class RecordedSource:
    """A clip. ``Frame.monotonic`` is its presentation time from the first frame, ``captured_at`` the start plus that.

    The start is the one that is given, else the container's creation time, else (with a warning, because a
    copy may change it) the file's modification time. A damaged place is passed over, a file that is cut off
    ends early; what is missing is counted in one warning at the end.
    """

    recorded = True

    def __init__(self, camera: CameraConfig, *, start: datetime | None = None) -> None:
        self._camera_id = camera.id
        self._path = clip_path(camera.source)
        self._start = start
        self._pacer = Pacer(camera.fps)
        self._claims = Container(None, None, None)
        self._capture: opencv.Capture | None = None
        self._clock = PresentationClock(USUAL_RATE)
        self._lock = threading.Lock()  # OpenCV's handle must not be released under a read
        self._sequence = 0
        self._latest = 0.0
        self._failures = 0
        self._status = SourceStatus()

    @property
    def status(self) -> SourceStatus:
        """How the source fares."""
        return self._status

    @property
    def starts_at(self) -> datetime | None:
        """When the first frame was taken (UTC); None before ``start()``."""
        return self._start

    def start(self) -> None:
        """Open the file. Raises ``SourceError`` with the path and the remedy."""
        self._claims = inspect(self._path)
        self._start = self._begin()
        self._capture = opencv.open_file(self._path)
        if self._capture is None:
            raise SourceError(f"{self._path} cannot be opened as video; copy or record it again")
        self._clock = PresentationClock(opencv.frame_rate(self._capture))
        log.info("%s: clip %s begins at %s", self._camera_id, self._path, self._start.isoformat())

    def read(self, timeout: float) -> Frame | None:
        """The next frame of the clip; never None, ``timeout`` has no meaning here.

        Raises ``EndOfSource`` after the last one, and ``SourceError`` when not even one could be decoded.
        """
        with self._lock:
            if self._capture is None or self._start is None:
                raise EndOfSource
            failed = 0
            while failed < FAILURES_AT_THE_END:
                if not opencv.grab(self._capture):
                    failed += 1
                    continue
                self._failures += failed  # there is more: that was a damaged place, not the end
                failed = 0
                self._latest = self._clock.at(opencv.position(self._capture))
                self._sequence += 1
                if not self._pacer.takes(self._latest):
                    continue
                image = opencv.retrieve(self._capture)
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
            self._finish()
            raise EndOfSource

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._release()

    def _begin(self) -> datetime:
        if self._start is not None:
            return self._start.astimezone(UTC)
        if self._claims.created is not None:
            return self._claims.created
        changed = datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        log.warning(
            "%s: %s does not say when it was recorded; its file's time %s is used, which a copy may change: "
            "give the true one with --start",
            *(self._camera_id, self._path, changed.isoformat(timespec="seconds")),
        )
        return changed

    def _finish(self) -> None:
        """Say what is missing, once, and let go of the file."""
        claims, missing = self._claims, ""
        if self._failures or (claims.frames or 0) > self._sequence:
            missing = f" of the {claims.frames} that it claims" if claims.frames else ""
            missing += f", {self._failures} reads failed on the way" if self._failures else ""
        elif claims.frames is None and (claims.seconds or 0.0) - self._latest > JUMP:
            missing = f", up to second {self._latest:.1f} of the {claims.seconds:.1f} that it claims"
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

"""Writes and reads recordings: the observations of a clip as JSON Lines, without the images.

Tracking and counting from a recording give what they gave on the clip, byte for byte, in milliseconds and without the
model. A file whose name ends in ``.gz`` is compressed. The first line names the clip and the rate; each line after it
is a frame:

    {"at": 0.04, "captured_at": "...Z", "size": [640, 360], "detections": [["car", 0.91, 1.5, 2.5, 30.0, 40.0]],
     "pixel": 2.0, "moved": [[3.0, 4.0, 1.5, 0.0], [8.0, 9.0, null, null]], "still": [[5.0, 6.0]]}

``moved`` holds x, y, dx and dy of the corners up to the last one that moved or was lost (null), ``still`` the x and y
of those after it, which are the most and did not move. So the order of the corners is kept: the tracker takes a sample
of them by their order. Nothing is lost in writing: observations are rounded to hundredths of a pixel where they are
made (``edge.tracking.observer``).

Displacements lead from one processed frame to the next, so a recording can be used for no other rate than its own.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import zlib
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO, cast

import numpy as np

from edge.core.errors import RefusedError, SourceError
from edge.core.frames import Detection, FrameTime
from edge.core.shapes import Box
from edge.tracking.observer import Observation, whole_frame
from edge.tracking.optical_flow import Displacements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_FORMAT, _VERSION = "smartpark-observations", 1
_ENDINGS = (".jsonl", ".jsonl.gz")
_ALL_FRAMES = "all frames"


class RecordingWriter:
    """Writes a recording. The file gets its name when all of it is written, so that no reader meets half of one."""

    def __init__(self, path: Path, title: str) -> None:
        """``title`` is what ``recording_title`` makes of the clip and the rate."""
        self._path, self._partial, self._title = path, path.with_name(path.name + ".partial"), title
        self._file: TextIO | None = None

    def start(self) -> None:
        """Open the file. Raises ``SourceError`` where it cannot be written."""
        try:
            self._file = _open_text(self._partial, "wt", compressed=self._path.suffix == ".gz")
        except OSError as error:
            raise SourceError(f"{self._path} cannot be written: {error.strerror}; choose another place") from error
        self._write({"format": _FORMAT, "version": _VERSION, "clip": self._title})

    def add(self, observation: Observation, frame_time: FrameTime) -> None:
        """Write one frame. Raises ``SourceError`` where the disk has no room."""
        times = {"at": frame_time.monotonic, "captured_at": frame_time.captured_at.isoformat()}
        self._write(times | _observation_fields(observation))

    def close(self, *, complete: bool) -> None:
        """Close the file, and remove it unless it is ``complete``. A second call does nothing.

        Raises ``SourceError`` where the last bytes of a complete recording cannot be written.
        """
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            file.close()
            if complete:
                self._partial.replace(self._path)
        except OSError as error:
            if complete:
                raise SourceError(f"{self._path} cannot be written: {error.strerror}; make room") from error
        finally:
            self._partial.unlink(missing_ok=True)

    def _write(self, line: dict[str, Any]) -> None:
        assert self._file is not None
        try:
            self._file.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
        except OSError as error:
            raise SourceError(f"{self._path} cannot be written: {error.strerror}; make room") from error


def read_recording(path: Path) -> Iterator[tuple[FrameTime, Observation]]:
    """The frames of a recording, in order.

    Raises ``SourceError`` that names the file, and the line if one is damaged.
    """
    number = 0
    try:
        with _reading(path) as file:
            for number, text in enumerate(file, start=1):
                line = json.loads(text)
                if number == 1:
                    if (line.get("format"), line.get("version")) != (_FORMAT, _VERSION):
                        raise SourceError(f"{path} is no recording of this version; record the clip again")
                    continue
                captured_at = datetime.fromisoformat(line["captured_at"])
                yield FrameTime(captured_at, float(line["at"]), tuple(line["size"])), _observation(line)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}; check the path") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, EOFError, zlib.error) as error:
        raise SourceError(f"{path}: line {max(number, 1)} is damaged; record the clip again") from error
    if number == 0:
        raise SourceError(f"{path} is empty; record the clip again")


def rate_text(fps: float | None) -> str:
    """A rate in words; None means every frame."""
    return _ALL_FRAMES if fps is None else f"{fps:g} frames a second"


def recording_title(clip: str, fps: float | None) -> str:
    """The first line's text for a recording of ``clip`` at a rate; ``recorded_rate`` reads it."""
    return f"{clip}, {rate_text(fps)}"


def recording_paths(given: Path, clips: Sequence[str]) -> dict[str, Path]:
    """The path of each clip's recording: ``given`` itself for one clip, else ``given/CLIP.jsonl.gz``.

    Raises ``RefusedError`` where ``given`` names a file and there are several clips.
    """
    if not given.name.endswith(_ENDINGS):
        return {name: given / f"{name}.jsonl.gz" for name in clips}
    if len(clips) != 1:
        raise RefusedError(f"{given}: one file holds one clip; name a folder for the recordings of {len(clips)} clips")
    return {clips[0]: given}


def recorded_rate(path: Path, clip: str, fps: float | None) -> float | None:
    """The frames a second at which the recording of ``clip`` was made, None for every frame.

    ``fps`` is the rate that the caller asks for, None for whichever the recording has. Raises ``RefusedError`` for a
    recording of another clip or rate, and ``SourceError`` for a file that is no recording.
    """
    title = _read_title(path)
    match = re.fullmatch(rf"(.*), (?:({_ALL_FRAMES})|([0-9.e+]+) frames a second)", title)
    if match is None or match[1] != clip:
        raise RefusedError(
            f"{path} is a recording of {title!r}, not of {clip}; name the clip's own recording, or record it"
        )
    rate = None if match[2] else float(match[3])
    if fps is not None and fps != rate:
        raise RefusedError(
            f"{path} was recorded at {rate_text(rate)}, and its displacements are of no use at another rate; leave out "
            f"--fps, or record with --fps {fps:g}"
        )
    return rate


def _read_title(path: Path) -> str:
    try:
        with _reading(path) as file:
            return str(json.loads(file.readline())["clip"])
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}; check the path, or record it") from error
    except (ValueError, KeyError, TypeError, EOFError) as error:
        raise SourceError(f"{path} is no recording; record the clip again") from error


def _observation_fields(observation: Observation) -> dict[str, Any]:
    moved = observation.moved
    # -0.0 equals 0.0 but is another number, and "still" is read back as 0.0.
    still = ((moved.moves == 0) & ~np.signbit(moved.moves)).all(axis=1)
    first_still = int(np.flatnonzero(~still)[-1]) + 1 if not still.all() else 0
    moving = np.hstack([moved.points, moved.moves])[:first_still]
    return {
        "size": list(observation.size),
        **({} if observation.view == whole_frame(observation.size) else {"view": list(observation.view)}),
        "detections": [[found.label, found.confidence, *found.box] for found in observation.detections],
        "pixel": moved.scale,
        "moved": [[None if math.isnan(value) else value for value in row] for row in moving.tolist()],
        "still": moved.points[first_still:].tolist(),
    }


def _observation(line: dict[str, Any]) -> Observation:
    moving = np.array([[math.nan if v is None else v for v in row] for row in line["moved"]], dtype=np.float64)
    moving = moving.reshape(-1, 4)
    still = np.array(line["still"], dtype=np.float64).reshape(-1, 2)
    moved = Displacements(
        np.vstack([moving[:, :2], still]), np.vstack([moving[:, 2:], np.zeros_like(still)]), float(line["pixel"])
    )
    detections = tuple(
        Detection(Box(*map(float, box)), str(label), float(confidence))
        for label, confidence, *box in line["detections"]
    )
    width, height = line["size"]
    size = (int(width), int(height))
    return Observation(size, detections, moved, Box(*map(float, line["view"])) if "view" in line else whole_frame(size))


def _open_text(path: Path, mode: str, *, compressed: bool) -> TextIO:
    if compressed:
        return cast("TextIO", gzip.open(path, mode, encoding="utf-8"))
    return cast("TextIO", path.open(mode, encoding="utf-8"))


@contextmanager
def _reading(path: Path) -> Iterator[TextIO]:
    with _open_text(path, "rt", compressed=path.suffix == ".gz") as file:
        yield file

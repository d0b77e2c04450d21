"""Writes and reads observations as JSON Lines: the detections and the displacements of each frame, without the image.

Tracking and counting from a recording give what they gave on the clip, byte for byte, in milliseconds and without the
model. A file whose name ends in ``.gz`` is compressed. The first line names the clip; each line after it is a frame:

    {"at": 0.04, "captured_at": "...Z", "size": [640, 360], "detections": [["car", 0.91, 1.5, 2.5, 30.0, 40.0]],
     "pixel": 2.0, "moved": [[3.0, 4.0, 1.5, 0.0], [8.0, 9.0, null, null]], "still": [[5.0, 6.0]]}

``moved`` holds x, y, dx and dy of the corners up to the last one that moved or was lost (null), ``still`` the x and y
of those after it, which are the most and did not move. So the order of the corners is kept: the tracker takes a sample
of them by their order. Nothing is lost in writing: observations are rounded to hundredths of a pixel where they are
made (``edge.tracking.observer``).
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO, cast

import numpy as np

from edge.core.errors import SourceError
from edge.core.frames import Detection, FrameTime
from edge.core.shapes import Box
from edge.tracking.observer import Observation
from edge.tracking.optical_flow import Displacements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT, VERSION = "smartpark-observations", 1


class Recorder:
    """Writes a recording; the file gets its name when all is written."""

    def __init__(self, path: Path, clip: str) -> None:
        """``clip`` says what is recorded."""
        self._path, self._partial, self._clip = path, path.with_name(path.name + ".partial"), clip
        self._file: TextIO | None = None

    def start(self) -> None:
        """Open the file. Raises ``SourceError`` where it cannot be written."""
        try:
            self._file = _open(self._partial, "wt", compressed=self._path.suffix == ".gz")
        except OSError as error:
            raise SourceError(f"{self._path} cannot be written: {error.strerror}; choose another place") from error
        self._write({"format": FORMAT, "version": VERSION, "clip": self._clip})

    def add(self, observation: Observation, frame_time: FrameTime) -> None:
        """One frame."""
        head = {"at": frame_time.monotonic, "captured_at": frame_time.captured_at.isoformat()}
        self._write(head | _fields(observation))

    def close(self, *, complete: bool) -> None:
        """End; what is not ``complete`` is thrown away. Raises ``SourceError`` where the rest cannot be written."""
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
    """The frames of a recording, in order. Raises ``SourceError`` that names the file and the line."""
    number = 0
    try:
        with _reading(path) as file:
            for number, text in enumerate(file, start=1):
                line = json.loads(text)
                if number == 1:
                    if (line.get("format"), line.get("version")) != (FORMAT, VERSION):
                        raise SourceError(f"{path} is no recording of this version; record the clip again")
                    continue
                frame_time = FrameTime(
                    datetime.fromisoformat(line["captured_at"]), float(line["at"]), tuple(line["size"])
                )
                yield frame_time, _observation(line)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}; check the path") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, EOFError, zlib.error) as error:
        raise SourceError(f"{path}: line {max(number, 1)} is damaged; record the clip again") from error
    if number == 0:
        raise SourceError(f"{path} is empty; record the clip again")


def _fields(observation: Observation) -> dict[str, Any]:
    moved = observation.moved
    # -0.0 equals 0.0 but is another number: only what "still" reads back as may be written so.
    still = ((moved.moves == 0) & ~np.signbit(moved.moves)).all(axis=1)
    first_still = int(np.flatnonzero(~still)[-1]) + 1 if not still.all() else 0
    going = np.hstack([moved.points, moved.moves])[:first_still]
    return {
        "size": list(observation.size),
        "detections": [[one.label, one.confidence, *one.box] for one in observation.detections],
        "pixel": moved.scale,
        "moved": [[None if math.isnan(value) else value for value in row] for row in going.tolist()],
        "still": moved.points[first_still:].tolist(),
    }


def _observation(line: dict[str, Any]) -> Observation:
    going = np.array([[math.nan if v is None else v for v in row] for row in line["moved"]], dtype=np.float64)
    going = going.reshape(-1, 4)
    still = np.array(line["still"], dtype=np.float64).reshape(-1, 2)
    moved = Displacements(
        np.vstack([going[:, :2], still]), np.vstack([going[:, 2:], np.zeros_like(still)]), float(line["pixel"])
    )
    detections = tuple(
        Detection(Box(*map(float, box)), str(label), float(confidence))
        for label, confidence, *box in line["detections"]
    )
    width, height = line["size"]
    return Observation((int(width), int(height)), detections, moved)


def _open(path: Path, mode: str, *, compressed: bool) -> TextIO:
    if compressed:
        return cast("TextIO", gzip.open(path, mode, encoding="utf-8"))
    return cast("TextIO", path.open(mode, encoding="utf-8"))


@contextmanager
def _reading(path: Path) -> Iterator[TextIO]:
    with _open(path, "rt", compressed=path.suffix == ".gz") as file:
        yield file

"""What was counted wrong, and a picture of each such moment."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.evaluation.drawing import Drawing, Shape, draw, save

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge.core.events import Direction
    from edge.core.frames import Frame
    from edge.evaluation.witness import Look, Witness

# Seconds of a track's way before and after the moment.
BEFORE, AFTER = 2.0, 1.5


@dataclass(frozen=True, slots=True)
class Error:
    """Something that was counted wrong, at second ``at``.

    ``kind`` is ``missed``, ``extra``, or ``wrong_direction`` for a missed and an extra one that are one vehicle: these
    two are told of as well. ``direction`` is the true one, for an extra event the event's.
    """

    kind: str
    direction: Direction
    at: float
    track_id: str
    reason: str

    @property
    def title(self) -> str:
        """What is wrong, in a few words."""
        if self.kind == "wrong_direction":
            return f"wrong direction of an {self.direction}"
        return f"{self.kind} {self.direction}"


def draw_errors(name: str, errors: Sequence[Error], witness: Witness, frames: Iterable[Frame], folder: Path) -> None:
    """Write a picture of each error into ``folder``, as ``CLIP-012.40s-missed-entry.png``.

    ``frames`` are all of the clip's. A wrong direction has two: one of the missed and one of the extra crossing. The
    clip's pictures of an earlier time go.
    """
    make_folder(folder)
    for old in folder.glob("*.png"):
        if re.fullmatch(rf"{re.escape(name)}-[0-9]+\.[0-9]{{2}}s-(missed|extra)-(entry|exit)(-[0-9]+)?\.png", old.name):
            old.unlink()
    wanted: dict[float, list[Error]] = {}
    for error in errors:
        if error.kind != "wrong_direction" and witness.looks:
            wanted.setdefault(witness.look_at(error.at).at, []).append(error)
    if not wanted:
        return
    used: Counter[str] = Counter()
    for frame in frames:
        for error in wanted.get(frame.monotonic, ()):
            drawing = _drawing(name, error, witness.look_at(frame.monotonic), witness)
            file = f"{name}-{error.at:06.2f}s-{error.kind}-{error.direction}"
            used[file] += 1
            again = f"-{used[file]}" if used[file] > 1 else ""
            save(folder / f"{file}{again}.png", draw(frame.image, drawing))
        if frame.monotonic >= max(wanted):
            return


def make_folder(folder: Path) -> None:
    """Make a folder, unless it is there. Raises ``RefusedError`` with the remedy."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusedError(f"{folder} cannot be made: {error.strerror}; choose another folder") from error


def _drawing(name: str, error: Error, look: Look, witness: Witness) -> Drawing:
    tracks = []
    for track_id, places in witness.places.items():
        before = [place.box.center for place in places.between(look.at - BEFORE, look.at)]
        after = [place.box.center for place in places.between(look.at, look.at + AFTER)]
        subject = track_id == error.track_id or witness.merged(track_id) == error.track_id != ""
        if before or (subject and after):
            tracks.append(Shape(places.box_at(look.at), track_id, tuple(before), tuple(after), subject))
    track = f" ({error.track_id})" if error.track_id else ""
    return Drawing(
        line=witness.gate.line,
        inside=witness.gate.inside,
        detections=tuple(Shape(box, f"{label} {confidence:.2f}") for box, label, confidence in look.detections),
        tracks=tuple(tracks),
        text=(
            f"{name}, {error.at:.2f} s: {error.title}",
            f"{error.reason}{track}",
            "red: the track it is about; blue: other tracks; grey: detections",
        ),
    )

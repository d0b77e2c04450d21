"""What was counted wrong, and a picture of each such moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import RefusedError
from edge.vision.picture import Drawing, Shape, draw, save
from edge.witness import trail

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge.records import Box, Direction, Frame
    from edge.witness import Look, Place, Witness

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

    ``frames`` are all of the clip's. A wrong direction has two: one of the missed and one of the extra crossing.
    """
    make_folder(folder)
    wanted: dict[float, list[Error]] = {}
    for error in errors:
        if error.kind != "wrong_direction" and witness.looks:
            look = min(witness.looks, key=lambda look: abs(look.at - error.at))
            wanted.setdefault(look.at, []).append(error)
    if not wanted:
        return
    looks = {look.at: look for look in witness.looks}
    for frame in frames:
        for number, error in enumerate(wanted.get(frame.monotonic, ())):
            drawing = _drawing(name, error, looks[frame.monotonic], witness)
            again = f"-{number + 1}" if number else ""
            path = folder / f"{name}-{error.at:06.2f}s-{error.kind}-{error.direction}{again}.png"
            save(path, draw(frame.image, drawing))
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
        before = trail(places, look.at - BEFORE, look.at)
        after = trail(places, look.at, look.at + AFTER)
        subject = track_id == error.track_id or witness.merged(track_id) == error.track_id != ""
        if before or (subject and after):
            tracks.append(Shape(_box_at(places, look.at), track_id, tuple(before), tuple(after), subject))
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


def _box_at(places: Sequence[Place], at: float) -> Box | None:
    return next((place.box for place in places if place.at == at), None)

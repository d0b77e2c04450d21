"""Defines an error of a count, and writes a picture of the frame at which each error happened."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.evaluation.drawing import Annotation, Overlay, draw_overlay
from edge.snapshot.picture_file import save_picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge.core.events import Direction
    from edge.core.frames import Frame
    from edge.evaluation.run_history import ProcessedFrame, RunHistory

# Seconds of a track's path that are drawn before and after the error.
_BEFORE_SECONDS, _AFTER_SECONDS = 2.0, 1.5


@dataclass(frozen=True, slots=True)
class CountingError:
    """An error of a count, at second ``at`` of the clip.

    ``kind`` is ``missed``, ``extra``, or ``wrong_direction`` for a missed and an extra crossing that are one vehicle,
    which are listed as well. ``direction`` is the true one; that of an extra event is the event's. ``track_id`` is
    empty where no track is known.
    """

    kind: str
    direction: Direction
    at: float
    track_id: str
    reason: str

    @property
    def title(self) -> str:
        """The error in two to five words."""
        if self.kind == "wrong_direction":
            return f"wrong direction of an {self.direction}"
        return f"{self.kind} {self.direction}"


def save_error_pictures(
    clip: str, errors: Sequence[CountingError], history: RunHistory, frames: Iterable[Frame], folder: Path
) -> None:
    """Write a picture of each error into ``folder``, as ``CLIP-012.40s-missed-entry.png``.

    ``frames`` are all of the clip's frames. A wrong direction has two pictures: of the missed and of the extra
    crossing. Pictures of this clip from an earlier evaluation are removed. Raises ``RefusedError`` or ``SourceError``
    where the folder or a picture cannot be written.
    """
    make_folder(folder)
    name = re.compile(rf"{re.escape(clip)}-[0-9]+\.[0-9]{{2}}s-(missed|extra)-(entry|exit)(-[0-9]+)?\.png")
    for old in folder.glob("*.png"):
        if name.fullmatch(old.name):
            old.unlink()
    errors_at: dict[float, list[CountingError]] = {}
    for error in errors:
        if error.kind != "wrong_direction" and history.frames:
            errors_at.setdefault(history.frame_nearest(error.at).at, []).append(error)
    if not errors_at:
        return
    used: Counter[str] = Counter()
    for frame in frames:
        for error in errors_at.get(frame.monotonic, ()):
            overlay = _overlay(clip, error, history.frame_nearest(frame.monotonic), history)
            stem = f"{clip}-{error.at:06.2f}s-{error.kind}-{error.direction}"
            used[stem] += 1
            number = f"-{used[stem]}" if used[stem] > 1 else ""
            save_picture(folder / f"{stem}{number}.png", draw_overlay(frame.image, overlay))
        if frame.monotonic >= max(errors_at):
            return


def make_folder(folder: Path) -> None:
    """Make a folder, unless it exists. Raises ``RefusedError`` with the remedy."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusedError(f"{folder} cannot be made: {error.strerror}; choose another folder") from error


def _overlay(clip: str, error: CountingError, frame: ProcessedFrame, history: RunHistory) -> Overlay:
    tracks = []
    for track_id, trail in history.trails.items():
        before = [position.box.center for position in trail.between(frame.at - _BEFORE_SECONDS, frame.at)]
        after = [position.box.center for position in trail.between(frame.at, frame.at + _AFTER_SECONDS)]
        subject = track_id == error.track_id or history.merged(track_id) == error.track_id != ""
        if before or (subject and after):
            tracks.append(Annotation(trail.box_at(frame.at), track_id, tuple(before), tuple(after), subject))
    track = f" ({error.track_id})" if error.track_id else ""
    return Overlay(
        line=history.gate.line,
        inside=history.gate.inside,
        detections=tuple(Annotation(box, f"{label} {confidence:.2f}") for box, label, confidence in frame.detections),
        tracks=tuple(tracks),
        text=(
            f"{clip}, {error.at:.2f} s: {error.title}",
            f"{error.reason}{track}",
            "red: the track of this error; blue: other tracks; grey: detections",
        ),
    )

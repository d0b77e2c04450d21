"""Scripted scenes for tests of tracking and counting: detections and corners of moving objects, without pictures.

At each time a scene returns what an observer would see of it: the detector's boxes of its objects, and how the corners
of a grid moved since the frame before, each with the object that it lies on.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.config.schema import MechanismsConfig, TrackerConfig
from edge.core.frames import Detection
from edge.core.shapes import Box, Point
from edge.tracking.observer import Observation
from edge.tracking.optical_flow import Displacements
from edge.tracking.sightings import Sighting
from edge.tracking.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edge.core.tracks import Track

SIZE = (640, 360)
GRID = 10  # pixels between corners
SCALE = 2.0  # frame pixels for each pixel of optical flow


def box_at(x: float, y: float, width: float = 100.0, height: float = 60.0) -> Box:
    """A box around (x, y), by default of a car's size."""
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def car(x: float, y: float = 200.0, confidence: float = 0.8, label: str = "car") -> Detection:
    """A car of 100 x 60 pixels around (x, y)."""
    return Detection(box_at(x, y), label, confidence)


def sighting_at(x: float, y: float = 200.0, width: float = 100.0, height: float = 60.0) -> Sighting:
    """A sighting of a car around (x, y)."""
    return Sighting(np.array(box_at(x, y, width, height)), 0.8, {"car": 0.8})


def make_observation(*detections: Detection, moved: Displacements | None = None) -> Observation:
    """A frame with these detections and, by default, without optical flow."""
    return Observation.of_frame(SIZE, detections, moved or Displacements.none())


def uniform_displacements(x: float, y: float, *, size: tuple[int, int] = SIZE) -> Displacements:
    """All corners of the picture moved by (x, y) pixels."""
    points = corner_grid(size)
    return Displacements(points, np.tile([x, y], (len(points), 1)).astype(np.float64), SCALE)


def corner_grid(size: tuple[int, int] = SIZE) -> np.ndarray:
    """Corners at equal distances over the picture, n x 2."""
    across, down = np.meshgrid(np.arange(GRID / 2, size[0], GRID), np.arange(GRID / 2, size[1], GRID))
    return np.stack([across.ravel(), down.ravel()], axis=1)


@dataclass(frozen=True)
class SceneObject:
    """An object whose ``path`` returns its centre at a time in seconds, or None while it is away.

    ``is_detected`` says whether the detector finds it at a time. Objects in front hide those behind; an object of which
    less than half is visible is not detected. One that is not ``is_solid`` hides nothing and has no corners of its own.
    """

    path: Callable[[float], tuple[float, float] | None]
    size: tuple[float, float] = (100.0, 60.0)
    label: str = "car"
    confidence: float = 0.8
    is_detected: Callable[[float], bool] = lambda at: True
    is_solid: bool = True

    def box(self, at: float) -> Box | None:
        """Its box at a time, None while it is away."""
        center = self.path(at)
        return None if center is None else box_at(*center, *self.size)

    def center(self, at: float) -> Point:
        """Its centre at a time when it is there."""
        box = self.box(at)
        assert box is not None
        return box.center


def straight(
    start: float, speed: float, y: float = 200.0, since: float = 0.0
) -> Callable[[float], tuple[float, float]]:
    """A path to the right at ``speed`` pixels a second, or to the left where negative; x is ``start`` at ``since``."""
    return lambda at: (start + speed * (at - since), y)


def stop_to_stop(*stops: tuple[float, float], y: float = 200.0) -> Callable[[float], tuple[float, float]]:
    """A path from one (time, x) to the next, with a stop at each; before the first and after the last it stands."""
    times, places = zip(*stops, strict=True)

    def center(at: float) -> tuple[float, float]:
        legs = [leg for leg in itertools.pairwise(stops) if leg[0][0] <= at < leg[1][0]]
        if not legs:
            return (places[0] if at < times[0] else places[-1]), y
        ((since, start), (until, end)) = legs[0]
        share = (at - since) / (until - since)
        return start + (end - start) * share**2 * (3 - 2 * share), y

    return center


@dataclass
class ScriptedScene:
    """A scene of objects, the last one in front. ``observe`` must be called in order of time."""

    objects: Sequence[SceneObject]
    size: tuple[int, int] = SIZE
    flow: bool = True
    _before: float | None = None

    def observe(self, at: float) -> Observation:
        """What a frame at this time shows."""
        detections = []
        for number, item in enumerate(self.objects):
            box = item.box(at)
            if box is None or not item.is_detected(at):
                continue
            visible = self._visible(box, number, at)
            if visible is not None:
                detections.append(Detection(visible, item.label, item.confidence))
        moved = Displacements.none() if self._before is None or not self.flow else self._moved(self._before, at)
        self._before = at
        return Observation.of_frame(self.size, detections, moved)

    def _visible(self, box: Box, number: int, at: float) -> Box | None:
        cut = Box(max(box.x1, 0), max(box.y1, 0), min(box.x2, self.size[0]), min(box.y2, self.size[1]))
        if cut.x2 <= cut.x1 or cut.y2 <= cut.y1 or cut.area < 0.25 * box.area:
            return None
        for item in self.objects[number + 1 :]:
            front = item.box(at)
            if front is None or not item.is_solid:
                continue
            across = min(cut.x2, front.x2) - max(cut.x1, front.x1)
            down = min(cut.y2, front.y2) - max(cut.y1, front.y1)
            if across > 0 and down > 0 and across * down > 0.5 * cut.area:
                return None
        return cut

    def _moved(self, before: float, now: float) -> Displacements:
        points = corner_grid(self.size)
        moves = np.zeros_like(points)
        for item in self.objects:
            start, end = item.box(before), item.box(now)
            if start is None or not item.is_solid:
                continue
            move = (end.center.x - start.center.x, end.center.y - start.center.y) if end else np.nan
            moves[_inside(points, start)] = move
        # A corner is lost where another object than its own lies on its new place.
        is_lost = self._owners(points, before) != self._owners(points + np.nan_to_num(moves), now)
        moves[is_lost] = np.nan
        return Displacements(points, moves, SCALE)

    def _owners(self, points: np.ndarray, at: float) -> np.ndarray:
        """The number of the front object at each point, -1 for the ground."""
        owners = np.full(len(points), -1)
        for number, item in enumerate(self.objects):
            box = item.box(at)
            if box is not None and item.is_solid:
                owners[_inside(points, box)] = number
        return owners


def _inside(points: np.ndarray, box: Box) -> np.ndarray:
    return (points[:, 0] >= box.x1) & (points[:, 0] <= box.x2) & (points[:, 1] >= box.y1) & (points[:, 1] <= box.y2)


def frame_times(seconds: float, rate: float, start: float = 0.0) -> list[float]:
    """The times of the frames."""
    return [start + number / rate for number in range(round(seconds * rate) + 1)]


def run_tracker(
    scene: ScriptedScene,
    times: Iterable[float],
    *,
    config: TrackerConfig | None = None,
    mechanisms: MechanismsConfig | None = None,
    lines: Sequence[Sequence[tuple[float, float]]] = (),
) -> list[tuple[float, list[Track]]]:
    """The tracks of a scene, frame by frame, each frame with its time."""
    tracker = Tracker(config or TrackerConfig(), mechanisms or MechanismsConfig(), "run", lines)
    return [(at, tracker.update(scene.observe(at), at)) for at in times]


def last_states(frames: list[tuple[float, list[Track]]]) -> dict[str, Track]:
    """Each track by its id, as it was returned last."""
    return {track.track_id: track for _, tracks in frames for track in tracks}

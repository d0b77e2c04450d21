"""Things that move in a picture that nobody paints: detections and corners by script. Not a test itself.

What tests of tracking share. A scene shows at any moment what an observer would see of it: the detector's boxes of its
things, and how the corners of a grid moved since the frame before, each with the thing that it lies on.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.config.schema import MechanismsConfig, TrackerConfig
from edge.core.frames import Detection
from edge.core.shapes import Box, Point
from edge.tracking.optical_flow import Displacements
from edge.tracking.tracker import Observation, Tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edge.core.tracks import Track

SIZE = (640, 360)
GRID = 10  # pixels between corners


def box_at(x: float, y: float, width: float = 100.0, height: float = 60.0) -> Box:
    """A box about (x, y); a car's, unless said otherwise."""
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def car(x: float, y: float = 200.0, confidence: float = 0.8, label: str = "car") -> Detection:
    """A car of 100 x 60 pixels about (x, y)."""
    return Detection(box_at(x, y), label, confidence)


def seen(*detections: Detection, moved: Displacements | None = None) -> Observation:
    """A frame with these boxes, in which nothing is known of motion, unless said otherwise."""
    return Observation(SIZE, detections, moved or Displacements.none())


def everything_moved(x: float, y: float, *, size: tuple[int, int] = SIZE) -> Displacements:
    """All corners of the picture went the same way."""
    points = corners(size)
    return Displacements(points, np.tile([x, y], (len(points), 1)).astype(np.float64), 2.0)


def corners(size: tuple[int, int] = SIZE) -> np.ndarray:
    """A grid over the picture, n x 2."""
    across, down = np.meshgrid(np.arange(GRID / 2, size[0], GRID), np.arange(GRID / 2, size[1], GRID))
    return np.stack([across.ravel(), down.ravel()], axis=1)


@dataclass(frozen=True)
class Thing:
    """Something that moves: where its middle is at a time in seconds, None while it is away.

    ``found`` says whether the detector sees it at a time; things in front hide those behind, and a thing of which less
    than half can be seen is not detected. ``is_solid``: it has corners of its own.
    """

    place: Callable[[float], tuple[float, float] | None]
    size: tuple[float, float] = (100.0, 60.0)
    label: str = "car"
    confidence: float = 0.8
    found: Callable[[float], bool] = lambda at: True
    is_solid: bool = True

    def box(self, at: float) -> Box | None:
        """Where it is."""
        middle = self.place(at)
        return None if middle is None else box_at(*middle, *self.size)


def going(start: float, speed: float, y: float = 200.0, since: float = 0.0) -> Callable[[float], tuple[float, float]]:
    """To the right at ``speed`` pixels a second, from x = ``start`` at ``since``; to the left when it is negative."""
    return lambda at: (start + speed * (at - since), y)


def by_way(*stops: tuple[float, float], y: float = 200.0) -> Callable[[float], tuple[float, float]]:
    """From one (time, x) to the next, where it stops for a moment; before the first and after the last it stands.

    It starts and stops as vehicles do, not at once.
    """
    times, places = zip(*stops, strict=True)

    def place(at: float) -> tuple[float, float]:
        legs = [leg for leg in itertools.pairwise(stops) if leg[0][0] <= at < leg[1][0]]
        if not legs:
            return (places[0] if at < times[0] else places[-1]), y
        ((since, start), (until, end)) = legs[0]
        share = (at - since) / (until - since)
        return start + (end - start) * share**2 * (3 - 2 * share), y

    return place


@dataclass
class Scripted:
    """A scene of things, the last one in front; ``observe`` in order of time."""

    things: Sequence[Thing]
    size: tuple[int, int] = SIZE
    flow: bool = True
    _before: float | None = None

    def observe(self, at: float) -> Observation:
        """What a frame at this time shows."""
        detections = []
        for number, thing in enumerate(self.things):
            box = thing.box(at)
            if box is None or not thing.found(at):
                continue
            visible = self._visible(box, number, at)
            if visible is not None:
                detections.append(Detection(visible, thing.label, thing.confidence))
        moved = self._moved(at) if self.flow and self._before is not None else Displacements.none()
        self._before = at
        return Observation(self.size, detections, moved)

    def _visible(self, box: Box, number: int, at: float) -> Box | None:
        cut = Box(max(box.x1, 0), max(box.y1, 0), min(box.x2, self.size[0]), min(box.y2, self.size[1]))
        if cut.x2 <= cut.x1 or cut.y2 <= cut.y1 or cut.area < 0.25 * box.area:
            return None
        for other in self.things[number + 1 :]:
            front = other.box(at)
            if front is None or not other.is_solid:
                continue
            across = min(cut.x2, front.x2) - max(cut.x1, front.x1)
            down = min(cut.y2, front.y2) - max(cut.y1, front.y1)
            if across > 0 and down > 0 and across * down > 0.5 * cut.area:
                return None
        return cut

    def _moved(self, at: float) -> Displacements:
        assert self._before is not None
        points = corners(self.size)
        moves = np.zeros_like(points)
        for thing in self.things:
            before, now = thing.box(self._before), thing.box(at)
            if before is None or not thing.is_solid:
                continue
            on = _within(points, before)
            moves[on] = (now.center.x - before.center.x, now.center.y - before.center.y) if now else np.nan
        # Whatever ends up behind another thing than the one that it lies on is lost.
        owner, later = self._owner(points, self._before), self._owner(points + np.nan_to_num(moves), at)
        moves[owner != later] = np.nan
        return Displacements(points, moves, 2.0)

    def _owner(self, points: np.ndarray, at: float) -> np.ndarray:
        found = np.full(len(points), -1)
        for number, thing in enumerate(self.things):
            box = thing.box(at)
            if box is not None and thing.is_solid:
                found[_within(points, box)] = number
        return found


def _within(points: np.ndarray, box: Box) -> np.ndarray:
    return (points[:, 0] >= box.x1) & (points[:, 0] <= box.x2) & (points[:, 1] >= box.y1) & (points[:, 1] <= box.y2)


def times(seconds: float, rate: float, start: float = 0.0) -> list[float]:
    """The moments of the frames."""
    return [start + n / rate for n in range(round(seconds * rate) + 1)]


def follow(
    scene: Scripted,
    moments: Iterable[float],
    *,
    config: TrackerConfig | None = None,
    mechanisms: MechanismsConfig | None = None,
    lines: Sequence[Sequence[tuple[float, float]]] = (),
) -> list[tuple[float, list[Track]]]:
    """The tracks of a scene, frame by frame."""
    tracker = Tracker(config or TrackerConfig(), mechanisms or MechanismsConfig(), "run", lines)
    return [(at, tracker.update(scene.observe(at), at)) for at in moments]


def middle_of(thing: Thing, at: float) -> Point:
    """Where it truly is."""
    box = thing.box(at)
    assert box is not None
    return box.center

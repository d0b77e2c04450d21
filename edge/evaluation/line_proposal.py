"""Proposes where a gate's line may lie, from the paths that vehicles took through a clip.

The line is perpendicular to the direction in which most of them drove, where most of them pass, and long enough for
all of them. The method is ours: a principal component of the moves gives the direction.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.core.line_geometry import signed_distance
from edge.core.shapes import Point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.config.schema import Config
    from edge.pipeline import FrameResult

    Floats = NDArray[np.float64]

_LEAST_MOVE = 2.0  # sides of the vehicle's box from the first point of a path to the last; a shorter one is not used
_EDGE_DISTANCE = 0.12  # of the frame along the vehicles' way: the line's least distance from the frame's edges
_INSIDE_DISTANCE = 0.2  # of the frame: distance of `inside` from the line
_END_DISTANCE = 0.01  # of the frame: least distance of the line's ends from the frame's edges
_MARGIN = 0.75  # sides of the vehicle's box by which the line is longer than the outermost vehicles need


class VehiclePath(NamedTuple):
    """The centres of a vehicle's box, in order of time, and the side of its box; pixels."""

    points: tuple[Point, ...]
    side: float


class ProposedLine(NamedTuple):
    """A line and a point on the floor's side, in fractions of the frame; ``passing`` of ``seen`` vehicles cross it."""

    line: tuple[tuple[float, float], tuple[float, float]]
    inside: tuple[float, float]
    passing: int
    seen: int


@dataclass(slots=True)
class PathCollector:
    """Collects the paths of tracks that the detector is sure to be vehicles."""

    config: Config
    size: tuple[int, int] = (1, 1)  # width and height of the frames
    _points: dict[str, list[Point]] = field(default_factory=dict)
    _side: dict[str, float] = field(default_factory=dict)
    _sure: set[str] = field(default_factory=set)

    def add(self, result: FrameResult) -> None:
        """Add what the pipeline made of one frame."""
        self.size = result.frame_time.size
        for track in result.tracks:
            if not track.followed:
                continue
            self._points.setdefault(track.track_id, []).append(track.box.center)
            self._side[track.track_id] = track.box.side
            vehicle_votes = sum(track.evidence.votes.get(name, 0.0) for name in self.config.counting.vehicle_classes)
            if track.evidence.best_confidence >= self.config.tracker.sure_confidence and vehicle_votes > 0:
                self._sure.add(track.track_id)

    def paths(self) -> list[VehiclePath]:
        """The paths that are long enough to have a direction."""
        paths = [
            VehiclePath(tuple(points), self._side[track_id])
            for track_id, points in self._points.items()
            if track_id in self._sure
        ]
        return [path for path in paths if math.dist(path.points[0], path.points[-1]) > _LEAST_MOVE * path.side]


def propose_line(paths: Sequence[VehiclePath], size: tuple[int, int]) -> ProposedLine | None:
    """A line for those paths in frames of ``size`` (width, height in pixels); None without any path."""
    if not paths:
        return None
    moves = np.array([[path.points[-1].x - path.points[0].x, path.points[-1].y - path.points[0].y] for path in paths])
    # The first principal component: the axis along which most of them drove, in either direction.
    along = np.linalg.eigh(moves.T @ moves)[1][:, 1]
    # `inside` is below the line, nearer to the camera, or right of it; the person turns it round where that is wrong.
    along = along if along[np.argmax(np.abs(along))] > 0 else -along
    across = np.array([-along[1], along[0]])
    points = [np.array(path.points) for path in paths]
    spans = [(float((centers @ along).min()), float((centers @ along).max())) for centers in points]
    place = _most_passed(spans, along, size)
    extents = []
    for path, centers in zip(paths, points, strict=True):
        offsets = centers @ along - place
        for number in np.flatnonzero((offsets[:-1] < 0) != (offsets[1:] < 0)):
            share = offsets[number] / (offsets[number] - offsets[number + 1])
            crossing = centers[number] + share * (centers[number + 1] - centers[number])
            margin = _MARGIN * path.side
            extents.append((float(crossing @ across) - margin, float(crossing @ across) + margin))
    foot = place * along
    ends = (min(low for low, _ in extents), max(high for _, high in extents))
    middle = foot + sum(extents[0]) / 2 * across
    first, last = (_end_inside_frame(foot + end * across, middle, size) for end in ends)
    passing = sum(
        1 for centers in points if ((centers @ along - place) < 0).any() and ((centers @ along - place) >= 0).any()
    )
    return ProposedLine((first, last), point_inside((first, last)), passing, len(paths))


def point_inside(line: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """A point below the line, or to the right of a steep one; fractions of the frame."""
    (ax, ay), (bx, by) = line[0], line[-1]
    length = math.hypot(bx - ax, by - ay)
    normal = (-(by - ay) / length, (bx - ax) / length)
    if (normal[1] if abs(normal[1]) >= abs(normal[0]) else normal[0]) < 0:
        normal = -normal[0], -normal[1]
    points = [Point(*point) for point in line]
    for distance in (_INSIDE_DISTANCE, _INSIDE_DISTANCE / 2, _INSIDE_DISTANCE / 4):
        x, y = (ax + bx) / 2 + distance * normal[0], (ay + by) / 2 + distance * normal[1]
        if 0 <= x <= 1 and 0 <= y <= 1 and abs(signed_distance(points, Point(x, y))) > _INSIDE_DISTANCE / 8:
            break
    return round(min(max(x, 0.0), 1.0), 4), round(min(max(y, 0.0), 1.0), 4)


def _most_passed(spans: list[tuple[float, float]], along: Floats, size: tuple[int, int]) -> float:
    """The place along the vehicles' way that most spans contain: the middle of the widest stretch of such places.

    ``spans`` are the least and the most of each path along the way, in pixels.
    """
    corners = [along[0] * x * size[0] + along[1] * y * size[1] for x in (0, 1) for y in (0, 1)]
    low, high = min(corners), max(corners)
    margin = _EDGE_DISTANCE * (high - low)
    low, high = low + margin, high - margin
    edges = sorted({low, high, *(min(max(edge, low), high) for span in spans for edge in span)})
    best = (0, 0.0, (low + high) / 2)
    for left, right in itertools.pairwise(edges):
        middle = (left + right) / 2
        best = max(best, (sum(first <= middle <= last for first, last in spans), right - left, middle))
    return float(best[2])


def _end_inside_frame(end: Floats, middle: Floats, size: tuple[int, int]) -> tuple[float, float]:
    """The end of a line in fractions of the frame; an end outside is moved towards ``middle`` until it is inside."""
    x, y = end / size
    to_x, to_y = np.clip(middle / size, _END_DISTANCE, 1 - _END_DISTANCE)
    share = 1.0
    for here, there in ((x, to_x), (y, to_y)):
        for edge in (_END_DISTANCE, 1 - _END_DISTANCE):
            if (here - edge) * (there - edge) < 0:
                share = min(share, (edge - there) / (here - there))
    return round(float(to_x + share * (x - to_x)), 4), round(float(to_y + share * (y - to_y)), 4)

"""Where a gate's line may lie: proposed from the ways that vehicles took through a clip.

The line stands across the way that most of them went, where the most of them pass, and is as long as they need.
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

# A way says something when it leads so many sides of the vehicle far.
LEAST_WAY = 2.0
# Of the frame: the line's distance from its edges; how far `inside` is from the line; how near its ends may come.
RIM, AWAY, END = 0.12, 0.2, 0.01
BESIDE = 0.75  # sides of a vehicle that the line reaches beyond the outermost ones


class Way(NamedTuple):
    """The places of a vehicle's middle, in order, and the side of its box; pixels."""

    points: tuple[Point, ...]
    side: float


class Proposal(NamedTuple):
    """A line and a point inside it, in fractions of the frame, and how many of how many vehicles pass it."""

    line: tuple[tuple[float, float], tuple[float, float]]
    inside: tuple[float, float]
    passing: int
    seen: int


@dataclass(slots=True)
class Ways:
    """Collects the ways of what the detector is sure to be vehicles."""

    config: Config
    size: tuple[int, int] = (1, 1)
    _points: dict[str, list[Point]] = field(default_factory=dict)
    _side: dict[str, float] = field(default_factory=dict)
    _sure: set[str] = field(default_factory=set)

    def watch(self, result: FrameResult) -> None:
        """What the pipeline made of one frame."""
        self.size = result.frame_time.size
        for track in result.tracks:
            if not track.followed:
                continue
            self._points.setdefault(track.track_id, []).append(track.box.center)
            self._side[track.track_id] = track.box.side
            named = sum(track.evidence.votes.get(name, 0.0) for name in self.config.counting.vehicle_classes)
            if track.evidence.best >= self.config.tracker.sure_confidence and named > 0:
                self._sure.add(track.track_id)

    def found(self) -> list[Way]:
        """The ways that lead anywhere."""
        ways = [Way(tuple(points), self._side[name]) for name, points in self._points.items() if name in self._sure]
        return [way for way in ways if math.dist(way.points[0], way.points[-1]) > LEAST_WAY * way.side]


def propose(ways: Sequence[Way], size: tuple[int, int]) -> Proposal | None:
    """A line for those ways in frames of ``size``; None without any."""
    if not ways:
        return None
    moves = np.array([[way.points[-1].x - way.points[0].x, way.points[-1].y - way.points[0].y] for way in ways])
    # The axis along which they went, whichever way: the first principal direction of their moves.
    along = np.linalg.eigh(moves.T @ moves)[1][:, 1]
    # Inside is below, nearer to the camera, or to the right: the person turns it round where that is wrong.
    along = along if along[np.argmax(np.abs(along))] > 0 else -along
    across = np.array([-along[1], along[0]])
    paths = [np.array(way.points) for way in ways]
    place = _most_passed([(float((path @ along).min()), float((path @ along).max())) for path in paths], along, size)
    ends = []
    for way, path in zip(ways, paths, strict=True):
        offsets = path @ along - place
        for number in np.flatnonzero((offsets[:-1] < 0) != (offsets[1:] < 0)):
            share = offsets[number] / (offsets[number] - offsets[number + 1])
            point = path[number] + share * (path[number + 1] - path[number])
            ends.append((float(point @ across) - BESIDE * way.side, float(point @ across) + BESIDE * way.side))
    middle = place * along
    line = tuple(
        _inside_frame(middle + edge * across, middle + sum(ends[0]) / 2 * across, size)
        for edge in (min(low for low, _ in ends), max(high for _, high in ends))
    )
    passing = sum(1 for path in paths if ((path @ along - place) < 0).any() and ((path @ along - place) >= 0).any())
    return Proposal((line[0], line[1]), inside_of(line), passing, len(ways))


def inside_of(line: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """A point below the line, or to the right of a steep one; fractions of the frame."""
    (ax, ay), (bx, by) = line[0], line[-1]
    length = math.hypot(bx - ax, by - ay)
    normal = (-(by - ay) / length, (bx - ax) / length)
    if (normal[1] if abs(normal[1]) >= abs(normal[0]) else normal[0]) < 0:
        normal = -normal[0], -normal[1]
    points = [Point(*point) for point in line]
    for away in (AWAY, AWAY / 2, AWAY / 4):
        x, y = (ax + bx) / 2 + away * normal[0], (ay + by) / 2 + away * normal[1]
        if 0 <= x <= 1 and 0 <= y <= 1 and abs(signed_distance(points, Point(x, y))) > AWAY / 8:
            break
    return round(min(max(x, 0.0), 1.0), 4), round(min(max(y, 0.0), 1.0), 4)


def _most_passed(spans: list[tuple[float, float]], along: Floats, size: tuple[int, int]) -> float:
    """The place along the way that most spans hold: the middle of the widest stretch of such places."""
    corners = [along[0] * x * size[0] + along[1] * y * size[1] for x in (0, 1) for y in (0, 1)]
    low, high = min(corners), max(corners)
    rim = RIM * (high - low)
    edges = sorted({low + rim, high - rim, *(min(max(edge, low + rim), high - rim) for span in spans for edge in span)})
    best = (0, 0.0, (low + high) / 2)
    for left, right in itertools.pairwise(edges):
        middle = (left + right) / 2
        best = max(best, (sum(first <= middle <= last for first, last in spans), right - left, middle))
    return float(best[2])


def _inside_frame(point: Floats, towards: Floats, size: tuple[int, int]) -> tuple[float, float]:
    """The point in fractions of the frame; one outside is moved along the line until it is inside."""
    x, y = point / size
    to_x, to_y = np.clip(towards / size, END, 1 - END)
    share = 1.0
    for here, there in ((x, to_x), (y, to_y)):
        for edge in (END, 1 - END):
            if (here - edge) * (there - edge) < 0:
                share = min(share, (edge - there) / (here - there))
    return round(float(to_x + share * (x - to_x)), 4), round(float(to_y + share * (y - to_y)), 4)

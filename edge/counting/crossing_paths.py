"""Follows all tracks across one gate's line: from tracks to line crossings.

``crossing_path.py`` follows one track. This module adds what needs more: a track has positions before it is confirmed,
which count once it is; its past before the detector first saw it is found out later; it may first appear beyond the
line (``unseen_crossing.py``), or turn out to be the continuation of a lost track.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.core.shapes import Point
from edge.counting.crossing_path import CrossingPath, LineCrossing, Position
from edge.counting.line import Line, dot
from edge.counting.parameters import DEFAULT_COUNTING
from edge.counting.unseen_crossing import FirstSight, find_unseen_crossing, is_covered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge.config.schema import GateConfig
    from edge.core.events import Direction
    from edge.core.tracks import Track
    from edge.counting.parameters import CountingParameters


@dataclass(slots=True)
class _TrackPath:
    """One track's path; ``waiting`` are positions that are not yet part of it, from before the track was confirmed."""

    path: CrossingPath
    first_sight: FirstSight
    waiting: list[Position] = field(default_factory=list)


class CrossingPaths:
    """The paths of a gate's tracks. Holds one small record for each track until ``end`` or a long gap."""

    def __init__(
        self, config: GateConfig, *, unseen_crossing: bool, parameters: CountingParameters = DEFAULT_COUNTING
    ) -> None:
        """``unseen_crossing`` turns the crossings of tracks on that are first seen just beyond the line."""
        self._config, self._unseen_crossing, self._parameters = config, unseen_crossing, parameters
        self._size = (1, 1)
        self._started_at = 0.0
        self._gap = 0.0
        self._at: float | None = None
        self._tracks: dict[str, _TrackPath] = {}
        self.line = Line(config, self._size)

    def __len__(self) -> int:
        """How many tracks are remembered."""
        return len(self._tracks)

    @property
    def frame_area(self) -> float:
        """Square pixels of the current frame."""
        width, height = self._size
        return float(width * height)

    def begin_frame(self, frame_size: tuple[int, int], at: float) -> None:
        """Prepare for a frame of ``frame_size`` (width, height) pixels taken at ``at``.

        After a long gap, or with another frame size, all paths begin anew: positions from before mean nothing.
        """
        gap = math.inf if self._at is None else at - self._at
        if frame_size != self._size or gap > self._parameters.restart_seconds:
            self._size, self.line = frame_size, Line(self._config, frame_size)
            self._started_at = at
            self._tracks.clear()
        self._gap = min(gap, self._parameters.restart_seconds)
        self._at = at

    def add(self, track: Track, tracks: Sequence[Track], at: float) -> list[LineCrossing]:
        """The line crossings that the track's position at ``at`` makes certain.

        ``tracks`` are all tracks of the frame that have not ended.
        """
        remembered = self._tracks.get(track.track_id)
        if remembered is None:
            remembered = _TrackPath(CrossingPath(self._config.dead_band), FirstSight(at, self._gap))
            self._tracks[track.track_id] = remembered
        position = self._position(track, at, track.box.center)
        if track.past is None:
            remembered.waiting.append(position)
            return []
        waiting, remembered.waiting = remembered.waiting, []
        if not remembered.path.is_empty:
            return self._extend(remembered, [*waiting, position])
        past = [self._position(track, past_at, center) for past_at, center in track.past]
        known = [*past, *(waiting or [position])]
        crossings = self._extend(remembered, known)
        if not crossings:
            crossings += self._unseen(track, remembered, known[0], tracks)
        return crossings + self._extend(remembered, [position])

    def continue_with(self, ended: Track) -> None:
        """Append the positions of a track that turned out to be a lost track to the lost track's path."""
        lost, continuation = self._tracks.get(ended.merged_into), self._tracks.get(ended.track_id)
        if lost is None or continuation is None:
            return
        lost.waiting += [self._position(ended, at, center) for at, center in ended.past or ()]
        lost.waiting += continuation.waiting
        continuation.waiting = []

    def end(self, track_id: str) -> CrossingPath | None:
        """Forget a track that ended, and return its path; None where a long gap has cleared it."""
        remembered = self._tracks.pop(track_id, None)
        return None if remembered is None else remembered.path

    def may_cross(self, track: Track, direction: Direction, seconds: float) -> bool:
        """Whether a track may cross in a direction in the next ``seconds``.

        It may not if it is beyond the line in that direction already, or if it was seen often and is too far from the
        line for its speed: it is parked, or drives away.
        """
        limits, remembered = self._parameters.lone_vehicle, self._tracks.get(track.track_id)
        side = 0 if remembered is None else remembered.path.side
        if side == direction.delta:
            return False
        if not side or track.evidence.sightings < limits.known_sightings:
            return True
        anchor = self._anchor(track, track.box.center)
        approach = dot(track.velocity, self.line.direction_inside(anchor)) * direction.delta
        reach = (max(approach, 0) + limits.speed_change * track.box.side) * seconds
        return reach > self._config.dead_band * track.box.side - self.line.distance(anchor) * direction.delta

    def distance(self, track: Track) -> float:
        """Pixels from the line to the track's anchor point, positive on the inside."""
        return self.line.distance(self._anchor(track, track.box.center))

    def _extend(self, remembered: _TrackPath, positions: Iterable[Position]) -> list[LineCrossing]:
        found = (remembered.path.add(self.line, position) for position in positions)
        return [crossing for crossing in found if crossing is not None]

    def _unseen(
        self, track: Track, remembered: _TrackPath, first: Position, tracks: Sequence[Track]
    ) -> list[LineCrossing]:
        side, sight, parameters = remembered.path.side, remembered.first_sight, self._parameters.unseen_crossing
        if not self._unseen_crossing or track.past_complete or not side:
            return []
        if first.at <= self._started_at + parameters.settling_seconds:
            return []
        found = ((other, self._tracks.get(other.track_id)) for other in tracks if other.followed)
        others = [(other, known.first_sight) for other, known in found if known is not None]
        if is_covered(track, sight, others, parameters):
            return []
        crossing = find_unseen_crossing(track, first, side, sight.gap, self.line, parameters)
        return [] if crossing is None else [crossing]

    def _position(self, track: Track, at: float, center: Point) -> Position:
        return Position(at, self._anchor(track, center), track.box.side)

    def _anchor(self, track: Track, center: Point) -> Point:
        if self._config.anchor == "center":
            return center
        return Point(center.x, center.y + track.box.height / 2)

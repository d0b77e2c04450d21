"""Holds a line crossing that waits to be decided, with the track that made it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.core.shapes import Point

if TYPE_CHECKING:
    from edge.core.events import Direction
    from edge.core.tracks import Track
    from edge.counting.crossing_path import LineCrossing


@dataclass(slots=True, eq=False)
class CrossingCandidate:
    """A track's line crossing that may count. Times are seconds on the frames' clock, velocities pixels a second.

    ``track`` is the track as it was last found, at ``track_at``. ``passing_seconds`` is how long the vehicle needs to
    pass the line, by its size and speed when it crossed. ``distance`` is how far it was from the line then, positive on
    the inside.
    """

    track: Track
    track_at: float
    crossing: LineCrossing
    made_at: float
    passing_seconds: float
    distance: float = 0
    same_vehicle: list[CrossingCandidate] = field(default_factory=list)  # candidates that are the same vehicle
    followed_closely: list[CrossingCandidate] = field(default_factory=list)  # candidates that it may be towed by
    is_decided: bool = False
    is_counted: bool = False
    is_learned: bool = False  # whether the gate has learned from it how surely vehicles are seen

    @property
    def track_id(self) -> str:
        """The track's id."""
        return self.track.track_id

    @property
    def direction(self) -> Direction:
        """The way in which the line was crossed."""
        return self.crossing.direction

    def expected_center(self, at: float) -> Point:
        """Where the middle of the vehicle is at ``at`` if it goes on at its velocity."""
        center, seconds = self.track.box.center, at - self.track_at
        return Point(center.x + self.track.velocity.x * seconds, center.y + self.track.velocity.y * seconds)


def make_candidate(
    track: Track, crossing: LineCrossing, at: float, distance: float, least_speed: float
) -> CrossingCandidate:
    """The candidate for a crossing that became certain at ``at``.

    ``least_speed`` (sizes a second) bounds the passing time of a vehicle that hardly moves.
    """
    length, speed = max(track.box.width, track.box.height), math.hypot(*track.velocity)
    passing_seconds = length / max(speed, least_speed * track.box.side)
    return CrossingCandidate(track, at, crossing, at, passing_seconds, distance)

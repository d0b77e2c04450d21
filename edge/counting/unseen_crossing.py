"""Finds crossings that were not seen: a track that first appears just beyond the line and drives away from it.

At a few frames a second, or when the detector finds a vehicle late, no position on the near side is known. The track
cannot have been there before when its past could not be followed any further, because something hid it or the detector
saw nothing of it. The method is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.shapes import Point
from edge.core.tracks import Reason
from edge.counting.crossing_path import LineCrossing, Position, direction_to
from edge.counting.line import dot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.tracks import Track
    from edge.counting.line import Line
    from edge.counting.parameters import UnseenCrossingParameters


@dataclass(frozen=True, slots=True)
class FirstSight:
    """When a track was first seen (seconds on the frames' clock), and the seconds since the frame before that one."""

    at: float
    gap: float


def find_unseen_crossing(
    track: Track, first: Position, side: int, gap: float, line: Line, parameters: UnseenCrossingParameters
) -> LineCrossing | None:
    """The crossing that a track must have made before its ``first`` known position, if it must.

    ``side`` is the side of the line on which it is; ``gap`` is that of its ``FirstSight``.
    """
    size = track.box.side
    speed_away = dot(track.velocity, line.direction_inside(first.point)) * side
    distance = line.distance(first.point) * side
    if speed_away <= parameters.least_speed * size or not 0 < distance < parameters.farthest * size:
        return None
    seconds = distance / speed_away
    if seconds >= max(parameters.longest_seconds, parameters.longest_gaps * gap):
        return None
    seconds_to_start = seconds + parameters.start_before_line * size / speed_away
    start = Point(
        first.point.x - track.velocity.x * seconds_to_start, first.point.y - track.velocity.y * seconds_to_start
    )
    if not line.is_crossed(start, first.point):
        return None
    return LineCrossing(direction_to(side), first.at - seconds, Reason.CROSSED_UNSEEN)


def is_covered(
    track: Track,
    first_sight: FirstSight,
    others: Iterable[tuple[Track, FirstSight]],
    parameters: UnseenCrossingParameters,
) -> bool:
    """Whether a track lies in the box of another one that is known for longer: it is a part of it, or was hidden by it.

    ``others`` are the tracks that were found in the same frame; ``track`` may be among them.
    """
    box = track.box
    return any(
        other.evidence.sightings >= parameters.cover_sightings
        and other_sight.at <= first_sight.at - parameters.cover_lead_seconds
        and other.box.side <= parameters.cover_size_ratio * box.side
        and other.box.area > box.area
        and box.overlap_area(other.box) > parameters.cover_share * box.area
        for other, other_sight in others
        if other.track_id != track.track_id
    )

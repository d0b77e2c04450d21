"""Decides whether two line crossings are of parts of one long vehicle: a cab and a trailer, a car and what it tows.

The parts cross one right after the other, so that ``same_vehicle.py`` does not find them in one place. The method is
ours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.core.shapes import Point
from edge.counting.decision.classification import mean_confidence
from edge.counting.decision.same_vehicle import axes_of, cross_together
from edge.counting.line import dot
from edge.counting.parameters import DEFAULT_COUNTING

if TYPE_CHECKING:
    from edge.core.tracks import Track
    from edge.counting.decision.candidate import CrossingCandidate
    from edge.counting.line import Line
    from edge.counting.parameters import CountingParameters, LongVehicleParameters


def is_part_of(
    part: CrossingCandidate,
    whole: CrossingCandidate,
    at: float,
    line: Line,
    parameters: CountingParameters = DEFAULT_COUNTING,
) -> bool:
    """Whether ``part`` is a part of the vehicle that ``whole`` stands for, as known at ``at``.

    Either the tracker found that one is a part of the other, or ``part`` is towed: it followed closely when it crossed,
    or does so now (a faint track may stumble), and is seen much less surely.
    """
    if not may_be_long_vehicle(part, whole, parameters):
        return False
    if whole.track_id in part.track.absorbed or part.track_id in whole.track.absorbed:
        return True
    follows = whole in part.followed_closely or follows_closely(part, whole, at, line, parameters)
    return follows and is_seen_less_surely(part.track, whole.track, parameters.long_vehicle)


def may_be_long_vehicle(
    a: CrossingCandidate, b: CrossingCandidate, parameters: CountingParameters = DEFAULT_COUNTING
) -> bool:
    """Whether two crossings are so near in time that they may be those of one long vehicle's parts."""
    return cross_together(a, b, parameters.long_vehicle.passing_share, parameters.same_vehicle)


def follows_closely(
    behind: CrossingCandidate,
    ahead: CrossingCandidate,
    at: float,
    line: Line,
    parameters: CountingParameters = DEFAULT_COUNTING,
) -> bool:
    """Whether ``behind`` is right behind ``ahead`` at ``at`` and as fast, as a trailer is."""
    limits, towed, towing = parameters.long_vehicle, behind.track, ahead.track
    axes = axes_of(behind, ahead, line.direction_inside(towed.box.center), parameters.same_vehicle)
    behind_center, ahead_center = behind.expected_center(at), ahead.expected_center(at)
    offset = Point(ahead_center.x - behind_center.x, ahead_center.y - behind_center.y)
    mean_length = (axes.length(towed.box) + axes.length(towing.box)) / 2
    mean_width = (axes.width(towed.box) + axes.width(towing.box)) / 2
    speed_difference = abs(dot(towed.velocity, axes.along) - dot(towing.velocity, axes.along))
    return (
        (1 - limits.overlap_share) * mean_length < dot(offset, axes.along) < (1 + limits.gap_share) * mean_length
        and abs(dot(offset, axes.across)) < limits.offset_share * mean_width
        and speed_difference < limits.speed_difference * math.hypot(*towing.velocity)
    )


def is_seen_less_surely(
    towed: Track, towing: Track, limits: LongVehicleParameters = DEFAULT_COUNTING.long_vehicle
) -> bool:
    """Whether one track is seen so much less surely than the other that the other may tow it."""
    return (
        mean_confidence(towed) < limits.mean_confidence_ratio * mean_confidence(towing)
        and towed.evidence.best_confidence < limits.best_confidence_ratio * towing.evidence.best_confidence
    )

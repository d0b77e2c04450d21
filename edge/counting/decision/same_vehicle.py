"""Decides whether two line crossings in one direction are of one vehicle.

The detector sees a vehicle twice - a part and the whole, a lamp and the car, once before and once after something hid
it - and each time may become a track of its own. But two vehicles cannot be in one place: where both would have been in
the same place when the later one crossed, they are one vehicle. And one vehicle cannot be in two places: tracks that
were surely seen in two places at the same time are two vehicles, also where one hides the other at the line. The method
is ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.events import VehicleType
from edge.core.shapes import Box, Point
from edge.counting.decision.classification import (
    dominant_label,
    has_unreliable_size,
    mean_confidence,
    usual_vehicle_side,
)
from edge.counting.line import DrivingAxes, dot
from edge.counting.parameters import DEFAULT_COUNTING

if TYPE_CHECKING:
    from edge.core.tracks import Track
    from edge.counting.decision.candidate import CrossingCandidate
    from edge.counting.line import Line
    from edge.counting.parameters import CountingParameters, SameVehicleParameters


def is_same_vehicle(
    a: CrossingCandidate,
    b: CrossingCandidate,
    at: float,
    line: Line,
    vehicle_classes: tuple[str, ...],
    parameters: CountingParameters = DEFAULT_COUNTING,
) -> bool:
    """Whether two crossings in one direction, the later made at ``at``, are of one vehicle. The order is irrelevant."""
    limits = parameters.same_vehicle
    if not cross_together(a, b, limits.passing_share, limits):
        return False
    first, second = a.track, b.track
    if max(first.apart.get(second.track_id, 0.0), second.apart.get(first.track_id, 0.0)) >= limits.apart_seconds:
        return False
    first_center, second_center = a.expected_center(at), b.expected_center(at)
    axes = axes_of(a, b, line.direction_inside(first_center), limits)
    offset = Point(first_center.x - second_center.x, first_center.y - second_center.y)
    offset_along, offset_across = abs(dot(offset, axes.along)), abs(dot(offset, axes.across))
    if _is_traced_part(first, second, axes, offset_across, limits):
        return True
    if _are_surely_different(first, second, limits) or _is_group_and_member(first, second, axes, offset_across, limits):
        return False
    first_unreliable = has_unreliable_size(first, vehicle_classes, parameters.classification)
    second_unreliable = has_unreliable_size(second, vehicle_classes, parameters.classification)
    first_box, second_box = _vehicle_box(first, first_unreliable), _vehicle_box(second, second_unreliable)
    near = limits.near_unsized if first_unreliable or second_unreliable else limits.near
    mean_length = (axes.length(first_box) + axes.length(second_box)) / 2
    mean_width = (axes.width(first_box) + axes.width(second_box)) / 2
    return offset_along < near * mean_length and offset_across < near * mean_width


def cross_together(a: CrossingCandidate, b: CrossingCandidate, share: float, limits: SameVehicleParameters) -> bool:
    """Whether two crossings are near in time: within ``share`` of the sum of both passing times, and a little more."""
    longest = share * (a.passing_seconds + b.passing_seconds) + limits.passing_slack_seconds
    return abs(a.crossing.at - b.crossing.at) <= longest


def axes_of(
    a: CrossingCandidate, b: CrossingCandidate, direction_inside: Point, limits: SameVehicleParameters
) -> DrivingAxes:
    """The axes of the direction in which both drive; of ``direction_inside`` where both stand."""
    velocity = Point(a.track.velocity.x + b.track.velocity.x, a.track.velocity.y + b.track.velocity.y)
    return DrivingAxes.of(velocity, direction_inside, limits.least_direction_speed)


def _is_traced_part(
    first: Track, second: Track, axes: DrivingAxes, offset_across: float, limits: SameVehicleParameters
) -> bool:
    """Whether one track was traced back into the other's box, and is in the same lane."""
    if first.part_of != second.track_id and second.part_of != first.track_id:
        return False
    widths = axes.width(first.box), axes.width(second.box)
    if _has_full_size(first, limits) and _has_full_size(second, limits):
        return offset_across < limits.traced_full_width_share * min(widths)
    return offset_across < limits.traced_width_share * sum(widths) / 2


def _has_full_size(track: Track, limits: SameVehicleParameters) -> bool:
    """Whether a track is as large as a vehicle is where it is."""
    usual = usual_vehicle_side(track)
    return usual is not None and track.box.side > limits.full_size_share * usual


def _are_surely_different(a: Track, b: Track, limits: SameVehicleParameters) -> bool:
    """Whether one is surely a motorcycle and the other surely a larger vehicle: the detector does not confuse these."""
    labels = {dominant_label(a.evidence.votes), dominant_label(b.evidence.votes)}
    are_sure = min(mean_confidence(a), mean_confidence(b)) > limits.different_confidence
    larger = {VehicleType.CAR, VehicleType.BUS, VehicleType.TRUCK}
    return are_sure and VehicleType.MOTORCYCLE in labels and bool(labels & larger)


def _is_group_and_member(
    first: Track, second: Track, axes: DrivingAxes, offset_across: float, limits: SameVehicleParameters
) -> bool:
    """Whether one box is about two vehicles abreast and the other about one of them."""
    large, small = (first, second) if first.box.area > second.box.area else (second, first)
    usual_width, usual_height = small.usual_size.width, small.usual_size.height
    if usual_width is None or usual_height is None:
        return False
    usual = Box(0, 0, usual_width, usual_height)
    width, length = axes.width(usual), axes.length(usual)
    narrow, wide = sorted((axes.width(first.box), axes.width(second.box)))
    return (
        limits.single_least_width * width < narrow < limits.single_most_width * width
        and wide > limits.group_least_width * width
        and axes.length(large.box) < limits.group_most_length * length
        and offset_across > limits.group_offset * narrow
    )


def _vehicle_box(track: Track, unreliable: bool) -> Box:
    """A box of the vehicle's probable size (its place has no meaning): of a lamp only a part of the vehicle is seen."""
    box, usual = track.box, usual_vehicle_side(track)
    if usual is None or usual <= box.side or not unreliable:
        return box
    scale = usual / box.side
    return Box(0, 0, box.width * scale, box.height * scale)

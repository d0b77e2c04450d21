"""A pass that waits to be decided, and whether two of them are one vehicle.

The detector sees a vehicle twice - a part and the whole, a lamp and the car, once before and once after something hid
it - and each time may be a track of its own. But two vehicles cannot be in one place. So passes in one direction are
held against each other: where both vehicles would have been in the same place as the second one passed, they are one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.core.events import VehicleType
from edge.core.shapes import Box, Point
from edge.counting.classify import MOTORCYCLE, elected, is_weak, usual_side
from edge.counting.parameters import DEFAULT_COUNTING

if TYPE_CHECKING:
    from edge.core.tracks import Track
    from edge.counting.crossing_path import Pass
    from edge.counting.line import Line
    from edge.counting.parameters import CountingParameters, LongVehicleParameters, SameVehicleParameters


@dataclass(slots=True, eq=False)
class Candidate:
    """A track's pass. ``track`` is the track as it was last found, at ``known_at``; velocities are pixels a second."""

    track: Track
    passed: Pass
    made_at: float
    known_at: float
    seconds_on_line: float  # for how long the vehicle covers the line, by its size and speed as it passed
    distance: float = 0.0  # from the line at that moment
    same_as: list[Candidate] = field(default_factory=list)
    behind: list[Candidate] = field(default_factory=list)  # those which it followed as closely as what they tow
    decided: bool = False
    counted: bool = False

    @classmethod
    def of(
        cls,
        track: Track,
        passed: Pass,
        at: float,
        distance: float,
        parameters: SameVehicleParameters = DEFAULT_COUNTING.same_vehicle,
    ) -> Candidate:
        """The pass that became certain at ``at``, with the track at ``distance`` from the line."""
        length, speed = max(track.box.width, track.box.height), math.hypot(*track.velocity)
        return cls(track, passed, at, at, length / max(speed, parameters.least_speed * track.box.side), distance)

    def found(self, track: Track, at: float) -> None:
        """The track was found again in a later frame."""
        self.track, self.known_at = track, at

    def expected(self, at: float) -> Point:
        """Where the middle of it is at ``at``."""
        middle, seconds = self.track.box.center, at - self.known_at
        return Point(middle.x + self.track.velocity.x * seconds, middle.y + self.track.velocity.y * seconds)


def one_vehicle(
    a: Candidate,
    b: Candidate,
    at: float,
    line: Line,
    vehicle_classes: tuple[str, ...],
    numbers: CountingParameters = DEFAULT_COUNTING,
) -> bool:
    """Whether two passes in one direction, the later made at ``at``, are of one vehicle."""
    parameters = numbers.same_vehicle
    if not _pass_together(a, b, parameters.passing_share, parameters.passing_slack_seconds):
        return False
    here, there = a.expected(at), b.expected(at)
    along = _direction(a, b, line, here, parameters)
    across = Point(-along.y, along.x)
    off = Point(here.x - there.x, here.y - there.y)
    off_along, off_across = abs(_dot(off, along)), abs(_dot(off, across))
    first, second = a.track, b.track
    if first.part_of == second.track_id or second.part_of == first.track_id:
        widths = _extent(first.box, across), _extent(second.box, across)
        limit = parameters.traced_width_share * sum(widths) / 2
        if _is_plausible(first, parameters) and _is_plausible(second, parameters):
            limit = parameters.traced_full_width_share * min(widths)
        if off_across < limit:
            return True
    if _are_called_differently(first, second, parameters):
        return False
    if _is_group_and_member(first, second, along, across, off_across, parameters):
        return False
    first_is_weak = is_weak(first, vehicle_classes, numbers.classification)
    second_is_weak = is_weak(second, vehicle_classes, numbers.classification)
    wide, narrow = _supposed(first, weak=first_is_weak), _supposed(second, weak=second_is_weak)
    near = parameters.near_unsized if first_is_weak or second_is_weak else parameters.near
    length = (_extent(wide, along) + _extent(narrow, along)) / 2
    breadth = (_extent(wide, across) + _extent(narrow, across)) / 2
    if off_along < near * length and off_across < near * breadth:
        return True
    return _share_inside(_moved(first.box, here), _moved(second.box, there)) > parameters.inside_share


def may_be_long(a: Candidate, b: Candidate, numbers: CountingParameters = DEFAULT_COUNTING) -> bool:
    """Whether two passes are so near in time that they may be those of one long vehicle's parts."""
    slack = numbers.same_vehicle.passing_slack_seconds
    return _pass_together(a, b, numbers.long_vehicle.passing_share, slack)


def _pass_together(a: Candidate, b: Candidate, share: float, slack: float) -> bool:
    return abs(a.passed.at - b.passed.at) <= share * (a.seconds_on_line + b.seconds_on_line) + slack


def follows_closely(
    a: Candidate, b: Candidate, at: float, line: Line, numbers: CountingParameters = DEFAULT_COUNTING
) -> bool:
    """Whether ``a`` went right behind ``b`` and exactly as fast, as a trailer does, as it passed at ``at``."""
    one, other, parameters = a.track, b.track, numbers.long_vehicle
    along = _direction(a, b, line, one.box.center, numbers.same_vehicle)
    across = Point(-along.y, along.x)
    here, there = a.expected(at), b.expected(at)
    off = Point(there.x - here.x, there.y - here.y)
    length = (_extent(one.box, along) + _extent(other.box, along)) / 2
    breadth = (_extent(one.box, across) + _extent(other.box, across)) / 2
    differs = abs(_dot(one.velocity, along) - _dot(other.velocity, along))
    return (
        (1 - parameters.overlap_share) * length < _dot(off, along) < (1 + parameters.gap_share) * length
        and abs(_dot(off, across)) < parameters.offset_share * breadth
        and differs < parameters.speed_difference * math.hypot(*other.velocity)
    )


def is_faint_beside(
    one: Track, other: Track, parameters: LongVehicleParameters = DEFAULT_COUNTING.long_vehicle
) -> bool:
    """Whether one is seen so much less surely than the other that it may be what that one tows."""
    return (
        _mean_confidence(one) < parameters.mean_confidence_ratio * _mean_confidence(other)
        and one.evidence.best < parameters.best_confidence_ratio * other.evidence.best
    )


def _mean_confidence(track: Track) -> float:
    evidence = track.evidence
    return sum(evidence.votes.values()) / evidence.seconds if evidence.seconds else 0.0


def _are_called_differently(a: Track, b: Track, parameters: SameVehicleParameters) -> bool:
    """Whether one is surely a motorcycle and the other surely another vehicle: nobody takes the one for the other."""
    names = {elected(a.evidence.votes), elected(b.evidence.votes)}
    sure = min(_mean_confidence(a), _mean_confidence(b)) > parameters.different_confidence
    return sure and MOTORCYCLE in names and bool(names & {VehicleType.CAR, VehicleType.BUS, VehicleType.TRUCK})


def _direction(a: Candidate, b: Candidate, line: Line, here: Point, parameters: SameVehicleParameters) -> Point:
    x, y = a.track.velocity.x + b.track.velocity.x, a.track.velocity.y + b.track.velocity.y
    length = math.hypot(x, y)
    return Point(x / length, y / length) if length > parameters.least_direction_speed else line.inwards(here)


def _dot(a: Point, b: Point) -> float:
    return a.x * b.x + a.y * b.y


def _extent(box: Box, way: Point) -> float:
    return box.width * abs(way.x) + box.height * abs(way.y)


def _is_plausible(track: Track, parameters: SameVehicleParameters) -> bool:
    """Whether a track is as large as a vehicle is where it is."""
    usual = usual_side(track)
    return usual is not None and track.box.side > parameters.full_size_share * usual


def _is_group_and_member(
    first: Track,
    second: Track,
    along: Point,
    across: Point,
    off_across: float,
    parameters: SameVehicleParameters,
) -> bool:
    large, small = (first, second) if first.box.area > second.box.area else (second, first)
    width, height = small.usual.width, small.usual.height
    if width is None or height is None:
        return False
    usual = Box(0.0, 0.0, width, height)
    narrow, broad = sorted((_extent(first.box, across), _extent(second.box, across)))
    width = _extent(usual, across)
    return (
        parameters.single_least_width * width < narrow < parameters.single_most_width * width
        and broad > parameters.group_least_width * width
        and _extent(large.box, along) < parameters.group_most_length * _extent(usual, along)
        and off_across > parameters.group_offset * narrow
    )


def _supposed(track: Track, *, weak: bool) -> Box:
    """A box as large as the vehicle is supposed to be: of a lamp only a part of it is seen."""
    box, usual = track.box, usual_side(track)
    if usual is None or usual <= box.side or not weak:
        return box
    times = usual / box.side
    return Box(0.0, 0.0, box.width * times, box.height * times)


def _moved(box: Box, middle: Point) -> Box:
    return Box(middle.x - box.width / 2, middle.y - box.height / 2, middle.x + box.width / 2, middle.y + box.height / 2)


def _share_inside(a: Box, b: Box) -> float:
    across = min(a.x2, b.x2) - max(a.x1, b.x1)
    down = min(a.y2, b.y2) - max(a.y1, b.y1)
    if across <= 0 or down <= 0:
        return 0.0
    return across * down / min(a.area, b.area)

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

if TYPE_CHECKING:
    from edge.core.tracks import Track
    from edge.counting.crossing_path import Pass
    from edge.counting.line import Line

# Middles this near, of the mean extent along and across the way, are those of one vehicle; for lamps and parts wider.
NEAR, NEAR_WEAK = 0.5, 0.6
INSIDE = 0.75  # share of one box in the other that makes it a part
# Across the way: a traced part is one vehicle with the whole when nearer than this, of the mean or the smaller extent.
PART_ACROSS, PART_ACROSS_SURE, PLAUSIBLE = 0.55, 0.5, 0.6
# A box about two vehicles abreast against one of them: extents across and along against the usual ones.
SINGLE_LEAST, SINGLE_MOST, GROUP_ACROSS, GROUP_ALONG, GROUP_OFF = 0.6, 1.4, 1.65, 1.6, 0.25
# What is towed: the gap to the one in front and the offset across, of the mean extents; difference in velocity, of it;
# and how surely it is seen, of that one's mean and best confidence.
TOW_GAP, TOW_OVERLAP, TOW_ACROSS, TOW_SPEED, TOW_MEAN, TOW_BEST = 0.4, 0.4, 0.6, 0.4, 0.45, 0.7
DIFFERENT_SURE = 0.3  # mean confidence with which two are seen and called differently
# Seconds that a vehicle is on the line are its length by its speed, which is at least so many sides a second.
SLOWEST, SLOT, SLOT_SLACK = 0.4, 0.6, 0.3
SLOT_LONG = 1.0  # the same for the two ends of a long vehicle, or for what it tows


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
    def of(cls, track: Track, passed: Pass, at: float, distance: float) -> Candidate:
        """The pass that became certain at ``at``, with the track at ``distance`` from the line."""
        length, speed = max(track.box.width, track.box.height), math.hypot(*track.velocity)
        return cls(track, passed, at, at, length / max(speed, SLOWEST * track.box.side), distance)

    def found(self, track: Track, at: float) -> None:
        """The track was found again in a later frame."""
        self.track, self.known_at = track, at

    def expected(self, at: float) -> Point:
        """Where the middle of it is at ``at``."""
        middle, seconds = self.track.box.center, at - self.known_at
        return Point(middle.x + self.track.velocity.x * seconds, middle.y + self.track.velocity.y * seconds)


def one_vehicle(a: Candidate, b: Candidate, at: float, line: Line, vehicle_classes: tuple[str, ...]) -> bool:
    """Whether two passes in one direction, the later made at ``at``, are of one vehicle."""
    if not _pass_together(a, b, SLOT):
        return False
    here, there = a.expected(at), b.expected(at)
    along = _direction(a, b, line, here)
    across = Point(-along.y, along.x)
    off = Point(here.x - there.x, here.y - there.y)
    off_along, off_across = abs(_dot(off, along)), abs(_dot(off, across))
    first, second = a.track, b.track
    if first.part_of == second.track_id or second.part_of == first.track_id:
        widths = _extent(first.box, across), _extent(second.box, across)
        limit = PART_ACROSS * sum(widths) / 2
        if _is_plausible(first) and _is_plausible(second):
            limit = PART_ACROSS_SURE * min(widths)
        if off_across < limit:
            return True
    if _are_called_differently(first, second):
        return False
    if _is_group_and_member(first, second, along, across, off_across):
        return False
    wide, narrow = _supposed(first, vehicle_classes), _supposed(second, vehicle_classes)
    near = NEAR_WEAK if is_weak(first, vehicle_classes) or is_weak(second, vehicle_classes) else NEAR
    length = (_extent(wide, along) + _extent(narrow, along)) / 2
    breadth = (_extent(wide, across) + _extent(narrow, across)) / 2
    if off_along < near * length and off_across < near * breadth:
        return True
    return _share_inside(_moved(first.box, here), _moved(second.box, there)) > INSIDE


def may_be_long(a: Candidate, b: Candidate) -> bool:
    """Whether two passes are so near in time that they may be those of one long vehicle's parts."""
    return _pass_together(a, b, SLOT_LONG)


def _pass_together(a: Candidate, b: Candidate, slot: float) -> bool:
    return abs(a.passed.at - b.passed.at) <= slot * (a.seconds_on_line + b.seconds_on_line) + SLOT_SLACK


def follows_closely(a: Candidate, b: Candidate, at: float, line: Line) -> bool:
    """Whether ``a`` went right behind ``b`` and exactly as fast, as a trailer does, as it passed at ``at``."""
    one, other = a.track, b.track
    along = _direction(a, b, line, one.box.center)
    across = Point(-along.y, along.x)
    here, there = a.expected(at), b.expected(at)
    off = Point(there.x - here.x, there.y - here.y)
    length = (_extent(one.box, along) + _extent(other.box, along)) / 2
    breadth = (_extent(one.box, across) + _extent(other.box, across)) / 2
    differs = abs(_dot(one.velocity, along) - _dot(other.velocity, along))
    return (
        (1 - TOW_OVERLAP) * length < _dot(off, along) < (1 + TOW_GAP) * length
        and abs(_dot(off, across)) < TOW_ACROSS * breadth
        and differs < TOW_SPEED * math.hypot(*other.velocity)
    )


def is_faint_beside(one: Track, other: Track) -> bool:
    """Whether one is seen so much less surely than the other that it may be what that one tows."""
    return (
        _mean_confidence(one) < TOW_MEAN * _mean_confidence(other)
        and one.evidence.best < TOW_BEST * other.evidence.best
    )


def _mean_confidence(track: Track) -> float:
    evidence = track.evidence
    return sum(evidence.votes.values()) / evidence.seconds if evidence.seconds else 0.0


def _are_called_differently(a: Track, b: Track) -> bool:
    """Whether one is surely a motorcycle and the other surely another vehicle: nobody takes the one for the other."""
    names = {elected(a.evidence.votes), elected(b.evidence.votes)}
    sure = min(_mean_confidence(a), _mean_confidence(b)) > DIFFERENT_SURE
    return sure and MOTORCYCLE in names and bool(names & {VehicleType.CAR, VehicleType.BUS, VehicleType.TRUCK})


def _direction(a: Candidate, b: Candidate, line: Line, here: Point) -> Point:
    x, y = a.track.velocity.x + b.track.velocity.x, a.track.velocity.y + b.track.velocity.y
    length = math.hypot(x, y)
    return Point(x / length, y / length) if length > 1e-6 else line.inwards(here)


def _dot(a: Point, b: Point) -> float:
    return a.x * b.x + a.y * b.y


def _extent(box: Box, way: Point) -> float:
    return box.width * abs(way.x) + box.height * abs(way.y)


def _is_plausible(track: Track) -> bool:
    """Whether a track is as large as a vehicle is where it is."""
    usual = usual_side(track)
    return usual is not None and track.box.side > PLAUSIBLE * usual


def _is_group_and_member(first: Track, second: Track, along: Point, across: Point, off_across: float) -> bool:
    large, small = (first, second) if first.box.area > second.box.area else (second, first)
    width, height = small.usual.width, small.usual.height
    if width is None or height is None:
        return False
    usual = Box(0.0, 0.0, width, height)
    narrow, broad = sorted((_extent(first.box, across), _extent(second.box, across)))
    return (
        SINGLE_LEAST * _extent(usual, across) < narrow < SINGLE_MOST * _extent(usual, across)
        and broad > GROUP_ACROSS * _extent(usual, across)
        and _extent(large.box, along) < GROUP_ALONG * _extent(usual, along)
        and off_across > GROUP_OFF * narrow
    )


def _supposed(track: Track, vehicle_classes: tuple[str, ...]) -> Box:
    """A box as large as the vehicle is supposed to be: of a lamp only a part of it is seen."""
    box, usual = track.box, usual_side(track)
    if usual is None or usual <= box.side or not is_weak(track, vehicle_classes):
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
    return across * down / max(min(a.area, b.area), 1e-6)

"""Holds the state of one living track; the rules by which it changes are our own.

Boxes are float arrays of left, top, right, bottom in pixels of the frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.core.shapes import Box, Point
from edge.core.tracks import Track, TrackState
from edge.tracking.boxes import LEAST_AREA, center, edges_cut_by_view, hidden_edge, side_of
from edge.tracking.motion import ConstantVelocity
from edge.tracking.relations import Relations
from edge.tracking.retrace import Origin
from edge.tracking.sightings import EvidenceTally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.tracks import UsualSize
    from edge.tracking.boxes import Floats
    from edge.tracking.observer import FrameStep
    from edge.tracking.optical_flow import Shift
    from edge.tracking.parameters import TrackingParameters
    from edge.tracking.sightings import Sighting


class Birth(NamedTuple):
    """When a track was first detected, the seconds since the frame before, and the detection's box."""

    at: float
    gap: float
    box: Floats


class LastSighting(NamedTuple):
    """The last sighting that was matched to a track; ``is_part`` where its box shows only a part of the vehicle."""

    at: float
    box: Floats
    label: str
    confidence: float
    is_part: bool


class Fix(NamedTuple):
    """The last position that was measured and not only predicted."""

    at: float
    position: Point
    velocity: Point
    resting: bool


@dataclass(slots=True)
class Rest:
    """For how many seconds a track has been standing, and where it was when it began to."""

    position: Point
    seconds: float = 0.0


@dataclass(slots=True, eq=False)
class Tracklet:
    """A living track. ``seen`` and ``shift`` are those of the current frame.

    ``shift`` is how the picture under the box moved since the frame before, where that is the track's own motion.
    """

    number: int
    parameters: TrackingParameters
    birth: Birth
    motion: ConstantVelocity
    width: float
    height: float
    last: LastSighting
    fix: Fix
    rest: Rest
    seen: bool = True
    shift: Shift | None = None
    part_seconds: float = 0.0  # for how long its boxes have shown a part only
    origin: Origin | None = None  # known as soon as the track is confirmed
    evidence: EvidenceTally = field(default_factory=EvidenceTally)
    relations: Relations = field(default_factory=Relations)

    @classmethod
    def start(
        cls, number: int, sighting: Sighting, velocity: Point | None, step: FrameStep, sure: bool,
        parameters: TrackingParameters,
    ) -> Tracklet:  # fmt: skip
        """Return a new track of a sighting; ``velocity`` is what optical flow measured at its place, if anything."""
        box = sighting.box
        width, height = float(box[2] - box[0]), float(box[3] - box[1])
        middle = Point(*center(box))
        motion = ConstantVelocity.start(middle, side_of(width, height), velocity, step.seconds, sure, parameters.motion)
        last = LastSighting(step.at, box, sighting.label, sighting.confidence, is_part=False)
        fix, birth = Fix(step.at, middle, motion.velocity, resting=False), Birth(step.at, step.seconds, box)
        new = cls(number, parameters, birth, motion, width, height, last, fix, Rest(middle))
        new.evidence.add(sighting, min(step.seconds, parameters.life.detection_seconds))
        return new

    @property
    def size(self) -> float:
        """The side of a square as large as the box, in pixels."""
        return side_of(self.width, self.height)

    @property
    def box(self) -> Floats:
        """The box of the whole vehicle now, where it is seen and where it is hidden."""
        x, y = self.motion.x, self.motion.y
        return np.array([x - self.width / 2, y - self.height / 2, x + self.width / 2, y + self.height / 2])

    @property
    def followed(self) -> bool:
        """Whether the detector or optical flow found the track in this frame."""
        return self.seen or self.shift is not None

    @property
    def known(self) -> bool:
        """Whether it was detected so often that its size and velocity are known."""
        return self.evidence.sightings >= self.parameters.life.known_sightings

    @property
    def resting(self) -> bool:
        """Whether it was seen standing still for a while."""
        life = self.parameters.life
        return self.evidence.sightings > life.known_sightings + 1 and self.rest.seconds > life.rest_seconds

    @property
    def confirmed(self) -> bool:
        """Whether enough was seen of it to take it for an object."""
        return self.origin is not None

    def can_be_confirmed(self, at: float) -> bool:
        """Whether enough was seen of it to look for its origin."""
        life = self.parameters.life
        is_second = self.evidence.sightings == life.known_sightings - 1
        return self.known or (is_second and at - self.birth.at >= life.confirm_seconds)

    def visible_share(self, view: Box) -> float:
        """Return the share of its box that is inside the view."""
        x1, y1, x2, y2 = self.box
        across = max(0.0, min(x2, view.x2) - max(x1, view.x1))
        down = max(0.0, min(y2, view.y2) - max(y1, view.y1))
        return float(across * down / max(self.width * self.height, LEAST_AREA))

    def advance(self, shift: Shift | None, seconds: float, scale: float) -> None:
        """Move on to the next frame by the velocity, and by the picture's ``shift`` where it is the track's own motion.

        ``scale`` is the number of frame pixels for each pixel of optical flow.
        """
        limits = self.parameters.motion
        before, variance = self.motion.position, self.motion.position_variance
        velocity, speed, deviation = self.motion.velocity, self.motion.speed, math.sqrt(self.motion.velocity_variance)
        self.motion.predict(seconds, self.size)
        self.evidence.fade(math.exp(-seconds / self.parameters.life.peak_fade_seconds))
        self.shift = None
        if self.resting and not self.seen:
            # Something stands in front of it; what moves there is not its own motion.
            self.motion.stop_at(before)
            return
        if shift is None or shift.share < limits.flow_share:
            if self.resting:
                self.motion.stop_at(before)
            return
        vx, vy = shift.x / seconds, shift.y / seconds
        most = limits.shift_deviations * deviation + limits.shift_speed * speed + limits.shift_pixels * scale / seconds
        is_known = self.evidence.sightings > self.parameters.life.known_sightings
        if is_known and math.hypot(vx - velocity.x, vy - velocity.y) > most:
            return
        length = math.hypot(shift.x, shift.y)
        is_fast = speed > limits.background_speed * self.size
        if not self.seen and is_fast and length < limits.background_share * speed * seconds:
            return
        self.shift = shift
        self.evidence.add_path(length)
        error = limits.flow_place * self.size + limits.flow_place_pixels * scale
        most_error = limits.flow_lost * self.size
        self.motion.correct_by_shift(before.x + shift.x, before.y + shift.y, error, variance, most_error)
        speed_error = (limits.flow_speed * self.size + limits.flow_place_pixels * scale) / seconds
        self.motion.correct_velocity(vx, vy, speed_error)

    def expect(self) -> None:
        """Mark the track as not seen, until one of the frame's sightings is matched to it."""
        self.seen = False

    def confirm(self, origin: Origin) -> None:
        """Confirm the track; its ``origin`` does not change any more."""
        self.origin = origin

    def match(
        self, sighting: Sighting, step: FrameStep, usual_size: UsualSize, *, partial_boxes: bool, sure: bool
    ) -> None:
        """Correct the track by the sighting that was matched to it.

        ``usual_size`` is that of vehicles at its place. With ``partial_boxes``, a box that shows only a part of the
        vehicle is extended to the whole.
        """
        parts, life, motion = self.parameters.parts, self.parameters.life, self.parameters.motion
        expected, box = self.box, sighting.box
        middle, extent, is_part = [0.0, 0.0], [0.0, 0.0], False
        may_be_part = partial_boxes and self._may_be_part(box, step, usual_size)
        for axis in (0, 1):
            low, high, whole = float(box[axis]), float(box[axis + 2]), float(expected[axis + 2] - expected[axis])
            middle[axis], extent[axis] = (low + high) / 2, high - low
            is_short = may_be_part and extent[axis] < parts.smaller * whole
            if is_short and (hidden := hidden_edge(box, expected, axis, step.view, parts)):
                middle[axis] = low + whole / 2 if hidden > 0 else high - whole / 2
                extent[axis], is_part = whole, True
        certainty = max(motion.least_confidence_share, min(1.0, sighting.confidence / motion.full_confidence))
        error = motion.seen_place * self.size / certainty
        self.motion.correct_position(middle[0], middle[1], error * (motion.part_error if is_part else 1))
        share = 1 - math.exp(-step.seconds / (life.size_seconds_sure if sure else life.size_seconds_weak))
        self.width += share * (extent[0] - self.width)
        self.height += share * (extent[1] - self.height)
        self.last = LastSighting(step.at, box, sighting.label, sighting.confidence, is_part)
        self.seen = True
        self.part_seconds = self.part_seconds + step.seconds if is_part else 0.0
        self.evidence.add(sighting, min(step.seconds, life.detection_seconds))

    def _may_be_part(self, box: Floats, step: FrameStep, usual_size: UsualSize) -> bool:
        parts = self.parameters.parts
        if self.evidence.sightings <= self.parameters.life.known_sightings or self.part_seconds >= parts.most_seconds:
            return False
        usual_side = math.inf
        if usual_size.width is not None and usual_size.height is not None:
            usual_side = side_of(usual_size.width, usual_size.height)
        return self.size < parts.too_large * usual_side and not self._drives_away(box, step)

    def _drives_away(self, box: Floats, step: FrameStep) -> bool:
        """Whether the box is smaller because the vehicle drives away: alike on both axes, not too fast, not cut."""
        parts = self.parameters.parts
        across, down = float(box[2] - box[0]) / self.width, float(box[3] - box[1]) / self.height
        is_smaller = max(across, down) < parts.away_smaller
        is_slow = math.sqrt(across * down) > math.exp(-parts.away_rate * step.seconds)
        is_alike = 1 / parts.away_alike < across / down < parts.away_alike
        moves = self.motion.speed > parts.away_speed * self.size
        is_cut = any(any(edges_cut_by_view(box, axis, step.view, parts)) for axis in (0, 1))
        return moves and is_smaller and is_slow and is_alike and not is_cut

    def update_rest(self, seconds: float) -> None:
        """Update for how long it has been standing, at the end of a frame."""
        life, position = self.parameters.life, self.motion.position
        distance = math.hypot(position.x - self.rest.position.x, position.y - self.rest.position.y)
        if self.motion.speed < life.still_speed * self.size and distance < life.still_distance * self.size:
            self.rest.seconds += seconds if self.seen else 0.0
        else:
            self.rest = Rest(position)

    def save_fix(self, at: float) -> None:
        """Remember the position of a frame in which it was found."""
        self.fix = Fix(at, self.motion.position, self.motion.velocity, self.resting)

    def continue_as(self, later: Tracklet, at: float) -> None:
        """Go on as ``later``, a new track that turned out to be this vehicle seen again."""
        self.motion, self.width, self.height = later.motion, later.width, later.height
        self.last, self.seen, self.shift = later.last, later.seen, later.shift
        self.evidence.merge(later.evidence)
        self.rest = Rest(later.motion.position)
        self.save_fix(at)
        for number, seconds in later.relations.apart.items():
            self.relations.apart[number] = self.relations.apart.get(number, 0.0) + seconds
        later.relations.merged_into = self.number

    def to_track(self, names: Mapping[int, str], usual_size: UsualSize, *, ended: bool) -> Track:
        """Return what other rooms need; ``names`` holds the ids of the living and ending tracks by number."""
        if ended:
            state = TrackState.ENDED
        elif not self.followed:
            state = TrackState.LOST
        else:
            state = TrackState.CONFIRMED if self.confirmed else TrackState.TENTATIVE
        origin = self.origin or Origin()
        return Track(
            track_id=names[self.number],
            state=state,
            box=Box(*map(float, self.box)),
            label=self.last.label,
            confidence=self.last.confidence,
            at=self.last.at,
            velocity=self.motion.velocity,
            followed=self.followed,
            resting=self.resting,
            evidence=self.evidence.result(),
            usual_size=usual_size,
            past=origin.past if self.confirmed else None,
            past_complete=origin.complete,
            part_of=names.get(origin.part_of, ""),
            absorbed=tuple(names[number] for number in self.relations.absorbed if number in names),
            apart={names[number]: seconds for number, seconds in self.relations.apart.items() if number in names},
            merged_into=names.get(self.relations.merged_into, ""),
        )

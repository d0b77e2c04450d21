"""One track while it lives: where it is, how large, what it was called, and since when."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.core.shapes import Box, Point
from edge.core.tracks import STILL, Evidence, Track, TrackState
from edge.tracking.motion import ConstantVelocity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.tracks import Usual
    from edge.tracking.boxes import Floats
    from edge.tracking.optical_flow import Shift
    from edge.tracking.parameters import PartParameters, TrackingParameters


class Touch(NamedTuple):
    """Two tracks side by side while both were seen: the other one's box and this one's, and when."""

    at: float
    own: Floats
    other: Floats


@dataclass(slots=True, eq=False)
class Tracklet:
    """A track on its way. Boxes are rows of left, top, right, bottom in pixels of the frame."""

    number: int
    motion: ConstantVelocity
    width: float
    height: float
    born: float
    gap: float  # seconds from the frame before to the first one
    first_box: Floats
    label: str
    last_seen: float
    matched: Floats  # the detection's box that was matched last
    parameters: TrackingParameters
    seen: bool = True
    shift: Shift | None = None  # what the picture says of this frame, where it can be believed
    confidence: float = 0.0
    sightings: int = 0
    seconds: float = 0.0
    best: float = 0.0
    votes: dict[str, float] = field(default_factory=dict)
    fading: float = 0.0
    peak: float = 0.0
    person_seconds: float = 0.0
    path: float = 0.0
    rest_from: Point = STILL
    rested: float = 0.0
    was_resting: bool = False
    partial: bool = False
    partial_seconds: float = 0.0
    shadowed: float = 0.0
    known_at: float = 0.0
    known_place: Point = STILL
    known_velocity: Point = STILL
    past: list[tuple[float, Point]] | None = None
    past_whole: bool = False
    part_of: int = 0
    stitch_tried: bool = False
    touches: dict[int, Touch] = field(default_factory=dict)
    absorbed: list[int] = field(default_factory=list)
    merged_into: int = 0

    @classmethod
    def begin(
        cls, number: int, box: Floats, confidence: float, votes: Mapping[str, float], velocity: Point | None,
        at: float, gap: float, sure: bool, parameters: TrackingParameters,
    ) -> Tracklet:  # fmt: skip
        """A new track of a detection at ``at``, ``gap`` seconds after the frame before."""
        width, height = float(box[2] - box[0]), float(box[3] - box[1])
        middle = Point(float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
        motion = ConstantVelocity.begin(middle, _side(width, height), velocity, gap, sure, parameters.motion)
        new = cls(number, motion, width, height, at, gap, box, "", at, box, parameters)
        new.rest_from = middle
        new._vote(confidence, votes, gap)
        new.remember(at)
        return new

    @property
    def size(self) -> float:
        """The side of a square as large as the box."""
        return _side(self.width, self.height)

    @property
    def box(self) -> Floats:
        """Where the whole of it is now."""
        x, y = self.motion.x, self.motion.y
        return np.array([x - self.width / 2, y - self.height / 2, x + self.width / 2, y + self.height / 2])

    @property
    def followed(self) -> bool:
        """Whether the detector or the picture itself told where it is in this frame."""
        return self.seen or self.shift is not None

    @property
    def resting(self) -> bool:
        """Whether it was seen standing still for a while."""
        life = self.parameters.life
        return self.sightings > life.known_sightings + 1 and self.rested > life.rest_seconds

    @property
    def confirmed(self) -> bool:
        """Whether it is more than a flash."""
        return self.past is not None

    def ripe(self, at: float) -> bool:
        """Whether enough was seen of it to look for its past."""
        life = self.parameters.life
        known = life.known_sightings
        return self.sightings >= known or (self.sightings == known - 1 and at - self.born >= life.confirm_seconds)

    def go_on(self, shift: Shift | None, seconds: float, pixel: float) -> None:
        """To the next frame: by its velocity, and by what the picture says where that can be believed."""
        p, life = self.parameters.motion, self.parameters.life
        before, known = self.motion.position, self.motion.place
        speed, deviation = self.motion.speed, math.sqrt(self.motion.pace)
        velocity = self.motion.velocity
        self.motion.predict(seconds, self.size)
        self.fading *= math.exp(-seconds / life.peak_fade_seconds)
        self.shift = None
        if self.resting and not self.seen:
            # Something stands in front of it; what moves there is not its own motion.
            self.motion.stand(before)
            return
        if shift is None or shift.share < p.flow_share:
            if self.resting:
                self.motion.stand(before)
            return
        vx, vy = shift.x / seconds, shift.y / seconds
        limit = p.shift_deviations * deviation + p.shift_speed * speed + p.shift_pixels * pixel / seconds
        if self.sightings > life.known_sightings and math.hypot(vx - velocity.x, vy - velocity.y) > limit:
            return
        way = math.hypot(shift.x, shift.y)
        if not self.seen and speed > p.background_speed * self.size and way < p.background_share * speed * seconds:
            return
        self.shift = shift
        self.path += way
        error, most = p.flow_place * self.size + p.flow_place_pixels * pixel, p.flow_lost * self.size
        self.motion.follow(before.x + shift.x, before.y + shift.y, error, known, most)
        self.motion.clock(vx, vy, (p.flow_speed * self.size + p.flow_place_pixels * pixel) / seconds)

    def match(
        self, box: Floats, confidence: float, votes: Mapping[str, float], at: float, seconds: float,
        frame_size: tuple[int, int], usual: Usual, *, parts: bool, sure: bool,
    ) -> None:  # fmt: skip
        """It was seen: ``box`` is the detection's. With ``parts``, a box of a part moves the whole rightly."""
        p, life, motion = self.parameters.parts, self.parameters.life, self.parameters.motion
        expected = self.box
        middle, extent, partial = [0.0, 0.0], [0.0, 0.0], False
        may_be_part = parts and self.sightings > life.known_sightings and self.partial_seconds < p.most_seconds
        if may_be_part and usual.width is not None and usual.height is not None:
            may_be_part = self.size < p.too_large * _side(usual.width, usual.height)
        may_be_part = may_be_part and not self._is_further_away(box, seconds, frame_size)
        for axis in (0, 1):
            whole = float(expected[axis + 2] - expected[axis])
            middle[axis], extent[axis] = float(box[axis] + box[axis + 2]) / 2, float(box[axis + 2] - box[axis])
            if may_be_part and extent[axis] < p.smaller * whole:
                edge = _free_edge(box, expected, axis, whole, frame_size, p)
                if edge:
                    middle[axis] = float(box[axis]) + whole / 2 if edge < 0 else float(box[axis + 2]) - whole / 2
                    extent[axis], partial = whole, True
        error = (
            motion.seen_place
            * self.size
            / max(motion.least_confidence_share, min(1.0, confidence / motion.full_confidence))
        )
        self.motion.see(middle[0], middle[1], error * (motion.part_error if partial else 1))
        share = 1 - math.exp(-seconds / (life.size_seconds_sure if sure else life.size_seconds_weak))
        self.width += share * (extent[0] - self.width)
        self.height += share * (extent[1] - self.height)
        self.partial, self.matched, self.last_seen, self.seen = partial, box, at, True
        self.partial_seconds = self.partial_seconds + seconds if partial else 0.0
        self._vote(confidence, votes, seconds)

    def _is_further_away(self, box: Floats, seconds: float, frame_size: tuple[int, int]) -> bool:
        """Whether its box is smaller as that of what drives away: both ways alike, not too fast, not cut."""
        p = self.parameters.parts
        across, down = float(box[2] - box[0]) / self.width, float(box[3] - box[1]) / self.height
        smaller = max(across, down) < p.away_smaller and math.sqrt(across * down) > math.exp(-p.away_rate * seconds)
        alike = 1 / p.away_alike < across / down < p.away_alike
        moves = self.motion.speed > p.away_speed * self.size
        return moves and smaller and alike and not any(any(_cut(box, axis, frame_size, p)) for axis in (0, 1))

    def rest(self, seconds: float) -> None:
        """Notice whether it stands still, at the end of a frame."""
        life, position = self.parameters.life, self.motion.position
        way = math.hypot(position.x - self.rest_from.x, position.y - self.rest_from.y)
        if self.motion.speed < life.still_speed * self.size and way < life.still_distance * self.size:
            self.rested += seconds if self.seen else 0.0
        else:
            self.rested, self.rest_from = 0.0, position

    def remember(self, at: float) -> None:
        """Keep the last place that was not a guess."""
        self.known_at, self.known_place, self.known_velocity = at, self.motion.position, self.motion.velocity
        self.was_resting = self.resting

    def take_over(self, other: Tracklet, at: float) -> None:
        """Go on as ``other``, which turned out to be this vehicle seen again."""
        self.motion, self.width, self.height = other.motion, other.width, other.height
        self.last_seen, self.seen, self.shift, self.matched = other.last_seen, other.seen, other.shift, other.matched
        self.label, self.confidence = other.label, other.confidence
        self.sightings += other.sightings
        self.seconds += other.seconds
        self.person_seconds += other.person_seconds
        self.best, self.peak = max(self.best, other.best), max(self.peak, other.peak)
        self.fading, self.path = max(self.fading, other.fading), self.path + other.path
        for label, vote in other.votes.items():
            self.votes[label] = self.votes.get(label, 0.0) + vote
        self.partial, self.rested, self.rest_from = other.partial, 0.0, other.motion.position
        self.remember(at)
        other.merged_into = self.number

    def track(self, name: str, names: Mapping[int, str], usual: Usual, *, ended: bool) -> Track:
        """What the other rooms are told; ``names`` are the ids of the tracks by number."""
        if ended:
            state = TrackState.ENDED
        elif not self.followed:
            state = TrackState.LOST
        else:
            state = TrackState.CONFIRMED if self.confirmed else TrackState.TENTATIVE
        return Track(
            track_id=name,
            state=state,
            box=Box(*map(float, self.box)),
            label=self.label,
            confidence=self.confidence,
            at=self.last_seen,
            velocity=self.motion.velocity,
            followed=self.followed,
            evidence=Evidence(
                self.sightings, self.seconds, self.best, dict(self.votes), self.peak, self.person_seconds, self.path
            ),
            usual=usual,
            past=None if self.past is None else tuple(self.past),
            past_whole=self.past_whole,
            part_of=names.get(self.part_of, ""),
            absorbed=tuple(names[number] for number in self.absorbed if number in names),
            merged_into=names.get(self.merged_into, ""),
        )

    def _vote(self, confidence: float, votes: Mapping[str, float], gap: float) -> None:
        stands_for = min(gap, self.parameters.life.detection_seconds)
        self.label = max(votes, key=lambda label: votes[label])
        self.confidence = confidence
        self.sightings += 1
        self.seconds += stands_for
        self.best = max(self.best, confidence)
        for label, vote in votes.items():
            self.votes[label] = self.votes.get(label, 0.0) + vote * stands_for
        self.fading += confidence * stands_for
        self.peak = max(self.peak, self.fading)


def _side(width: float, height: float) -> float:
    return math.sqrt(max(width * height, 1.0))


def _cut(box: Floats, axis: int, frame_size: tuple[int, int], p: PartParameters) -> tuple[bool, bool]:
    """Whether the frame's nearer edge and its farther one cut the box."""
    margin = p.frame_edge_pixels + p.frame_edge_share * frame_size[axis]
    return bool(box[axis] <= margin), bool(box[axis + 2] >= frame_size[axis] - margin)


def _free_edge(
    box: Floats, expected: Floats, axis: int, whole: float, frame_size: tuple[int, int], p: PartParameters
) -> int:
    """Which edge of a box that is too small is the vehicle's own: -1 the nearer to zero, 1 the farther, 0 neither.

    The other one is cut by the frame, or by what stands in front.
    """
    cut_low, cut_high = _cut(box, axis, frame_size, p)
    low, high = abs(float(box[axis] - expected[axis])), abs(float(box[axis + 2] - expected[axis + 2]))
    if not cut_high and (cut_low or (low > p.edge_ratio * high and high < p.own_edge * whole)):
        return 1
    if not cut_low and (cut_high or (high > p.edge_ratio * low and low < p.own_edge * whole)):
        return -1
    return 0

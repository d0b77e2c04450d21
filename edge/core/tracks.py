"""Defines the frozen values that tracking passes to counting, and the verdicts with which counting answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from edge.core.shapes import Point

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.events import Crossing
    from edge.core.shapes import Box

# Seconds between two frames after which tracking ends all tracks and counting forgets their paths: nothing is known of
# the time between.
LONG_GAP_SECONDS = 2.5

STILL = Point(0.0, 0.0)  # the velocity of a track that stands


class TrackState(StrEnum):
    """The state of a track in a frame."""

    TENTATIVE = "tentative"  # found, but not detected often enough
    CONFIRMED = "confirmed"  # found
    LOST = "lost"  # not found in this frame
    ENDED = "ended"  # returned for the last time


@dataclass(frozen=True, slots=True)
class Evidence:
    """What all sightings of a track say together; a sighting is one detection, or several merged ones.

    A sighting stands for the seconds since the frame before, up to a limit; ``seconds`` is the sum of these. ``votes``
    holds the sum of confidence x seconds by class name. ``peak`` is the largest value that the same sum over all
    classes ever had while it faded. ``person_seconds`` of the seconds were spent on or in the box of a person.
    ``path_length`` is how far optical flow followed the track, in pixels.
    """

    sightings: int = 0
    seconds: float = 0.0
    best_confidence: float = 0.0
    votes: Mapping[str, float] = field(default_factory=dict)
    peak: float = 0.0
    person_seconds: float = 0.0
    path_length: float = 0.0


class UsualSize(NamedTuple):
    """The usual size of objects at a place of the picture, in pixels: width and height of vehicles, side of people.

    A side is the square root of a box's area. Each is None until the camera has seen enough vehicles or people.
    """

    width: float | None = None
    height: float | None = None
    person: float | None = None


UNKNOWN_SIZE = UsualSize()


@dataclass(frozen=True, slots=True)
class Track:
    """One vehicle's identity in one frame.

    ``box`` is the box of the whole vehicle: it may reach over the frame's edge, or behind something that hides a part.
    ``at`` is the ``monotonic`` time of the last frame in which the vehicle was detected; ``label`` and ``confidence``
    are that detection's. ``followed`` says whether the detector or optical flow found the track in this frame;
    otherwise ``box`` is where it is expected. ``velocity`` is in pixels a second. A ``resting`` track has been standing
    for a second.

    ``past`` holds the places of the box's centre before the first detection, the oldest first, as (``monotonic`` time,
    point). It is None until the track is confirmed. It is ``past_complete`` where the track was traced back as far as
    the configuration asks for. ``part_of`` is the track in whose box that past lies. ``absorbed`` are tracks that
    turned out to be parts of this one. ``apart`` holds, by the other's id, the seconds for which this track and another
    one were surely seen in two places at the same time. ``merged_into`` is the earlier track of the same vehicle into
    which this track ends. An empty text stands for no track.
    """

    track_id: str
    state: TrackState
    box: Box
    label: str
    confidence: float
    at: float
    velocity: Point = STILL
    followed: bool = True
    resting: bool = False
    evidence: Evidence = field(default_factory=Evidence)
    usual_size: UsualSize = UNKNOWN_SIZE
    past: tuple[tuple[float, Point], ...] | None = ()
    past_complete: bool = False
    part_of: str = ""
    absorbed: tuple[str, ...] = ()
    apart: Mapping[str, float] = field(default_factory=dict)
    merged_into: str = ""


class Reason(StrEnum):
    """Why a track was counted or not."""

    CROSSED = "crossed"
    CROSSED_UNSEEN = "crossed the line before it was first detected"
    DUPLICATE = "second track of a vehicle that is counted"
    PART = "part of a vehicle that is counted"
    PERSON = "person, or something that a person carries or pushes"
    BICYCLE = "bicycle"
    NO_EVIDENCE = "too little evidence of a vehicle"
    BESIDE_LINE = "passed beside the ends of the line"
    TURNED_BACK = "turned back in the dead band"
    STAYED_IN_BAND = "stayed in the dead band"
    NOT_CONFIRMED = "never confirmed"
    NOT_CROSSED = "did not cross the line"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about a track at ``at`` (the frames' monotonic clock), and why.

    ``crossing`` is the crossing that was counted or refused, None for a track that ended without one. ``other_id`` is
    the counted track that a duplicate or a part belongs to, empty for none.
    """

    track_id: str
    gate_id: str
    at: float
    reason: Reason
    crossing: Crossing | None = None
    other_id: str = ""

    @property
    def counted(self) -> bool:
        """Whether a vehicle was counted."""
        return self.reason in (Reason.CROSSED, Reason.CROSSED_UNSEEN)

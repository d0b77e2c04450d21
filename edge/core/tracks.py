"""What vision tells counting of each vehicle, and what counting answers: frozen values like those of ``records``."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from edge.core.shapes import Point

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.events import Crossing
    from edge.core.shapes import Box


class TrackState(StrEnum):
    """Where a track is in its life."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a track's detections say together. One detection stands for the time since the frame before, 0.2 s at most.

    ``votes`` holds confidence x seconds by class name; ``peak`` is the most that the sum of all of it, fading with a
    time constant of some 1.5 s, ever was. ``person_seconds`` of ``seconds`` were spent on or in the box of a person.
    ``path`` is how far the track was followed by what moves in the picture itself, in pixels.
    """

    sightings: int = 0
    seconds: float = 0.0
    best: float = 0.0
    votes: Mapping[str, float] = field(default_factory=dict)
    peak: float = 0.0
    person_seconds: float = 0.0
    path: float = 0.0


class Usual(NamedTuple):
    """How large things are at a place of the picture: a vehicle's width and height, a person's root of area; pixels.

    None where the camera has not yet seen enough of them.
    """

    width: float | None = None
    height: float | None = None
    person: float | None = None


# Seconds without a frame after which tracking and counting forget the tracks: whatever may have driven meanwhile.
LONG_GAP_SECONDS = 2.5

STILL = Point(0.0, 0.0)
UNKNOWN = Usual()


@dataclass(frozen=True, slots=True)
class Track:
    """One vehicle's identity at one moment.

    ``box`` is the whole vehicle's as far as it is known: it may reach over the frame's edge, or behind what hides a
    part. ``at`` is the ``monotonic`` of the last frame in which the detector saw it, ``label`` and ``confidence`` are
    that detection's. ``followed``: seen or not, it was found in this frame, by the detector or by what moves in the
    picture; otherwise ``box`` is where it is expected to be. ``velocity`` is in pixels a second.

    ``past`` says where the middle of its box was before the detector first saw it, oldest first, as (``monotonic``,
    point); it is found out once the track is confirmed (None until then). ``past_whole`` tells that it was followed as
    far back as can be. ``part_of`` is the track in whose box that past lies, ``absorbed`` are tracks that turned out to
    be parts of this one. An ended track that was the same vehicle as another says so in ``merged_into``. Empty text:
    no such track.
    """

    track_id: str
    state: TrackState
    box: Box
    label: str
    confidence: float
    at: float
    velocity: Point = STILL
    followed: bool = True
    evidence: Evidence = field(default_factory=Evidence)
    usual: Usual = UNKNOWN
    past: tuple[tuple[float, Point], ...] | None = ()
    past_whole: bool = False
    part_of: str = ""
    absorbed: tuple[str, ...] = ()
    merged_into: str = ""


class Reason(StrEnum):
    """Why a track counted, or did not."""

    CROSSED = "crossed"
    CAME_ACROSS = "came across before it was first seen"
    SECOND_LOOK = "a second look at a vehicle already counted"
    PART = "a part of another vehicle"
    PERSON = "person, or what a person carries or pushes"
    BICYCLE = "bicycle"
    NO_EVIDENCE = "no evidence of a vehicle"
    BESIDE = "passed beside the line's ends"
    TURNED_BACK = "turned back in the dead band"
    STAYED = "stayed in the dead band"
    NOT_CONFIRMED = "never confirmed"
    NOT_ACROSS = "did not come across the line"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided of a track at ``at`` (the frames' clock), and why.

    ``crossing`` is the crossing that was counted, or refused; None for a track that ended without one. ``other`` is
    the track that a part or a second look belongs to.
    """

    track_id: str
    gate_id: str
    at: float
    reason: Reason
    crossing: Crossing | None = None
    other: str = ""

    @property
    def counted(self) -> bool:
        """Whether a vehicle was counted."""
        return self.reason in (Reason.CROSSED, Reason.CAME_ACROSS)

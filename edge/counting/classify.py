"""What a track is: a vehicle, a bicycle, a person, or nothing to speak of.

The detector's word for a class it knows is taken, as it was given over the whole track. Where it never spoke of a
vehicle - from straight above it sees cell phones, at night lamps - size, motion and the people about decide: whatever
passes a gate for vehicles and is neither person nor animal, nor carried or pushed by one, is a vehicle.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.core.events import VehicleType
from edge.core.tracks import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.config.schema import CountingConfig
    from edge.core.tracks import Track

PERSON, BICYCLE, MOTORCYCLE = "person", "bicycle", "motorcycle"
# What headlights and tail lights look like to YOLO.
LAMP = "traffic light"
LAMP_COUNTS, UNNAMED_COUNTS = 0.5, 0.5  # of the votes for no vehicle class, beside votes for one
LAMP_ALONE = 0.7
NAMED_SHARE = 0.3  # votes for vehicle classes, of those for other things, that make it one
RIDER_SHARE = 0.3  # votes for a motorcycle, of those for a person, that make a rider
PERSON_SHARE, PERSON_NAMED = 0.5, 0.6  # of the time with a person; of the votes, named a vehicle all the same
VEHICLE_BESIDE_PERSON = 0.5
TINY, TINY_SURE = 0.4, 0.4  # of a vehicle's usual side, unless so sure
# Something without a vehicle's name: least share of the frame's area, of a vehicle's usual side, times a person's side.
UNNAMED_AREA, UNNAMED_USUAL, UNNAMED_PERSON = 0.012, 0.6, 1.5
UNNAMED_SIGHTINGS, UNNAMED_PATH = 3, 1.2  # and sides that it was followed
# Seen at best with so little of the confidence that vehicles usually have here, it is none. Where the detector usually
# is so sure of vehicles that it sees them well, a little more is needed, and lights alone are none.
FAINT, FAINT_WELL = 0.15, 0.21
SEES_WELL = 0.7
SMALLEST = 0.85  # of a person's side: no vehicle is smaller, a motorcycle with its rider included
WEAK_NAMED, WEAK_SURE = 0.3, 0.2


class Kind(StrEnum):
    """What a track is taken for."""

    VEHICLE = "vehicle"
    LAMP = "lamp"  # a vehicle of which only lights are seen
    UNNAMED = "unnamed"
    BICYCLE = "bicycle"
    PERSON = "person"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a track is, and with how much evidence (confidence x seconds)."""

    kind: Kind
    evidence: float

    def refusal(self, config: CountingConfig) -> Reason | None:
        """Why it does not count; None when it does."""
        if self.kind is Kind.PERSON:
            return Reason.PERSON
        if self.kind is Kind.BICYCLE and not config.bicycles:
            return Reason.BICYCLE
        return Reason.NO_EVIDENCE if self.evidence < config.least_evidence else None


def judge(track: Track, config: CountingConfig, frame_area: float, usual_confidence: float | None = None) -> Judgement:
    """What a track has shown itself to be so far.

    ``frame_area`` is in pixels; ``usual_confidence`` is the median of the best confidences of this gate's vehicles,
    None where too few were counted yet.
    """
    evidence = track.evidence
    votes = evidence.votes
    vehicle = sum(votes.get(name, 0.0) for name in config.vehicle_classes)
    bicycle, person, lamp = (votes.get(name, 0.0) for name in (BICYCLE, PERSON, LAMP))
    motorcycle, total = votes.get(MOTORCYCLE, 0.0), sum(votes.values())
    if evidence.person_seconds > PERSON_SHARE * evidence.seconds and vehicle < PERSON_NAMED * total:
        return Judgement(Kind.PERSON, 0.0)
    if usual_confidence is not None:
        faint = FAINT_WELL if usual_confidence > SEES_WELL else FAINT
        if evidence.best < faint * usual_confidence:
            return Judgement(Kind.NOTHING, 0.0)
    if bicycle > vehicle:
        return Judgement(Kind.BICYCLE, evidence.peak)
    if person > vehicle and motorcycle < RIDER_SHARE * person and vehicle < VEHICLE_BESIDE_PERSON * person:
        return Judgement(Kind.PERSON, 0.0)
    if (person or evidence.person_seconds) and track.box.side < SMALLEST * (track.usual.person or 0.0):
        return Judgement(Kind.PERSON, 0.0)
    if track.box.side < TINY * (usual_side(track) or 0.0) and evidence.best < TINY_SURE:
        return Judgement(Kind.NOTHING, 0.0)
    # Votes fade as the peak does: what was seen long ago counts as little as it did there.
    fresh = min(1.0, evidence.peak / total) if total else 0.0
    other = total - vehicle - person - lamp
    if vehicle >= NAMED_SHARE * other and vehicle > 0:
        return Judgement(Kind.VEHICLE, fresh * (vehicle + LAMP_COUNTS * lamp + UNNAMED_COUNTS * other))
    if lamp >= other and usual_confidence is not None and usual_confidence > SEES_WELL:
        return Judgement(Kind.NOTHING, 0.0)
    if lamp >= other:
        return Judgement(Kind.LAMP, fresh * (LAMP_ALONE * lamp + vehicle))
    return Judgement(Kind.UNNAMED, fresh * (other + vehicle) if _large_and_moving(track, frame_area) else 0.0)


def is_weak(track: Track, vehicle_classes: tuple[str, ...]) -> bool:
    """Whether a track's own size says little about the vehicle's: a lamp, a part, something without a name."""
    votes = track.evidence.votes
    named = sum(votes.get(name, 0.0) for name in vehicle_classes)
    return named < WEAK_NAMED * sum(votes.values()) or track.evidence.best < WEAK_SURE


def usual_side(track: Track) -> float | None:
    """The side of a square as large as vehicles usually are where the track is."""
    width, height = track.usual.width, track.usual.height
    return float((width * height) ** 0.5) if width is not None and height is not None else None


def elected(votes: Mapping[str, float]) -> str:
    """The name that was given with most confidence and for longest.

    A vehicle's wins over any other: a bus that was called a boat for most of its way is still a bus. A person's loses
    to any other: what counts and is a person too is ridden by one.
    """

    def weight(name: str) -> tuple[bool, bool, float, str]:
        is_vehicle = VehicleType.of(name) not in (VehicleType.OTHER, VehicleType.BICYCLE)
        return is_vehicle, name != PERSON, votes[name], name

    return max(votes, key=weight, default="")


def _large_and_moving(track: Track, frame_area: float) -> bool:
    evidence, side, usual = track.evidence, track.box.side, usual_side(track)
    if track.box.area < UNNAMED_AREA * frame_area:
        return False
    if evidence.sightings < UNNAMED_SIGHTINGS or evidence.path < UNNAMED_PATH * side:
        return False
    if usual is not None and side < UNNAMED_USUAL * usual:
        return False
    return track.usual.person is None or side >= UNNAMED_PERSON * track.usual.person

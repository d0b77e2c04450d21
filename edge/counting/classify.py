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
from edge.counting.parameters import DEFAULT_COUNTING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.config.schema import CountingConfig
    from edge.core.tracks import Track
    from edge.counting.parameters import ClassificationParameters

PERSON, BICYCLE, MOTORCYCLE = "person", "bicycle", "motorcycle"
# What headlights and tail lights look like to YOLO.
LAMP = "traffic light"


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


def judge(
    track: Track,
    config: CountingConfig,
    frame_area: float,
    usual_confidence: float | None = None,
    parameters: ClassificationParameters = DEFAULT_COUNTING.classification,
) -> Judgement:
    """What a track has shown itself to be so far.

    ``frame_area`` is in pixels; ``usual_confidence`` is the median of the best confidences of this gate's vehicles,
    None where too few were counted yet.
    """
    evidence = track.evidence
    votes = evidence.votes
    vehicle = sum(votes.get(name, 0.0) for name in config.vehicle_classes)
    bicycle, person, lamp = (votes.get(name, 0.0) for name in (BICYCLE, PERSON, LAMP))
    motorcycle, total = votes.get(MOTORCYCLE, 0.0), sum(votes.values())
    is_with_person = evidence.person_seconds > parameters.person_time_share * evidence.seconds
    if is_with_person and vehicle < parameters.person_named_share * total:
        return Judgement(Kind.PERSON, 0.0)
    if usual_confidence is not None:
        is_clear = usual_confidence > parameters.clear_confidence
        faint = parameters.faint_share_clear if is_clear else parameters.faint_share
        if evidence.best < faint * usual_confidence:
            return Judgement(Kind.NOTHING, 0.0)
    if bicycle > vehicle:
        return Judgement(Kind.BICYCLE, evidence.peak)
    is_rider = motorcycle >= parameters.rider_share * person
    if person > vehicle and not is_rider and vehicle < parameters.person_vehicle_share * person:
        return Judgement(Kind.PERSON, 0.0)
    least_side = parameters.least_person_ratio * (track.usual.person or 0.0)
    if (person or evidence.person_seconds) and track.box.side < least_side:
        return Judgement(Kind.PERSON, 0.0)
    is_tiny = track.box.side < parameters.tiny_share * (usual_side(track) or 0.0)
    if is_tiny and evidence.best < parameters.tiny_confidence:
        return Judgement(Kind.NOTHING, 0.0)
    # Votes fade as the peak does: what was seen long ago counts as little as it did there.
    fresh = min(1.0, evidence.peak / total) if total else 0.0
    other = total - vehicle - person - lamp
    if vehicle >= parameters.named_share * other and vehicle > 0:
        weighted = vehicle + parameters.lights_weight * lamp + parameters.other_weight * other
        return Judgement(Kind.VEHICLE, fresh * weighted)
    if lamp >= other and usual_confidence is not None and usual_confidence > parameters.clear_confidence:
        return Judgement(Kind.NOTHING, 0.0)
    if lamp >= other:
        return Judgement(Kind.LAMP, fresh * (parameters.lights_alone_weight * lamp + vehicle))
    return Judgement(
        Kind.UNNAMED, fresh * (other + vehicle) if _large_and_moving(track, frame_area, parameters) else 0.0
    )


def is_weak(
    track: Track,
    vehicle_classes: tuple[str, ...],
    parameters: ClassificationParameters = DEFAULT_COUNTING.classification,
) -> bool:
    """Whether a track's own size says little about the vehicle's: a lamp, a part, something without a name."""
    votes = track.evidence.votes
    named = sum(votes.get(name, 0.0) for name in vehicle_classes)
    is_hardly_named = named < parameters.unsized_named_share * sum(votes.values())
    return is_hardly_named or track.evidence.best < parameters.unsized_confidence


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


def _large_and_moving(track: Track, frame_area: float, parameters: ClassificationParameters) -> bool:
    evidence, side, usual = track.evidence, track.box.side, usual_side(track)
    if track.box.area < parameters.unnamed_frame_share * frame_area:
        return False
    if evidence.sightings < parameters.unnamed_sightings or evidence.path < parameters.unnamed_path * side:
        return False
    if usual is not None and side < parameters.unnamed_usual_share * usual:
        return False
    return track.usual.person is None or side >= parameters.unnamed_person_ratio * track.usual.person

"""Classifies a track: a vehicle, a bicycle, a person, or nothing that counts.

Where the detector names a class of vehicle, its votes over the whole track decide. Where it does not - from straight
above it sees cell phones, at night lamps - size, motion and the people near it decide: what passes a gate for vehicles
and is neither person nor animal, nor carried or pushed by a person, is a vehicle. The method is ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from edge.core.events import VehicleType
from edge.core.tracks import Reason
from edge.counting.parameters import DEFAULT_COUNTING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.config.schema import CountingConfig
    from edge.core.tracks import Track
    from edge.counting.parameters import ClassificationParameters

_PERSON = "person"
_LIGHTS = "traffic light"  # what YOLO takes headlights and tail lights for


class TrackClass(Enum):
    """What a track is classified as."""

    VEHICLE = auto()
    LIGHTS = auto()  # a vehicle of which only lights are seen
    UNNAMED = auto()  # a vehicle if it is large and moves: the detector has no vehicle's name for it
    BICYCLE = auto()
    PERSON = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Classification:
    """What a track is, and the evidence for it (confidence x seconds)."""

    track_class: TrackClass
    evidence: float

    def refusal(self, config: CountingConfig) -> Reason | None:
        """Why it does not count; None when it does."""
        if self.track_class is TrackClass.PERSON:
            return Reason.PERSON
        if self.track_class is TrackClass.BICYCLE and not config.bicycles:
            return Reason.BICYCLE
        return Reason.NO_EVIDENCE if self.evidence < config.least_evidence else None


class _Votes(NamedTuple):
    """A track's votes (confidence x seconds) by what they are for; motorcycles are also vehicles."""

    vehicle: float
    motorcycle: float
    bicycle: float
    person: float
    lights: float
    total: float

    @classmethod
    def of(cls, votes: Mapping[str, float], vehicle_classes: tuple[str, ...]) -> _Votes:
        return cls(
            vehicle=sum(votes.get(name, 0.0) for name in vehicle_classes),
            motorcycle=votes.get(VehicleType.MOTORCYCLE, 0.0),
            bicycle=votes.get(VehicleType.BICYCLE, 0.0),
            person=votes.get(_PERSON, 0.0),
            lights=votes.get(_LIGHTS, 0.0),
            total=sum(votes.values()),
        )

    @property
    def other(self) -> float:
        """For everything that is neither vehicle nor person nor lights."""
        return self.total - self.vehicle - self.person - self.lights


def classify(
    track: Track,
    config: CountingConfig,
    frame_area: float,
    usual_confidence: float | None = None,
    parameters: ClassificationParameters = DEFAULT_COUNTING.classification,
) -> Classification:
    """Classify a track by all that was seen of it so far.

    ``frame_area`` is in square pixels. ``usual_confidence`` is the median of the best confidences of this gate's
    vehicles, None where too few were counted yet.
    """
    votes = _Votes.of(track.evidence.votes, config.vehicle_classes)
    is_clear = usual_confidence is not None and usual_confidence > parameters.clear_confidence
    if _goes_with_person(track, votes, parameters):
        return Classification(TrackClass.PERSON, 0.0)
    if usual_confidence is not None:
        least_share = parameters.faint_share_clear if is_clear else parameters.faint_share
        if track.evidence.best_confidence < least_share * usual_confidence:
            return Classification(TrackClass.NOTHING, 0.0)
    if votes.bicycle > votes.vehicle:
        return Classification(TrackClass.BICYCLE, track.evidence.peak)
    if _is_person(track, votes, parameters):
        return Classification(TrackClass.PERSON, 0.0)
    if _is_tiny(track, parameters):
        return Classification(TrackClass.NOTHING, 0.0)
    # Votes are for the track's whole life; the peak fades, so that what was seen long ago counts little.
    recent_share = min(1.0, track.evidence.peak / votes.total) if votes.total else 0.0
    if votes.vehicle >= parameters.named_share * votes.other and votes.vehicle > 0:
        return Classification(TrackClass.VEHICLE, recent_share * (votes.total - votes.person))
    if votes.lights >= votes.other:
        if is_clear:
            return Classification(TrackClass.NOTHING, 0.0)
        weighted = parameters.lights_alone_weight * votes.lights + votes.vehicle
        return Classification(TrackClass.LIGHTS, recent_share * weighted)
    if not _is_large_and_moves(track, frame_area, parameters):
        return Classification(TrackClass.UNNAMED, 0.0)
    return Classification(TrackClass.UNNAMED, recent_share * (votes.other + votes.vehicle))


def has_unreliable_size(
    track: Track,
    vehicle_classes: tuple[str, ...],
    parameters: ClassificationParameters = DEFAULT_COUNTING.classification,
) -> bool:
    """Whether a track's box says little about the vehicle's size: it shows a lamp, a part, or something unnamed."""
    votes = track.evidence.votes
    named = sum(votes.get(name, 0.0) for name in vehicle_classes)
    return named < parameters.unsized_named_share * sum(votes.values())


def usual_vehicle_side(track: Track) -> float | None:
    """Pixels of the side of a square as large as vehicles usually are where the track is; None where not known."""
    width, height = track.usual_size.width, track.usual_size.height
    return math.sqrt(width * height) if width is not None and height is not None else None


def mean_confidence(track: Track) -> float:
    """The mean confidence of a track's detections over the time in which it was seen."""
    evidence = track.evidence
    return sum(evidence.votes.values()) / evidence.seconds if evidence.seconds else 0.0


def dominant_label(votes: Mapping[str, float]) -> str:
    """The class name with most votes (confidence x seconds); empty without votes.

    A vehicle type's wins over any other: a bus that was called a boat for most of its way is still a bus. A person's
    loses to any other: what counts and is also called a person is ridden by a person.
    """

    def rank(name: str) -> tuple[bool, bool, float, str]:
        is_vehicle = VehicleType.of(name) not in (VehicleType.OTHER, VehicleType.BICYCLE)
        return is_vehicle, name != _PERSON, votes[name], name

    return max(votes, key=rank, default="")


def _goes_with_person(track: Track, votes: _Votes, parameters: ClassificationParameters) -> bool:
    """Whether a track is a person, or carried or pushed by a person."""
    with_person = track.evidence.person_seconds > parameters.person_time_share * track.evidence.seconds
    return with_person and votes.vehicle < parameters.person_named_share * votes.total


def _is_person(track: Track, votes: _Votes, parameters: ClassificationParameters) -> bool:
    """Whether a track is called a person more than a vehicle, or is too small for a vehicle near people."""
    is_rider = votes.motorcycle >= parameters.rider_share * votes.person
    is_vehicle = votes.vehicle >= parameters.person_vehicle_share * votes.person
    if votes.person > votes.vehicle and not is_rider and not is_vehicle:
        return True
    least_side = parameters.least_person_ratio * (track.usual_size.person or 0.0)
    return bool(votes.person or track.evidence.person_seconds) and track.box.side < least_side


def _is_tiny(track: Track, parameters: ClassificationParameters) -> bool:
    """Whether a track is much smaller than any vehicle at its place, and not surely seen."""
    least_side = parameters.tiny_share * (usual_vehicle_side(track) or 0.0)
    return track.box.side < least_side and track.evidence.best_confidence < parameters.tiny_confidence


def _is_large_and_moves(track: Track, frame_area: float, parameters: ClassificationParameters) -> bool:
    """Whether a track without a vehicle's name has a vehicle's size, and was followed by its motion."""
    evidence, side = track.evidence, track.box.side
    usual_vehicle, usual_person = usual_vehicle_side(track), track.usual_size.person
    return (
        track.box.area >= parameters.unnamed_frame_share * frame_area
        and evidence.sightings >= parameters.unnamed_sightings
        and evidence.path_length >= parameters.unnamed_path * side
        and (usual_vehicle is None or side >= parameters.unnamed_usual_share * usual_vehicle)
        and (usual_person is None or side >= parameters.unnamed_person_ratio * usual_person)
    )

"""Decides whether a crossing can be decided at once, because waiting would not change what is decided.

A crossing waits because a second track of its vehicle, or of a longer vehicle that it is a part of, may cross after it,
and because more may be seen of its own track. It need not wait where neither makes a difference:

- its track was seen to cross and is found in this frame, and no other crossing of the gate waits, so that crossings are
  decided in their order; and none in its direction was found to be of its vehicle, or is so near, in time and place,
  that both can be of one;
- no other track is near that may still cross in its direction, be it confirmed, tentative or lost: the tracks of one
  vehicle are in one place, or one right behind the other;
- it stays a vehicle of its type whatever the detector says of it in the rest of the wait.

A second track that appears only later is compared with the crossing that was counted, and is the duplicate then. The
method is ours.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.events import VehicleType
from edge.core.tracks import Reason
from edge.counting.decision.classification import TrackClass, classify, dominant_label
from edge.counting.decision.same_vehicle import cross_together
from edge.counting.parameters import DEFAULT_COUNTING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge.config.schema import CountingConfig
    from edge.core.shapes import Point
    from edge.core.tracks import Evidence, Track
    from edge.counting.decision.candidate import CrossingCandidate
    from edge.counting.parameters import CountingParameters, LoneVehicleParameters

# What may be voted for against a vehicle: a bicycle, a person, and something that is neither.
_CONTRARY_LABELS = (VehicleType.BICYCLE.value, "person", "")
# The types between which the detector may waver; what has another name is no vehicle, or one without a type.
_TYPES = tuple(kind for kind in VehicleType if kind not in (VehicleType.BICYCLE, VehicleType.OTHER))


def is_lone(
    candidate: CrossingCandidate,
    candidates: Iterable[CrossingCandidate],
    may_cross: Iterable[Track],
    at: float,
    parameters: CountingParameters = DEFAULT_COUNTING,
) -> bool:
    """Whether no other track can be of the same vehicle as a crossing that waits at ``at``.

    ``candidates`` are the crossings that are remembered, ``may_cross`` the tracks that may still cross in the direction
    of ``candidate``; it may be among both.
    """
    track, limits = candidate.track, parameters.lone_vehicle
    if candidate.track_at != at or candidate.crossing.reason is not Reason.CROSSED or track.part_of or track.absorbed:
        return False
    if candidate.same_vehicle or candidate.followed_closely:
        return False
    share = max(parameters.same_vehicle.passing_share, parameters.long_vehicle.passing_share)
    others = [other for other in candidates if other is not candidate]
    if not all(other.is_decided for other in others):
        return False
    may_be_one = any(
        other.direction is candidate.direction
        and cross_together(candidate, other, share, parameters.same_vehicle)
        and _is_near(track, other.track, other.expected_center(at), limits)
        for other in others
    )
    return not may_be_one and not any(
        other.part_of == track.track_id or _is_near(track, other, other.box.center, limits)
        for other in may_cross
        if other.track_id != track.track_id
    )


def is_settled(
    track: Track,
    seconds: float,
    config: CountingConfig,
    frame_area: float,
    usual_confidence: float | None,
    parameters: CountingParameters = DEFAULT_COUNTING,
) -> bool:
    """Whether a track stays a vehicle of its type, whatever the detector says of it in the next ``seconds``.

    ``frame_area`` and ``usual_confidence`` are those of ``classify``.
    """
    limits, evidence = parameters.lone_vehicle, track.evidence
    if evidence.best_confidence < limits.least_confidence or evidence.peak < limits.least_evidence:
        return False
    contrary_votes = seconds * limits.contrary_confidence
    worst = replace(track, evidence=_worst_evidence(evidence, contrary_votes, seconds))
    classification = classify(worst, config, frame_area, usual_confidence, parameters.classification)
    is_vehicle = classification.track_class is TrackClass.VEHICLE and classification.refusal(config) is None
    return is_vehicle and _keeps_type(evidence.votes, contrary_votes)


def _is_near(track: Track, other: Track, center: Point, limits: LoneVehicleParameters) -> bool:
    """Whether two tracks, the other one about ``center`` now, may become tracks of one vehicle in the next second."""
    a, b = track.box, other.box
    distance = math.hypot(a.center.x - center.x, a.center.y - center.y)
    # Along a diagonal boxes cover about what they cover along any other direction.
    mean_extent = (a.width + a.height + b.width + b.height) / (2 * math.sqrt(2))
    return distance < limits.near * mean_extent


def _worst_evidence(evidence: Evidence, votes: float, seconds: float) -> Evidence:
    """The evidence after ``seconds`` with a person, with so many more votes for each contrary label."""
    contrary = {label: evidence.votes.get(label, 0.0) + votes for label in _CONTRARY_LABELS}
    return replace(
        evidence,
        seconds=evidence.seconds + seconds,
        votes={**evidence.votes, **contrary},
        person_seconds=evidence.person_seconds + seconds,
    )


def _keeps_type(votes: Mapping[str, float], more: float) -> bool:
    """Whether the type with most votes keeps the most with so many ``more`` votes for any other type."""
    leading = dominant_label(votes)
    others = (votes.get(kind, 0.0) for kind in _TYPES if kind != leading)
    return leading in _TYPES and votes[leading] > max(others) + more

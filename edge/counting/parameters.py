"""Holds the tuned numbers of counting: one field a number, with its unit and its meaning.

Why a field has its value: unless its comment says otherwise, it was fitted on the labelled clips of `make accuracy`
(all frames, 10 and 5 frames a second) and on the simulated scenes; it is not a physical constant and was not measured.
What an installer may set (``counting.decide_seconds``, a gate's ``dead_band`` ...) is configuration instead.

Units: a "size" is the side of a square as large as a track's box (``Box.side``), so that a number means the same near
and far and at any resolution; a "vote" is confidence x seconds for one of the detector's class names. Lengths are along
the direction in which a vehicle drives, widths across it. Shares, ratios and confidences have no unit.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.tracks import LONG_GAP_SECONDS


@dataclass(frozen=True, slots=True)
class UnseenCrossingParameters:
    """When a track that was first seen just beyond the line must have crossed it before it was seen."""

    settling_seconds: float = 0.25  # s after the first frame (or a long gap) in which what appears was there before
    least_speed: float = 0.6  # sizes a second at which it moves away from the line
    farthest: float = 1.0  # sizes beyond the line; farther in it can have come from elsewhere
    longest_seconds: float = 0.25  # s that it needed at its speed to come from the line to where it was first seen ...
    longest_gaps: float = 1.5  # ... or so many times the gap before the frame in which it was first seen
    start_before_line: float = 0.3  # sizes before the line where the way that is tested for the line's ends begins
    # A track in the box of another track that is known for longer is a part of it, or was hidden by it.
    cover_sightings: int = 5  # least detections of the covering track
    cover_lead_seconds: float = 0.3  # s by which the covering track was seen first
    cover_share: float = 0.6  # share of the covered track's box that lies in the covering one
    cover_size_ratio: float = 4.0  # most ratio of their sizes: behind a lorry that fills the picture drives a vehicle


@dataclass(frozen=True, slots=True)
class ClassificationParameters:
    """What makes a track a vehicle, a bicycle, a person, or none of these."""

    # A track that is with a person most of its time is carried or pushed, unless it is surely a vehicle.
    person_time_share: float = 0.5  # share of its time with a person: the majority, by definition
    person_named_share: float = 0.6  # share of its votes for vehicle classes from which on it is a vehicle all the same
    # What the detector hardly sees is no vehicle at a gate where it usually is sure of vehicles.
    usual_from: int = 4  # counted vehicles from which on the gate has a usual confidence
    usual_of: int = 15  # last counted vehicles whose best confidences have the usual confidence as their median
    faint_share: float = 0.15  # least best confidence, as a share of the usual confidence
    faint_share_clear: float = 0.21  # the same at a gate where vehicles are seen clearly
    clear_confidence: float = 0.7  # usual confidence above which vehicles are seen clearly, and lights alone are none
    # A person or a person's vehicle.
    rider_share: float = 0.3  # least votes for a motorcycle, as a share of those for a person, of a rider
    person_vehicle_share: float = 0.5  # least votes for vehicle classes, as a share of those for a person, of a vehicle
    least_person_ratio: float = 0.85  # least size of a vehicle in a person's usual size: no rider is smaller
    # What is much smaller than a vehicle is none, unless it is surely seen.
    tiny_share: float = 0.4  # size as a share of a vehicle's usual size
    tiny_confidence: float = 0.4  # best confidence from which on a tiny track is a vehicle all the same
    # How much the votes for anything but vehicle classes say.
    named_share: float = 0.3  # least votes for vehicle classes, as a share of those for anything else, of a vehicle
    lights_alone_weight: float = 0.7  # evidence that a vote for lights is where nothing else of a vehicle is seen
    # What has no vehicle's name is a vehicle if it is large and moves.
    unnamed_frame_share: float = 0.012  # least area as a share of the frame's
    unnamed_usual_share: float = 0.6  # least size as a share of a vehicle's usual size
    unnamed_person_ratio: float = 1.5  # least size in a person's usual size: a trolley is little larger than a person
    unnamed_sightings: int = 3  # least detections
    unnamed_path: float = 1.2  # sizes that the track was followed by motion
    # The box of a track that shows lights or a part says little about the vehicle's size.
    unsized_named_share: float = 0.3  # share of its votes for vehicle classes below which a track is such


@dataclass(frozen=True, slots=True)
class SameVehicleParameters:
    """When two crossings in one direction are of one vehicle."""

    # Both were surely seen in two places at the same time for so many s, two frames at 5 a second: they are two,
    # wherever they are now. At 5 a second the counts of the clips are the same with 0.2.
    apart_seconds: float = 0.4
    # Two vehicles that touch are 1.0 of their mean extent apart as seen from above; in perspective their boxes overlap.
    near: float = 0.5  # distance of the middles, of the mean length and of the mean width
    near_unsized: float = 0.6  # the same where the box of one says little about its size
    # A track that was traced back into the other's box.
    traced_width_share: float = 0.55  # distance of the middles across, of the mean width
    traced_full_width_share: float = 0.5  # the same, of the smaller width, where both are as large as vehicles
    full_size_share: float = 0.6  # share of a vehicle's usual size from which on a track is as large as a vehicle
    # A box about two vehicles abreast is not the same vehicle as one of them.
    single_least_width: float = 0.6  # width of the narrower box in usual widths
    single_most_width: float = 1.4  # the most of it
    group_least_width: float = 1.65  # width of the wider box in usual widths: two vehicles would be 2
    group_most_length: float = 1.6  # length of the larger box in usual lengths: longer, it is a lorry or a bus
    group_offset: float = 0.25  # least distance of the middles across, of the narrower width: of two vehicles it is 0.5
    different_confidence: float = 0.3  # mean confidence from which on a motorcycle and another vehicle are surely two
    # The passing time is the time that a vehicle needs to pass the line, by its length and speed.
    least_speed: float = 0.4  # sizes a second that a vehicle is taken to drive at least, or it would never pass
    passing_share: float = 0.6  # time between the two crossings, of the sum of both passing times ...
    passing_slack_seconds: float = 0.3  # ... and so many seconds more; of long vehicles too
    least_direction_speed: float = 1e-6  # pixels a second: above rounding errors, so that a velocity has a direction


@dataclass(frozen=True, slots=True)
class LongVehicleParameters:
    """When a track is what another one tows, or the other end of a long vehicle."""

    passing_share: float = 1.0  # time between the two crossings, of the sum of both passing times; raised from 0.8 for
    # dense traffic and for the view from above
    # A towed part follows right behind and as fast. The first three were raised, from 0.3, 0.3 and 0.25, for a trailer
    # whose track stumbles where a post hides it for a moment.
    gap_share: float = 0.4  # gap between both, of the mean length
    overlap_share: float = 0.4  # overlap of both, of the mean length
    speed_difference: float = 0.4  # difference of the speeds, of the towing vehicle's speed
    offset_share: float = 0.6  # distance of the middles across, of the mean width
    # The detector has no class for trailers and sees them less surely than a car that follows.
    mean_confidence_ratio: float = 0.45  # mean confidence, of the towing vehicle's
    best_confidence_ratio: float = 0.7  # best confidence, of the towing vehicle's


@dataclass(frozen=True, slots=True)
class LoneVehicleParameters:
    """When a crossing is decided before ``counting.decide_seconds`` are over.

    On the labelled clips and the scenes no count, type or reason differs from that of the whole wait; nor does it with
    half of ``near`` and of ``contrary_confidence`` and without the least confidence and evidence. With all of them at 0
    the parts of long vehicles count twice.
    """

    # What comes no nearer than this is not of the same vehicle: what is towed is up to 1.4 lengths behind.
    near: float = 1.5  # distance of the middles, of the mean extent of both boxes along a diagonal
    # A track that was seen so often has a velocity, and may cross soon only if it is near enough to the line for it.
    known_sightings: int = 5  # detections
    speed_change: float = 0.5  # sizes a second by which it may become faster meanwhile
    # A track that is seen surely and for long enough is neither the faint part of another one nor the weaker track.
    least_confidence: float = 0.5  # best confidence
    least_evidence: float = 0.2  # confidence x seconds, of the largest sum that fades
    # Its class and type must hold whatever is voted in the rest of the wait: the detector is seldom surer than this of
    # another class than the true one, and the wait ends with the first frame after it.
    contrary_confidence: float = 0.5  # votes a second for each other class
    frame_seconds: float = 0.2  # s that a frame may come after the wait, as at 5 frames a second


@dataclass(frozen=True, slots=True)
class CountingParameters:
    """The tuned numbers of the counting room, by topic."""

    unseen_crossing: UnseenCrossingParameters = UnseenCrossingParameters()
    classification: ClassificationParameters = ClassificationParameters()
    same_vehicle: SameVehicleParameters = SameVehicleParameters()
    long_vehicle: LongVehicleParameters = LongVehicleParameters()
    lone_vehicle: LoneVehicleParameters = LoneVehicleParameters()
    restart_seconds: float = LONG_GAP_SECONDS  # s; after a longer gap without frames all paths begin anew
    remembered_seconds: float = 5.0  # s that a decided crossing is kept, to recognise a second track of its vehicle


DEFAULT_COUNTING = CountingParameters()

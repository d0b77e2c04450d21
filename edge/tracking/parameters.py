"""Holds the tuned numbers of tracking: one field a number, with its unit and its meaning.

Why a field has its value: unless its comment says otherwise, it was fitted on the labelled clips of `make accuracy`
(all frames, 10 and 5 frames a second) and on the simulated scenes; it is not a physical constant and was not measured.

Units: a "size" is the side of a square as large as the track's box, so that a lorry near the camera and a car far away
follow the same rules; a "flow pixel" is a pixel of the small grey picture that optical flow works on; IoU is the
intersection over union of two boxes. Shares, confidences and ratios have no unit.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.tracks import LONG_GAP_SECONDS


@dataclass(frozen=True, slots=True)
class GapParameters:
    """Times between two processed frames. No labelled clip has a gap over 0.9 s, so only the first could be fitted."""

    first_seconds: float = 0.1  # s that the first frame stands for, which has no frame before it
    shortest_seconds: float = 1e-3  # s; a shorter gap counts as this one, because velocities are divided by it
    flow_seconds: float = 1.5  # s; over a longer gap no corner is searched: the picture has changed too much
    restart_seconds: float = LONG_GAP_SECONDS  # s; after a longer gap all tracks end


@dataclass(frozen=True, slots=True)
class FlowParameters:
    """Where corners are searched, and which results are believed. Recordings hold the results, not the pictures."""

    cell: int = 6  # flow pixels: side of the square cells; each has one corner at most
    most_corners: int = 420  # corners that are searched in a frame: bounds the time a frame takes
    blur: int = 3  # flow pixels: side of the Gaussian kernel that removes the camera's noise; odd
    corner_block: int = 3  # flow pixels: side of the neighbourhood that a corner's strength is computed from
    least_corner: float = 2e-5  # least strength (smaller eigenvalue of the gradients' covariance, as OpenCV scales it)
    corner_share: float = 0.005  # least strength as a share of the frame's strong corners
    strong_percentile: float = 99.0  # percentile of the cells' strengths that counts as strong
    least_change: float = 8.0  # grey levels by which a cell's pixel must change before its corner is searched
    change_noise: float = 4.0  # the same as a multiple of the median change (which is noise) plus one grey level
    window: int = 15  # flow pixels: side of the Lucas-Kanade window
    pyramid_levels: int = 4  # levels above the small picture: 15 x 2^4 pixels of motion at most
    iterations: int = 20  # Lucas-Kanade steps a level at most
    precision: float = 0.03  # flow pixels: a smaller step ends the search
    round_trip: float = 1.5  # flow pixels (sum of both axes): a corner that comes back further off is lost


@dataclass(frozen=True, slots=True)
class ShiftParameters:
    """How the corners in a box agree on the box's shift."""

    box_share: float = 0.9  # share of the box's width and height: its rim shows what is beside the vehicle
    least_corners: int = 3  # corners; fewer say nothing
    most_corners: int = 40  # corners that vote: bounds the time, which grows with their square
    agreement_pixels: float = 1.0  # flow pixels by which two corners that agree may differ
    agreement_share: float = 0.1  # and share of their move


@dataclass(frozen=True, slots=True)
class SightingParameters:
    """Which of a frame's boxes are one vehicle each, and which are near enough to a gate."""

    person: float = 0.25  # least confidence of a person on foot
    group_inside: float = 0.85  # least share of a member's area inside the group's box
    group_overlap: float = 0.15  # most area that two members share, of the smaller one's
    group_filled: float = 0.6  # least sum of two members' areas, of the group's
    group_least_area: float = 0.22  # least area of a member, of the group's
    group_most_area: float = 0.75  # most area of a member, of the group's
    group_area_ratio: float = 2.0  # most ratio of two members' areas
    group_confidence_share: float = 0.25  # least confidence of a member, of the group's
    group_confidence: float = 0.1  # least confidence of a member
    explained_inside: float = 0.8  # share of one box in the other from which the surer one explains the weaker one
    explains_ratio: float = 1.5  # least ratio of the surer one's confidence to the weaker one's
    explains_confidence: float = 0.3  # least confidence of a box that explains another
    gate_distance: float = 0.5  # most distance of a box's middle from a gate's line, of the frame's longer side
    gate_distance_weak: float = 0.35  # the same for boxes that are not sure


@dataclass(frozen=True, slots=True)
class UsualSizeParameters:
    """How the usual size of vehicles at a place is learned."""

    confidence: float = 0.4  # least confidence of a car, bus or truck that is learned from
    most_vehicles: int = 300  # boxes that are kept: bounds memory, and lets a camera that was turned learn anew
    least_vehicles: int = 5  # boxes; from fewer nothing is said
    fit_every: int = 20  # new boxes after which the fit is computed again
    most_people: int = 60  # boxes of people that are kept
    least_people: int = 5  # boxes of people; from fewer nothing is said
    least_spread: float = 20.0  # pixels: places closer together say little about the slope
    pull_down: float = 3.0  # boxes: weight of the assumption that sizes do not change down the picture
    pull_across: float = 6.0  # boxes: the same across; larger, because few cameras lean sideways
    rounds: int = 5  # rounds of reweighting
    robust: float = 0.1  # natural logarithm of the size ratio up to which a box has its full weight
    beyond: float = 30.0  # pixels outside the places seen over which the fit is extrapolated


@dataclass(frozen=True, slots=True)
class AssociationParameters:
    """Which detection may belong to which track, and at what cost (0 the best, 1 the worst)."""

    sure_iou: float = 0.15  # least IoU of a track's expected box and a sure box
    weak_iou: float = 0.3  # of a track's expected box and a weak box
    resting_iou: float = 0.4  # of any box and a track that stands: what drives past in front of it is not it
    lost_iou: float = 0.2  # of a box and a track that was found by neither of the two
    unseen_iou: float = 0.35  # the same where optical flow saw no velocity of the box
    size_ratio: float = 2.0  # most ratio of the box's size to the track's, either way
    place_size: float = 0.15  # sizes: error of the box's place, added to the track's deviation
    place_deviations: float = 2.0  # most distance, in these errors
    place_most: float = 1.5  # most distance, in sizes
    place_cost: float = 0.5  # share of the cost that nearness alone can take away
    speed_size: float = 0.3  # sizes a second: error of the box's velocity, added to the track's deviation
    speed_pixels: float = 0.5  # pixels a frame: the same, by which flow itself may be off
    speed_deviations: float = 1.5  # most difference in velocity, in these errors
    speed_share: float = 0.3  # and as a share of the track's speed


@dataclass(frozen=True, slots=True)
class BirthParameters:
    """Where a detection that belongs to no track begins one."""

    velocity_share: float = 0.45  # least share of a box's corners that agree on its first velocity
    taken_iou_weak: float = 0.2  # IoU with a track from which a weak box begins none
    taken_iou_sure: float = 0.5  # IoU with a track that was seen from which a sure box begins none
    taken_nested: float = 0.8  # share of the one in the other from which a weak box begins none
    part_inside: float = 0.75  # share of a box in a partly hidden track from which it may be another part of it
    part_iou: float = 0.25  # and IoU with the part that was seen below which it is one


@dataclass(frozen=True, slots=True)
class LifeParameters:
    """How long a track lives, and what is said of it."""

    known_sightings: int = 3  # detections from which size and velocity are known
    confirm_seconds: float = 0.1  # s between the first two detections that confirm a track without a third
    flash_seconds: float = 0.6  # s that a track with fewer detections is kept unseen
    least_visible: float = 0.12  # share of an unseen track's box that must still be in the picture
    still_speed: float = 0.2  # sizes a second: slower than this a track stands
    still_distance: float = 0.4  # sizes that a standing track may move
    rest_seconds: float = 1.0  # s of standing after which a track is resting
    detection_seconds: float = 0.2  # s that one detection stands for at most: a frame at 5 frames a second
    peak_fade_seconds: float = 1.5  # s: time constant with which evidence fades before its peak is taken
    size_seconds_sure: float = 0.12  # s: time constant with which a track's size follows sure boxes
    size_seconds_weak: float = 0.3  # s: the same for weak boxes, which jump more
    person_inside: float = 0.5  # share of a track's box in a person's from which it is with that person
    person_covers: float = 0.5  # share of a person's box in the track's, likewise
    person_area: float = 0.35  # and then the least area of the person, of the track's


@dataclass(frozen=True, slots=True)
class MotionParameters:
    """Noise of the Kalman filter, and which shifts of the picture are the track's own motion."""

    acceleration: float = 2.5  # sizes a second squared: what changes a velocity
    first_place: float = 0.08  # sizes: error of the first box's middle
    first_speed: float = 0.25  # sizes a second: error of a first velocity that optical flow saw
    first_speed_pixels: float = 0.5  # pixels a frame: the same
    unknown_speed_sure: float = 2.5  # sizes a second: error of a sure box's first velocity, taken for 0
    unknown_speed_weak: float = 1.0  # the same for a weak box: a faint flicker seldom is a fast vehicle
    seen_place: float = 0.07  # sizes: error of a detected box's middle
    full_confidence: float = 0.5  # confidence from which that error holds; below, it grows in proportion
    least_confidence_share: float = 0.3  # share of it below which the error grows no further
    part_error: float = 2.0  # times the error where only a part of the vehicle was seen
    flow_place: float = 0.04  # sizes: error of a shift that the corners agree on
    flow_place_pixels: float = 0.7  # flow pixels: the same
    flow_speed: float = 0.02  # sizes a frame: error of the velocity that follows from the shift
    flow_lost: float = 0.5  # sizes: largest error of the place of a track that only flow follows
    flow_share: float = 0.4  # least share of a box's corners that agree on its shift
    shift_deviations: float = 4.0  # most difference of a shift from the expected one: deviations of the velocity,
    shift_speed: float = 0.15  # share of the speed,
    shift_pixels: float = 1.0  # and flow pixels a frame
    background_speed: float = 0.4  # sizes a second: an unseen track that went faster than this
    background_share: float = 0.25  # and now moves by less than this share is the background, seen past it


@dataclass(frozen=True, slots=True)
class PartParameters:
    """When a detected box shows only a part of a track whose rest is hidden or out of the frame."""

    smaller: float = 0.85  # most extent of the box along an axis, of the track's
    own_edge: float = 0.1  # most distance of the edge that is the vehicle's own from the expected one, of the extent
    edge_ratio: float = 2.5  # least ratio of the other edge's distance to that
    most_seconds: float = 1.5  # s that a box is taken for a part; then it is the whole
    too_large: float = 1.5  # times the usual size: so large a track may be two vehicles, and its size is not kept
    frame_edge_pixels: float = 2.0  # pixels: a box that ends so near to the frame's edge is cut by it
    frame_edge_share: float = 0.004  # and share of the frame's side, added
    away_speed: float = 0.5  # sizes a second: a track that drives away gets smaller and is not hidden; least speed
    away_smaller: float = 0.9  # most extent of its box on both axes, of the track's
    away_alike: float = 1.1  # most ratio of the two axes' shrinking
    away_rate: float = 1.6  # natural logarithm of the size ratio a second: faster than this no vehicle drives away


@dataclass(frozen=True, slots=True)
class RelationParameters:
    """When tracks are shadows or parts of one another, or one continues another."""

    together_speed: float = 0.3  # most difference of two velocities that are the same, of the larger speed
    together_size: float = 0.3  # sizes a second (of the smaller track): added to it
    shadow_iou: float = 0.4  # IoU of an unseen track with a seen one from which it is its shadow
    shadow_inside: float = 0.7  # or share of it in the seen one
    shadow_iou_seen: float = 0.5  # the same for two tracks that are both seen
    shadow_inside_seen: float = 0.8  # the same
    shadow_ratio: float = 1.5  # and least ratio of their evidence
    shadow_seconds: float = 0.25  # s after which a shadow ends
    touch_rim: float = 0.15  # share of a box's sides: boxes that come so near touch
    part_unseen_seconds: float = 0.2  # s that a part must not have been seen for itself
    part_forget_seconds: float = 1.2  # s after which a touch is forgotten
    part_outside: float = 0.3  # least share of the part that lay outside the whole
    part_growth: float = 1.2  # least ratio of the joint extent along the way to the whole's before
    stitch_overlap_seconds: float = 0.25  # s that a new track may begin before the lost one was found last
    stitch_seconds: float = 1.0  # s between the two at most, unless the lost one was resting
    stitch_smaller: float = 0.6  # least ratio of the new track's size to the lost one's
    stitch_larger: float = 1.7  # most ratio of the two
    stitch_place: float = 0.35  # sizes: most distance from the expected place
    stitch_distance: float = 0.35  # share of the distance travelled since, added to it
    stitch_rest: float = 0.5  # sizes: most distance from the place of a resting track
    stitch_speed: float = 0.6  # most difference in velocity, of the larger speed
    stitch_speed_size: float = 0.3  # sizes a second: added to it


@dataclass(frozen=True, slots=True)
class RetraceParameters:
    """How a new track is followed back to where it came from, and which boxes hide others."""

    speed: float = 0.3  # sizes a second: a slower track is not followed back
    kept_seconds: float = 0.7  # s of frames kept beyond `tracker.retrace_seconds`: a track is confirmed after its birth
    share: float = 0.4  # least share of the box's corners that agree on a step
    step_speed: float = 0.5  # most difference of a step from the expected one, of the expected one
    step_size: float = 0.15  # sizes: added to it
    learning: float = 0.3  # share by which the expected velocity follows the last step
    hides_share: float = 0.05  # least share of a box that another one covers when it hides it
    hides_iou: float = 0.6  # IoU from which the two are one vehicle, and nothing is hidden
    hides_lower: float = 0.05  # least distance by which the front one's lower edge is lower, of the hidden one's height
    hides_confidence: float = 0.2  # least confidence of a track that may hide others
    hides_sightings: int = 2  # and least detections
    companion_iou: float = 0.35  # IoU with another track from which a step lay in that one's box
    companion_inside: float = 0.65  # or share of the box in that one's
    companion_speed: float = 0.4  # most difference of their velocities, of the speed
    companion_size: float = 0.3  # sizes a second: added to it
    companion_share: float = 0.3  # least share of the steps that make the other one the track that it is a part of
    sparse_seconds: float = 0.15  # s between frames from which one such step is enough; below, it takes two


@dataclass(frozen=True, slots=True)
class TrackingParameters:
    """All tuned numbers of tracking, by topic."""

    gaps: GapParameters = GapParameters()
    flow: FlowParameters = FlowParameters()
    shift: ShiftParameters = ShiftParameters()
    sightings: SightingParameters = SightingParameters()
    usual_size: UsualSizeParameters = UsualSizeParameters()
    association: AssociationParameters = AssociationParameters()
    birth: BirthParameters = BirthParameters()
    life: LifeParameters = LifeParameters()
    motion: MotionParameters = MotionParameters()
    parts: PartParameters = PartParameters()
    relations: RelationParameters = RelationParameters()
    retrace: RetraceParameters = RetraceParameters()


DEFAULT_TRACKING = TrackingParameters()

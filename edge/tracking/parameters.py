"""Holds the tuned numbers of tracking: one field a number, with its unit and its meaning.

Why a field has its value: unless its comment says otherwise, it was fitted together with the others on the labelled
clips of ``make accuracy`` (at all frames, 10 and 5 frames a second) and on the simulated scenes. It is no physical
constant, and no measurement of it is recorded. ``make sensitivity`` shows what depends on it.

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

    first_seconds: float = 0.1  # s that the first frame stands for, because no frame is before it
    shortest_seconds: float = 1e-3  # s; a shorter gap counts as this one, because velocities are divided by it
    flow_seconds: float = 1.5  # s; no corner is searched over a longer gap: the picture has changed too much
    restart_seconds: float = LONG_GAP_SECONDS  # s; all tracks end after a longer gap


@dataclass(frozen=True, slots=True)
class FlowParameters:
    """Where corners are searched, and which results are believed. Recordings hold the results, not the pictures."""

    cell: int = 6  # flow pixels: side of the square cells, each of which has one corner at most
    most_corners: int = 420  # corners that are searched in a frame: bounds the time of a frame
    blur: int = 3  # flow pixels: side of the Gaussian kernel that removes the camera's noise; odd
    corner_block: int = 3  # flow pixels: side of the neighbourhood from which a corner's strength is computed
    least_corner: float = 2e-5  # least strength: smaller eigenvalue of the gradients' covariance, as OpenCV scales it
    corner_share: float = 0.005  # least strength, as a share of the strength of strong corners
    strong_percentile: float = 99.0  # percentile of the cells' strengths that is the strength of strong corners
    least_change: float = 8.0  # grey levels by which a pixel of a cell must change before the corner is searched
    change_noise: float = 4.0  # the same, as a multiple of 1 + the median change of all pixels, which is noise
    window: int = 15  # flow pixels: side of the Lucas-Kanade window
    pyramid_levels: int = 4  # halvings of the small picture; each doubles the motion that can be found
    iterations: int = 20  # most Lucas-Kanade steps at each level
    precision: float = 0.03  # flow pixels: a smaller step ends the search
    round_trip: float = 1.5  # flow pixels, both axes added: a corner that comes back this far off is lost


@dataclass(frozen=True, slots=True)
class ShiftParameters:
    """How the corners in a box agree on the box's shift."""

    box_share: float = 0.9  # share of the box's width and height that is used: its rim shows what is beside the vehicle
    least_corners: int = 3  # corners; from fewer no shift is measured
    most_corners: int = 40  # corners that are compared with each other: bounds the time, which grows with their square
    agreement_pixels: float = 1.0  # flow pixels by which the moves of two corners that agree may differ
    agreement_share: float = 0.1  # share of the move, added to it


@dataclass(frozen=True, slots=True)
class SightingParameters:
    """Which of a frame's boxes are one vehicle each, and which are near enough to a gate."""

    person: float = 0.25  # least confidence of a person on foot
    group_inside: float = 0.85  # least share of a member's area that lies in the group's box
    group_overlap: float = 0.15  # area that two members share at most, as a share of the smaller member's area
    group_filled: float = 0.6  # least sum of two members' areas, as a share of the group's area
    group_least_area: float = 0.22  # least area of a member, as a share of the group's area
    group_most_area: float = 0.75  # largest area of a member, as a share of the group's area
    group_area_ratio: float = 2.0  # largest ratio of two members' areas
    group_confidence_share: float = 0.25  # least confidence of a member, as a share of the group's confidence
    group_confidence: float = 0.1  # least confidence of a member
    explained_inside: float = 0.8  # share of one box in the other from which on the surer box explains the weaker box
    explains_ratio: float = 1.5  # least ratio of the surer box's confidence to the weaker box's
    explains_confidence: float = 0.3  # least confidence of the surer box
    gate_distance: float = 0.5  # largest distance of a box's centre from a gate's line, of the frame's longer side
    gate_distance_weak: float = 0.35  # the same for boxes that are not sure


@dataclass(frozen=True, slots=True)
class UsualSizeParameters:
    """How the usual size of vehicles at a place is learned."""

    confidence: float = 0.4  # least confidence of a car, bus or truck that is learned from
    most_vehicles: int = 300  # boxes of vehicles that are kept: bounds memory, and forgets the view before a turn
    least_vehicles: int = 5  # boxes of vehicles from which on sizes are known
    fit_every: int = 20  # new boxes after which the fit is computed again
    most_people: int = 60  # boxes of people that are kept: bounds memory
    least_people: int = 5  # boxes of people from which on their size is known
    least_spread: float = 20.0  # pixels, added to the deviation of the places: near places determine no slope
    pull_down: float = 3.0  # boxes: weight of the assumption that sizes are the same at all heights of the picture
    pull_across: float = 6.0  # boxes: the same from left to right; larger, because few cameras lean sideways
    rounds: int = 5  # rounds of reweighting
    robust: float = 0.1  # natural logarithm of the size ratio up to which a box has its full weight in the fit
    beyond: float = 30.0  # pixels outside the places learned from over which the fit is extrapolated


@dataclass(frozen=True, slots=True)
class AssociationParameters:
    """Which detection may belong to which track, and at what cost (0 the best, 1 the worst)."""

    sure_iou: float = 0.15  # least IoU of a sure box with the expected box of a track that was followed
    weak_iou: float = 0.3  # the same for a weak box
    resting_iou: float = 0.4  # the same for any box and a resting track: what drives past in front of it must not match
    lost_iou: float = 0.2  # the same for any box and a track that the first two rounds did not match
    unseen_iou: float = 0.35  # the same where optical flow measured no velocity of the box
    size_ratio: float = 2.0  # largest ratio of the box's size to the track's, either way
    place_size: float = 0.15  # sizes: error of a box's place, added to the deviation of the track's place
    place_deviations: float = 2.0  # largest distance, as a multiple of that sum
    place_most: float = 1.5  # largest distance, in sizes
    place_cost: float = 0.5  # by how much a distance of 0 lowers the cost
    speed_size: float = 0.3  # sizes a second: error of a box's velocity, added to the deviation of the track's velocity
    speed_pixels: float = 0.5  # pixels a frame: error of optical flow, added to both
    speed_deviations: float = 1.5  # largest difference of the velocities, as a multiple of that sum
    speed_share: float = 0.3  # share of the track's speed, added to it


@dataclass(frozen=True, slots=True)
class BirthParameters:
    """Where a detection that belongs to no track begins one."""

    velocity_share: float = 0.45  # least share of a box's corners that agree on its first velocity
    taken_iou_weak: float = 0.2  # largest IoU with a track of a weak box that starts a track
    taken_iou_sure: float = 0.5  # largest IoU with a seen track of a sure box that starts a track
    taken_nested: float = 0.8  # largest share of a weak box in a seen track, or the other way round, to start a track
    part_inside: float = 0.75  # share of a box in a partly hidden track from which on it may be another part of it
    part_iou: float = 0.25  # and the IoU with the part that is seen below which it is another part


@dataclass(frozen=True, slots=True)
class LifeParameters:
    """How long a track lives, and what is said of it."""

    known_sightings: int = 3  # sightings from which on size and velocity are known; so many confirm a track
    confirm_seconds: float = 0.1  # s from the first sighting after which one sighting less confirms a track
    flash_seconds: float = 0.6  # s for which an unseen track with fewer sightings is kept
    least_visible: float = 0.12  # share of an unseen track's box that must be in the picture, or the track ends
    still_speed: float = 0.2  # sizes a second: a slower track stands
    still_distance: float = 0.4  # sizes by which a standing track may move
    rest_seconds: float = 1.0  # s of standing after which a track is resting
    detection_seconds: float = 0.2  # s that a sighting stands for at most: the time between frames at 5 frames a second
    peak_fade_seconds: float = 1.5  # s: time constant with which evidence fades; its largest value is the peak
    size_seconds_sure: float = 0.12  # s: time constant with which a track's size follows sure boxes
    size_seconds_weak: float = 0.3  # s: the same for weak boxes, whose edges jump more
    person_inside: float = 0.5  # share of a track's box in a person's box from which on it is with that person


@dataclass(frozen=True, slots=True)
class MotionParameters:
    """Noise of the Kalman filter, and which shifts of the picture are the track's own motion."""

    acceleration: float = 2.5  # sizes a second squared: what changes the velocity
    first_place: float = 0.08  # sizes: error of the first box's centre
    first_speed: float = 0.25  # sizes a second: error of a first velocity that optical flow measured
    first_speed_pixels: float = 0.5  # pixels a frame: error of optical flow, added to it
    unknown_speed_sure: float = 2.5  # sizes a second: error of a sure box's first velocity where none was measured
    unknown_speed_weak: float = 1.0  # the same for a weak box: a faint flicker seldom is a fast vehicle
    seen_place: float = 0.07  # sizes: error of a detected box's centre
    full_confidence: float = 0.5  # confidence from which on that error holds; below it the error grows in proportion
    least_confidence_share: float = 0.3  # share of that confidence below which the error grows no more
    part_error: float = 2.0  # factor of that error where a box shows only a part of the vehicle
    flow_place: float = 0.04  # sizes: error of a shift that a box's corners agree on
    flow_place_pixels: float = 0.7  # flow pixels, added to it
    flow_speed: float = 0.02  # sizes a frame: error of the velocity that is computed from the shift
    flow_lost: float = 0.5  # sizes: largest error of the place of a track that only optical flow follows
    flow_share: float = 0.4  # least share of a box's corners that agree on its shift
    shift_deviations: float = 4.0  # largest difference of a shift's velocity from the track's, in deviations of it
    shift_speed: float = 0.15  # share of the speed, added to it
    shift_pixels: float = 1.0  # flow pixels a frame, added to it
    background_speed: float = 0.4  # sizes a second: the shift of an unseen track that is faster than this and
    background_share: float = 0.25  # whose picture moves by less than this share of its speed is that of the background


@dataclass(frozen=True, slots=True)
class PartParameters:
    """When a detected box shows only a part of a track whose rest is hidden or out of the frame."""

    smaller: float = 0.85  # the box's extent along an axis is at most this share of the track's
    own_edge: float = 0.1  # largest distance of the vehicle's own edge from its expected place, of the extent
    edge_ratio: float = 2.5  # least ratio of the distance of the hidden edge to that of the own edge
    most_seconds: float = 1.5  # s for which boxes are taken for a part; after that they are the whole vehicle
    too_large: float = 1.5  # times the usual size: a larger track may be two vehicles, so its size is not kept
    frame_edge_pixels: float = 2.0  # pixels: a box that ends this near to the frame's edge is cut by the frame
    frame_edge_share: float = 0.004  # share of the frame's side, added to it
    # A vehicle that drives away gets smaller and is not hidden. A car that passed close by the camera was found a fifth
    # smaller in each of 5 frames a second: a rate of 1.1.
    away_speed: float = 0.5  # sizes a second: least speed of such a track
    away_smaller: float = 0.9  # its box's extent is at most this share of the track's on both axes
    away_alike: float = 1.1  # largest ratio of these two shares
    away_rate: float = 1.6  # natural logarithm of the size ratio a second: no vehicle drives away faster


@dataclass(frozen=True, slots=True)
class RelationParameters:
    """When tracks are shadows or parts of one another, or one continues another."""

    together_speed: float = 0.3  # largest difference of two velocities that are alike, as a share of the larger speed
    together_size: float = 0.3  # sizes a second of the smaller track, added to it
    shadow_iou: float = 0.4  # IoU with a seen track from which on an unseen track is its shadow
    shadow_inside: float = 0.7  # share of an unseen track in a seen track from which on it is its shadow
    shadow_iou_seen: float = 0.5  # the same IoU where both tracks are seen
    shadow_inside_seen: float = 0.8  # the same share where both tracks are seen
    shadow_ratio: float = 1.5  # and the least ratio of their evidence
    shadow_seconds: float = 0.25  # s for which a track is a shadow before it ends
    # Two tracks that were surely seen in two places at the same time. At 5 frames a second the counts of the clips are
    # the same from 0.2 to 0.5, and from 0.1 to 0.4.
    apart_confidence: float = 0.3  # least confidence of both boxes
    apart_overlap: float = 0.25  # largest share of the smaller box that lies in the other one
    touch_rim: float = 0.15  # share of a box's sides: boxes that come this near are side by side
    part_unseen_seconds: float = 0.2  # s for which a part must have been unseen
    part_forget_seconds: float = 1.2  # s after which it is forgotten that two tracks were side by side
    part_outside: float = 0.3  # least share of the part that lay outside the whole
    part_growth: float = 1.2  # least ratio of length to width of both together, in multiples of the whole's before
    stitch_overlap_seconds: float = 0.25  # s by which a new track may begin before the lost track was last found
    stitch_seconds: float = 1.0  # longest time in s between the two, unless the lost track was resting
    stitch_smaller: float = 0.6  # least ratio of the new track's size to the lost track's
    stitch_larger: float = 1.7  # largest ratio of the two
    stitch_place: float = 0.35  # sizes: largest distance of the new track from where the lost track is expected
    stitch_distance: float = 0.35  # share of the distance travelled meanwhile, added to it
    stitch_rest: float = 0.5  # sizes: largest distance from the place of a lost track that was resting
    stitch_speed: float = 0.6  # largest difference of the two velocities, as a share of the larger speed
    stitch_speed_size: float = 0.3  # sizes a second, added to it


@dataclass(frozen=True, slots=True)
class RetraceParameters:
    """How a new track is followed back to where it came from, and which boxes hide others."""

    speed: float = 0.3  # sizes a second: a slower track is not traced back
    kept_seconds: float = 0.7  # s of frames kept beyond tracker.retrace_seconds, because confirming takes a while
    share: float = 0.4  # least share of the box's corners that agree on a step
    step_speed: float = 0.5  # largest difference of a step from the expected step, as a share of the expected step
    step_size: float = 0.15  # sizes, added to it
    learning: float = 0.3  # share by which the expected velocity follows the last step
    hides_share: float = 0.05  # least share of a box that another box must cover to hide a part of it
    hides_iou: float = 0.6  # IoU from which on the two are one vehicle, and nothing is hidden
    hides_lower: float = 0.05  # least distance of the front box's lower edge below the hidden box's, of its height
    hides_confidence: float = 0.2  # least confidence of a track that may hide others
    hides_sightings: int = 2  # least sightings of a track that may hide others
    companion_inside: float = 0.65  # share of the box in another track from which on it lay in that track
    companion_speed: float = 0.4  # largest difference of their velocities, as a share of the speed
    companion_size: float = 0.3  # sizes a second, added to it
    companion_share: float = 0.3  # least share of the steps, and two at least, in which it lay in the same track


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

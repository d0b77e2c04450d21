"""Finds tracks that are one vehicle: shadows of others, parts of others, and lost tracks that are seen again.

The rules are our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.core.shapes import Point
from edge.tracking.boxes import areas, box_array, center, overlaps, shared_areas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.tracking.boxes import Floats
    from edge.tracking.parameters import RelationParameters, TrackingParameters
    from edge.tracking.tracklet import Tracklet


class Contact(NamedTuple):
    """Two tracks side by side while both were seen: when, and the boxes of the track itself and of the other one."""

    at: float
    own_box: Floats
    other_box: Floats


@dataclass(slots=True)
class Relations:
    """How a track relates to others, which are named by their numbers."""

    shadow_seconds: float = 0.0  # for how long it has been the shadow of another track
    contacts: dict[int, Contact] = field(default_factory=dict)  # the last time that it was beside another track
    apart: dict[int, float] = field(default_factory=dict)  # seconds for which another track was seen apart from it
    absorbed: list[int] = field(default_factory=list)  # the tracks that turned out to be parts of this one
    merged_into: int = 0  # the earlier track of the same vehicle; 0: none
    continuation_tried: bool = False  # whether an earlier track has been looked for

    def update_shadow(self, is_shadow: bool, seconds: float) -> None:
        """Count the seconds for which it has been a shadow without interruption."""
        self.shadow_seconds = self.shadow_seconds + seconds if is_shadow else 0.0


def move_alike(a: Tracklet, b: Tracklet, limits: RelationParameters) -> bool:
    """Whether two tracks have the same velocity, within the limits."""
    difference = math.hypot(a.motion.vx - b.motion.vx, a.motion.vy - b.motion.vy)
    most = limits.together_speed * max(a.motion.speed, b.motion.speed) + limits.together_size * min(a.size, b.size)
    return difference <= most


def find_shadows(tracks: Sequence[Tracklet], seconds: float, parameters: TrackingParameters) -> set[int]:
    """Return the numbers of the tracks that have been the shadow of another track for long enough to end.

    A shadow lies on or in a track that the detector sees and moves like it. It is unseen itself, or it is seen but has
    much less evidence. Must be called once a frame, ``seconds`` after the frame before.
    """
    limits, known = parameters.relations, parameters.life.known_sightings
    shadows: set[int] = set()
    if len(tracks) > 1:
        boxes = box_array(tuple(track.box) for track in tracks)
        iou, inside, _ = overlaps(boxes, boxes)
        np.fill_diagonal(iou, 0.0)
        np.fill_diagonal(inside, 0.0)
        for i, j in zip(*np.nonzero((iou > limits.shadow_iou) | (inside > limits.shadow_inside)), strict=True):
            track, other = tracks[i], tracks[j]
            if not other.seen or other.evidence.sightings < known - 1 or not move_alike(track, other, limits):
                continue
            is_weaker = (
                other.evidence.fading > limits.shadow_ratio * track.evidence.fading
                and other.evidence.sightings > track.evidence.sightings
            )
            is_nested = iou[i, j] > limits.shadow_iou_seen or inside[i, j] > limits.shadow_inside_seen
            if not track.seen or (is_weaker and is_nested):
                shadows.add(track.number)
    ending: set[int] = set()
    for track in tracks:
        track.relations.update_shadow(track.number in shadows, seconds)
        if track.relations.shadow_seconds > limits.shadow_seconds:
            ending.add(track.number)
    return ending


def record_contacts(tracks: Sequence[Tracklet], at: float, parameters: TrackingParameters) -> None:
    """Record which of the tracks that are seen are side by side and move alike."""
    seen = [track for track in tracks if track.seen and track.known]
    if len(seen) < 2:
        return
    boxes = np.array([track.last.box for track in seen])
    rim = parameters.relations.touch_rim * (boxes[:, 2:] - boxes[:, :2])
    wider = np.hstack([boxes[:, :2] - rim, boxes[:, 2:] + rim])
    for i, j in zip(*np.nonzero(shared_areas(wider, boxes) > 0), strict=True):
        if i != j and move_alike(seen[i], seen[j], parameters.relations):
            seen[i].relations.contacts[seen[j].number] = Contact(at, boxes[i], boxes[j])


def record_apart(tracks: Sequence[Tracklet], seconds: float, limits: RelationParameters) -> None:
    """Add the frame's ``seconds`` to the pairs of tracks that were surely seen in it in two places: they are two."""
    living = {track.number for track in tracks}
    for track in tracks:
        if len(track.relations.apart) > len(living):  # or a parked vehicle would remember all that ever drove past
            track.relations.apart = {key: value for key, value in track.relations.apart.items() if key in living}
    seen = [
        track for track in tracks if track.seen and track.known and track.last.confidence >= limits.apart_confidence
    ]
    if len(seen) < 2:
        return
    boxes = np.array([track.last.box for track in seen])
    _, inside, around = overlaps(boxes, boxes)
    for i, j in zip(*np.nonzero(np.maximum(inside, around) < limits.apart_overlap), strict=True):
        apart = seen[i].relations.apart
        apart[seen[j].number] = apart.get(seen[j].number, 0.0) + seconds


def absorb_parts(tracks: Sequence[Tracklet], at: float, limits: RelationParameters) -> None:
    """Record the tracks that turned out to be parts of others: a cab that has become one box with its trailer.

    A part is no longer seen for itself, and the other track's box has grown to what both were together, in proportion
    to its width across its way. A vehicle that is only hidden by a longer one leaves that one's box as it was.
    """
    by_number = {track.number: track for track in tracks}
    for part in tracks:
        for number, contact in list(part.relations.contacts.items()):
            whole = by_number.get(number)
            if whole is None or at - contact.at > limits.part_forget_seconds:
                del part.relations.contacts[number]
                continue
            if part.seen or not whole.seen or at - part.last.at < limits.part_unseen_seconds:
                continue
            absorbed = whole.relations.absorbed
            if part.number not in absorbed and _has_grown_around(whole, contact, limits):
                absorbed.append(part.number)


def _has_grown_around(whole: Tracklet, contact: Contact, limits: RelationParameters) -> bool:
    """Whether a box's ratio of length to width is nearer to that of both boxes together than to its own before."""
    along = 0 if abs(whole.motion.vx) > abs(whole.motion.vy) else 1
    part, before = contact.own_box, contact.other_box
    both = np.concatenate([np.minimum(part, before)[:2], np.maximum(part, before)[2:]])
    outside = 1 - float(shared_areas(part[None], before[None])[0, 0]) / max(float(areas(part[None])[0]), 1.0)
    ratio_before, ratio_both, ratio_now = (_ratio(box, along) for box in (before, both, whole.last.box))
    if outside < limits.part_outside or ratio_both < limits.part_growth * ratio_before:
        return False
    return abs(math.log(ratio_now / ratio_both)) < abs(math.log(ratio_now / ratio_before))


def find_continued(new: Tracklet, tracks: Sequence[Tracklet], parameters: TrackingParameters) -> Tracklet | None:
    """Return the lost track that a new one continues, which has just been traced back to its origin."""
    limits = parameters.relations
    past = new.origin.past if new.origin is not None else ()
    first_at, first = past[0] if past else (new.birth.at, Point(*center(new.birth.box)))
    nearest: tuple[float, Tracklet] | None = None
    for lost in tracks:
        if lost is new or lost.seen or lost.relations.merged_into or not lost.known or lost.birth.at >= new.birth.at:
            continue
        fix, gap = lost.fix, first_at - lost.fix.at
        longest = math.inf if fix.resting else limits.stitch_seconds
        if not -limits.stitch_overlap_seconds <= gap <= longest:
            continue
        if not limits.stitch_smaller < new.size / lost.size < limits.stitch_larger:
            continue
        size, speed, gap = max(new.size, lost.size), math.hypot(*fix.velocity), max(gap, 0.0)
        distance = math.hypot(
            first.x - fix.position.x - fix.velocity.x * gap, first.y - fix.position.y - fix.velocity.y * gap
        )
        if fix.resting:
            fits = math.hypot(first.x - fix.position.x, first.y - fix.position.y) < limits.stitch_rest * size
        else:
            difference = math.hypot(new.motion.vx - fix.velocity.x, new.motion.vy - fix.velocity.y)
            most_difference = limits.stitch_speed * max(speed, new.motion.speed) + limits.stitch_speed_size * new.size
            most_distance = limits.stitch_place * size + limits.stitch_distance * speed * gap
            fits = distance < most_distance and difference < most_difference
        if fits and (nearest is None or distance < nearest[0]):
            nearest = distance, lost
    return nearest[1] if nearest else None


def _ratio(box: Floats, along: int) -> float:
    """The ratio of a box's extent along one axis (0 x, 1 y) to that along the other one."""
    return _extent(box, along) / _extent(box, 1 - along)


def _extent(box: Floats, axis: int) -> float:
    return max(float(box[axis + 2] - box[axis]), 1.0)

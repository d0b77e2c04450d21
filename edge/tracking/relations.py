"""What tracks are to each other: the shadow of another, a part of another, the same as one that was lost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edge.core.shapes import Point
from edge.tracking.boxes import overlaps, rows, shared
from edge.tracking.tracklet import Touch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.tracking.boxes import Floats
    from edge.tracking.parameters import RelationParameters, TrackingParameters
    from edge.tracking.tracklet import Tracklet


def together(one: Tracklet, other: Tracklet, p: RelationParameters) -> bool:
    """Whether two tracks have the same velocity."""
    a, b = one.motion, other.motion
    limit = p.together_speed * max(a.speed, b.speed) + p.together_size * min(one.size, other.size)
    return math.hypot(a.vx - b.vx, a.vy - b.vy) <= limit


def shadows(tracklets: Sequence[Tracklet], seconds: float, parameters: TrackingParameters) -> dict[int, Tracklet]:
    """Which tracks (by number) have been another one's shadow for long enough, and whose."""
    p, known = parameters.relations, parameters.life.known_sightings
    found: dict[int, Tracklet] = {}
    behind: dict[int, Tracklet] = {}
    if len(tracklets) > 1:
        boxes = rows(tuple(one.box) for one in tracklets)
        iou, inside, _ = overlaps(boxes, boxes)
        np.fill_diagonal(iou, 0.0)
        np.fill_diagonal(inside, 0.0)
        for i, j in zip(*np.nonzero((iou > p.shadow_iou) | (inside > p.shadow_inside)), strict=True):
            one, other = tracklets[i], tracklets[j]
            if not other.seen or other.sightings < known - 1 or not together(one, other, p):
                continue
            weaker = other.fading > p.shadow_ratio * one.fading and other.sightings > one.sightings
            if not one.seen or (weaker and (iou[i, j] > p.shadow_iou_seen or inside[i, j] > p.shadow_inside_seen)):
                behind[one.number] = other
    for one in tracklets:
        one.shadowed = one.shadowed + seconds if one.number in behind else 0.0
        if one.shadowed > p.shadow_seconds:
            found[one.number] = behind[one.number]
    return found


def notice_touches(tracklets: Sequence[Tracklet], at: float, parameters: TrackingParameters) -> None:
    """Remember which tracks are side by side and go together, as the detector sees them now."""
    seen = [one for one in tracklets if one.seen and one.sightings >= parameters.life.known_sightings]
    if len(seen) < 2:
        return
    boxes = np.array([one.matched for one in seen])
    rim = parameters.relations.touch_rim * (boxes[:, 2:] - boxes[:, :2])
    wider = np.hstack([boxes[:, :2] - rim, boxes[:, 2:] + rim])
    for i, j in zip(*np.nonzero(shared(wider, boxes) > 0), strict=True):
        if i != j and together(seen[i], seen[j], parameters.relations):
            seen[i].touches[seen[j].number] = Touch(at, boxes[i], boxes[j])


def absorb_parts(tracklets: Sequence[Tracklet], at: float, p: RelationParameters) -> None:
    """Find the tracks that turned out to be parts of others: a cab that has become one box with its trailer.

    The part is no longer seen for itself, and the other one has grown to what both were together, against its own
    width across its way. A vehicle that is hidden by a longer one leaves that one as long as it was.
    """
    by_number = {one.number: one for one in tracklets}
    for part in tracklets:
        for number, touch in list(part.touches.items()):
            whole = by_number.get(number)
            if whole is None or at - touch.at > p.part_forget_seconds:
                del part.touches[number]
                continue
            if (
                part.seen
                or not whole.seen
                or at - part.last_seen < p.part_unseen_seconds
                or part.number in whole.absorbed
            ):
                continue
            if _has_grown_about(whole, touch, p):
                whole.absorbed.append(part.number)


def _has_grown_about(whole: Tracklet, touch: Touch, p: RelationParameters) -> bool:
    along = 0 if abs(whole.motion.vx) > abs(whole.motion.vy) else 1
    across = 1 - along
    outside = 1 - float(shared(touch.own[None], touch.other[None])[0, 0]) / max(_area(touch.own), 1.0)
    both = np.concatenate([np.minimum(touch.own, touch.other)[:2], np.maximum(touch.own, touch.other)[2:]])
    before = _extent(touch.other, along) / _extent(touch.other, across)
    joined = _extent(both, along) / _extent(both, across)
    now = _extent(whole.matched, along) / _extent(whole.matched, across)
    if outside < p.part_outside or joined < p.part_growth * before:
        return False
    return abs(math.log(now / joined)) < abs(math.log(now / before))


def continued(new: Tracklet, tracklets: Sequence[Tracklet], parameters: TrackingParameters) -> Tracklet | None:
    """The lost track that ``new``, just followed back to where it came from, continues."""
    p, known = parameters.relations, parameters.life.known_sightings
    first_at, first = new.past[0] if new.past else (new.born, _middle(new.first_box))
    best: tuple[float, Tracklet] | None = None
    for lost in tracklets:
        if lost is new or lost.seen or lost.merged_into or lost.sightings < known or lost.born >= new.born:
            continue
        gap = first_at - lost.known_at
        longest = p.stitch_seconds if not lost.was_resting else math.inf
        if (
            not -p.stitch_overlap_seconds <= gap <= longest
            or not p.stitch_smaller < new.size / lost.size < p.stitch_larger
        ):
            continue
        size, place, velocity = max(new.size, lost.size), lost.known_place, lost.known_velocity
        speed, gap = math.hypot(*velocity), max(gap, 0.0)
        away = math.hypot(first.x - place.x - velocity.x * gap, first.y - place.y - velocity.y * gap)
        if lost.was_resting:
            fits = math.hypot(first.x - place.x, first.y - place.y) < p.stitch_rest * size
        else:
            differs = math.hypot(new.motion.vx - velocity.x, new.motion.vy - velocity.y)
            fits = (
                away < p.stitch_place * size + p.stitch_distance * speed * gap
                and differs < p.stitch_speed * max(speed, new.motion.speed) + p.stitch_speed_size * new.size
            )
        if fits and (best is None or away < best[0]):
            best = (away, lost)
    return best[1] if best else None


def _extent(box: Floats, axis: int) -> float:
    return max(float(box[axis + 2] - box[axis]), 1.0)


def _area(box: Floats) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _middle(box: Floats) -> Point:
    return Point(float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)

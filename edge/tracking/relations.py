"""What tracks are to each other: the shadow of another, a part of another, the same as one that was lost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edge.core.shapes import Point
from edge.tracking.boxes import overlaps, rows, shared
from edge.tracking.tracklet import KNOWN, Touch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.tracking.boxes import Floats
    from edge.tracking.tracklet import Tracklet

# They go together when their velocities differ by no more than this share of the speed and of the smaller one's size.
TOGETHER, TOGETHER_SIZE = 0.3, 0.3
# A track that is only carried along, on one that is seen, is its shadow; one that is seen when it is much the weaker.
ON, IN = 0.4, 0.7
ON_SEEN, IN_SEEN, STRONGER = 0.5, 0.8, 1.5
SHADOW_SECONDS = 0.25

TOUCHES = 0.15  # of a box's sides: so near boxes touch
# A part that was seen for itself, then not for so long while the other grew about it.
PART_UNSEEN, PART_FORGOTTEN = 0.2, 1.2
PART_OUTSIDE, PART_GROWTH = 0.3, 1.2  # share of the part outside the other; times that the whole is longer

# A new track continues a lost one: seconds between them, times in size, place and velocity.
STITCH_OVERLAP, STITCH_SECONDS = 0.25, 1.0
STITCH_SMALLER, STITCH_LARGER = 0.6, 1.7
STITCH_PLACE, STITCH_WAY, STITCH_REST = 0.35, 0.35, 0.5
STITCH_SPEED, STITCH_SPEED_SIZE = 0.6, 0.3


def together(one: Tracklet, other: Tracklet) -> bool:
    """Whether two tracks have the same velocity."""
    a, b = one.motion, other.motion
    limit = TOGETHER * max(a.speed, b.speed) + TOGETHER_SIZE * min(one.size, other.size)
    return math.hypot(a.vx - b.vx, a.vy - b.vy) <= limit


def shadows(tracklets: Sequence[Tracklet], seconds: float) -> dict[int, Tracklet]:
    """Which tracks (by number) have been another one's shadow for long enough, and whose."""
    found: dict[int, Tracklet] = {}
    behind: dict[int, Tracklet] = {}
    if len(tracklets) > 1:
        boxes = rows(tuple(one.box) for one in tracklets)
        iou, inside, _ = overlaps(boxes, boxes)
        np.fill_diagonal(iou, 0.0)
        np.fill_diagonal(inside, 0.0)
        for i, j in zip(*np.nonzero((iou > ON) | (inside > IN)), strict=True):
            one, other = tracklets[i], tracklets[j]
            if not other.seen or other.sightings < KNOWN - 1 or not together(one, other):
                continue
            weaker = other.fading > STRONGER * one.fading and other.sightings > one.sightings
            if not one.seen or (weaker and (iou[i, j] > ON_SEEN or inside[i, j] > IN_SEEN)):
                behind[one.number] = other
    for one in tracklets:
        one.shadowed = one.shadowed + seconds if one.number in behind else 0.0
        if one.shadowed > SHADOW_SECONDS:
            found[one.number] = behind[one.number]
    return found


def notice_touches(tracklets: Sequence[Tracklet], at: float) -> None:
    """Remember which tracks are side by side and go together, as the detector sees them now."""
    seen = [one for one in tracklets if one.seen and one.sightings >= KNOWN]
    if len(seen) < 2:
        return
    boxes = np.array([one.matched for one in seen])
    rim = TOUCHES * (boxes[:, 2:] - boxes[:, :2])
    wider = np.hstack([boxes[:, :2] - rim, boxes[:, 2:] + rim])
    for i, j in zip(*np.nonzero(shared(wider, boxes) > 0), strict=True):
        if i != j and together(seen[i], seen[j]):
            seen[i].touches[seen[j].number] = Touch(at, boxes[i], boxes[j])


def absorb_parts(tracklets: Sequence[Tracklet], at: float) -> None:
    """Find the tracks that turned out to be parts of others: a cab that has become one box with its trailer.

    The part is no longer seen for itself, and the other one has grown to what both were together, against its own
    width across its way. A vehicle that is hidden by a longer one leaves that one as long as it was.
    """
    by_number = {one.number: one for one in tracklets}
    for part in tracklets:
        for number, touch in list(part.touches.items()):
            whole = by_number.get(number)
            if whole is None or at - touch.at > PART_FORGOTTEN:
                del part.touches[number]
                continue
            if part.seen or not whole.seen or at - part.last_seen < PART_UNSEEN or part.number in whole.absorbed:
                continue
            if _has_grown_about(whole, touch):
                whole.absorbed.append(part.number)


def _has_grown_about(whole: Tracklet, touch: Touch) -> bool:
    along = 0 if abs(whole.motion.vx) > abs(whole.motion.vy) else 1
    across = 1 - along
    outside = 1 - float(shared(touch.own[None], touch.other[None])[0, 0]) / max(_area(touch.own), 1.0)
    both = np.concatenate([np.minimum(touch.own, touch.other)[:2], np.maximum(touch.own, touch.other)[2:]])
    before = _extent(touch.other, along) / _extent(touch.other, across)
    joined = _extent(both, along) / _extent(both, across)
    now = _extent(whole.matched, along) / _extent(whole.matched, across)
    if outside < PART_OUTSIDE or joined < PART_GROWTH * before:
        return False
    return abs(math.log(now / joined)) < abs(math.log(now / before))


def continued(new: Tracklet, tracklets: Sequence[Tracklet]) -> Tracklet | None:
    """The lost track that ``new``, just followed back to where it came from, continues."""
    first_at, first = new.past[0] if new.past else (new.born, _middle(new.first_box))
    best: tuple[float, Tracklet] | None = None
    for lost in tracklets:
        if lost is new or lost.seen or lost.merged_into or lost.sightings < KNOWN or lost.born >= new.born:
            continue
        gap = first_at - lost.known_at
        longest = STITCH_SECONDS if not lost.was_resting else math.inf
        if not -STITCH_OVERLAP <= gap <= longest or not STITCH_SMALLER < new.size / lost.size < STITCH_LARGER:
            continue
        size, place, velocity = max(new.size, lost.size), lost.known_place, lost.known_velocity
        speed, gap = math.hypot(*velocity), max(gap, 0.0)
        away = math.hypot(first.x - place.x - velocity.x * gap, first.y - place.y - velocity.y * gap)
        if lost.was_resting:
            fits = math.hypot(first.x - place.x, first.y - place.y) < STITCH_REST * size
        else:
            differs = math.hypot(new.motion.vx - velocity.x, new.motion.vy - velocity.y)
            fits = (
                away < STITCH_PLACE * size + STITCH_WAY * speed * gap
                and differs < STITCH_SPEED * max(speed, new.motion.speed) + STITCH_SPEED_SIZE * new.size
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

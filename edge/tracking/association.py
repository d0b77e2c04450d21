"""Computes which sighting may belong to which track at what cost, and chooses the pairs of least total cost.

As in ByteTrack (Zhang et al., 2022), sure boxes are matched first and weak ones after them, by their overlap with the
box that is expected of each track. That box follows optical flow and not only the Kalman filter of SORT (Bewley et al.,
2016), so that overlap works at five frames a second too. What is left is matched by place, size and velocity; those
costs are our own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import lap
import numpy as np

from edge.tracking.boxes import box_array, center, overlaps, side_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.shapes import Box, Point
    from edge.tracking.boxes import Floats
    from edge.tracking.observer import FrameStep
    from edge.tracking.parameters import AssociationParameters, BirthParameters
    from edge.tracking.tracklet import Tracklet

# The cost of a pair that must not be chosen. All others cost 1 at most, so that allowed pairs are as many as possible.
FORBIDDEN = 9.0


def cheapest_pairs(costs: Floats) -> list[tuple[int, int]]:
    """Return the one-to-one choice of least total cost as pairs of (row, column), without forbidden pairs.

    The algorithm is that of Jonker and Volgenant (1987), as implemented by ``lap``. SciPy has it too, but takes 50 MB
    of memory and half a second at each start.
    """
    if not costs.size:
        return []
    _, columns, _ = lap.lapjv(costs, extend_cost=True)
    return [(row, int(column)) for row, column in enumerate(columns) if column >= 0 and costs[row, column] < FORBIDDEN]


def overlap_costs(
    tracks: Sequence[Tracklet],
    boxes: Floats,
    least_iou: float,
    view: Box,
    limits: AssociationParameters,
) -> Floats:
    """Return the costs of matching by overlap alone: a row for each track, a column for each box (n x 4).

    The cost is 1 minus the intersection over union of the box and the track's expected box, which is clipped to the
    view because the detector's boxes are too.
    """
    low, high = np.array([*view[:2]] * 2, dtype=np.float64), np.array([*view[2:]] * 2, dtype=np.float64)
    expected = np.clip(np.array([track.box for track in tracks]), low, high)
    iou, _, _ = overlaps(expected, boxes)
    least = np.array([limits.resting_iou if track.resting else least_iou for track in tracks])
    costs: Floats = np.where(iou < least[:, None], FORBIDDEN, 1 - iou)
    return costs


def motion_costs(
    tracks: Sequence[Tracklet],
    boxes: Floats,
    velocities: Sequence[Point | None],
    step: FrameStep,
    limits: AssociationParameters,
) -> Floats:
    """Return the costs of matching by place, size and velocity: a row for each track, a column for each box (n x 4).

    ``velocities`` are those that optical flow measured inside of each box, in pixels a second, None where it could not.
    """
    costs = overlap_costs(tracks, boxes, limits.lost_iou, step.view, limits)
    for row, track in enumerate(tracks):
        size = track.size
        for column, (box, velocity) in enumerate(zip(boxes, velocities, strict=True)):
            costs[row, column] = _motion_cost(track, size, box, velocity, costs[row, column], step.seconds, limits)
    return costs


def _motion_cost(
    track: Tracklet, size: float, box: Floats, velocity: Point | None, cost: float, seconds: float,
    limits: AssociationParameters,
) -> float:  # fmt: skip
    """Return the cost of one pair, given the track's size and the pair's cost by overlap."""
    motion = track.motion
    iou = 1 - cost if cost < FORBIDDEN else 0.0
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    size_ratio = side_of(width, height) / size
    if not 1 / limits.size_ratio < size_ratio < limits.size_ratio:
        return FORBIDDEN
    if track.fix.resting and iou < limits.resting_iou:
        return FORBIDDEN
    if velocity is None:
        return cost if track.resting or iou >= limits.unseen_iou else FORBIDDEN
    speed_error = math.sqrt(motion.velocity_variance) + limits.speed_size * size + limits.speed_pixels / seconds
    most_difference = limits.speed_deviations * speed_error + limits.speed_share * motion.speed
    if math.hypot(velocity.x - motion.vx, velocity.y - motion.vy) > most_difference:
        return FORBIDDEN
    x, y = center(box)
    distance = math.hypot(x - motion.x, y - motion.y)
    place_error = math.sqrt(motion.position_variance) + limits.place_size * size
    if distance < min(limits.place_deviations * place_error, limits.place_most * size):
        return min(cost, 1 - limits.place_cost * math.exp(-distance / place_error))
    return cost


class TakenPlaces:
    """Where a sighting starts no track because it belongs to a track that was found in the same frame."""

    def __init__(self, tracks: Sequence[Tracklet], limits: BirthParameters, *, partial_boxes: bool) -> None:
        """With ``partial_boxes``, tracks of which only a part is seen include other parts of the same vehicle."""
        self._tracks = [track for track in tracks if track.followed]
        self._limits, self._partial_boxes = limits, partial_boxes
        self._boxes = box_array(tuple(track.box) for track in self._tracks)
        self._seen = np.array([track.seen for track in self._tracks], dtype=bool)

    def include(self, box: Floats, *, sure: bool) -> bool:
        """Whether the box of a sighting belongs to one of the tracks."""
        if not self._tracks:
            return False
        limits, seen = self._limits, self._seen
        iou, inside, around = (matrix[0] for matrix in overlaps(box[None], self._boxes))
        if sure and iou[seen].max(initial=0.0) > limits.taken_iou_sure:
            return True
        if not sure and iou.max() > limits.taken_iou_weak:
            return True
        if not sure and np.maximum(inside, around)[seen].max(initial=0.0) > limits.taken_nested:
            return True
        if not self._partial_boxes:
            return False
        containing = [self._tracks[int(index)] for index in np.flatnonzero((inside > limits.part_inside) & seen)]
        seen_parts = [track.last.box for track in containing if track.last.is_part]
        return any(overlaps(box[None], part[None])[0][0, 0] < limits.part_iou for part in seen_parts)

"""Which detection belongs to which track: costs, and the best one-to-one choice.

As in ByteTrack (Zhang et al., 2022) sure boxes are given out first and weak ones after them. What a track is expected
to look like comes from optical flow, so that overlap works at five frames a second too; what flow cannot follow is
found again by place, size and the detection's own velocity.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import lap
import numpy as np

from edge.tracking.boxes import overlaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.shapes import Point
    from edge.tracking.boxes import Floats
    from edge.tracking.parameters import AssociationParameters
    from edge.tracking.tracklet import Tracklet

NEVER = 9.0  # a cost that is not paid


def best_pairs(costs: Floats) -> list[tuple[int, int]]:
    """The one-to-one choice of least total cost, as (row, column); what costs ``NEVER`` or more stays alone.

    By the algorithm of Jonker and Volgenant (1987). SciPy has it too, for 50 MB of memory and half a second a start.
    """
    if not costs.size:
        return []
    _, columns, _ = lap.lapjv(costs, extend_cost=True)
    return [(i, int(j)) for i, j in enumerate(columns) if j >= 0 and costs[i, j] < NEVER]


def by_overlap(
    tracks: Sequence[Tracklet], boxes: Floats, least: float, frame_size: tuple[int, int], p: AssociationParameters
) -> Floats:
    """Costs (a row a track, a column a box) where the expected box, cut at the frame's edge, overlaps enough."""
    edge = np.array([*frame_size, *frame_size], dtype=np.float64)
    expected = np.clip(np.array([track.box for track in tracks]), 0.0, edge)
    iou, _, _ = overlaps(expected, boxes)
    needed = np.array([p.resting_iou if track.resting else least for track in tracks])
    costs: Floats = np.where(iou < needed[:, None], NEVER, 1 - iou)
    return costs


def by_motion(
    tracks: Sequence[Tracklet], boxes: Floats, velocities: Sequence[Point | None], seconds: float,
    frame_size: tuple[int, int], p: AssociationParameters,
) -> Floats:  # fmt: skip
    """Costs for tracks and boxes that overlap alone did not bring together.

    ``velocities`` are the boxes' own, in pixels a second, as optical flow saw them over the last ``seconds``; None
    where it could not. Such a box must overlap well, or the track have stood still.
    """
    costs = by_overlap(tracks, boxes, p.lost_iou, frame_size, p)
    for row, track in enumerate(tracks):
        motion, size = track.motion, track.size
        for column, box in enumerate(boxes):
            width, height = float(box[2] - box[0]), float(box[3] - box[1])
            overlap = 1 - costs[row, column] if costs[row, column] < NEVER else 0.0
            larger = math.sqrt(max(width * height, 1.0)) / size
            if not 1 / p.size_ratio < larger < p.size_ratio or (track.was_resting and overlap < p.resting_iou):
                costs[row, column] = NEVER
                continue
            velocity = velocities[column]
            if velocity is None:
                if not track.resting and overlap < p.unseen_iou:
                    costs[row, column] = NEVER
                continue
            slack = math.sqrt(motion.pace) + p.speed_size * size + p.speed_pixels / seconds
            if math.hypot(velocity.x - motion.vx, velocity.y - motion.vy) > (
                p.speed_deviations * slack + p.speed_share * motion.speed
            ):
                costs[row, column] = NEVER
                continue
            away = math.hypot(float(box[0] + box[2]) / 2 - motion.x, float(box[1] + box[3]) / 2 - motion.y)
            reach = math.sqrt(motion.place) + p.place_size * size
            if away < min(p.place_deviations * reach, p.place_most * size):
                costs[row, column] = min(costs[row, column], 1 - p.place_cost * math.exp(-away / reach))
    return costs

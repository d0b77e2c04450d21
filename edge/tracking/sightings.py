"""From a detector's boxes to one sighting a vehicle.

A detector names each box with one class, and keeps a "car" and a "truck" on one van; from above it calls a car a cell
phone. So boxes are merged whatever their class, and a sighting remembers what all of them were called. A box about two
vehicles that have boxes of their own is dropped, and so is a weak box that a surer one explains.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from edge.tracking.boxes import areas, overlaps, rows, shared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge.core.frames import Detection
    from edge.tracking.boxes import Floats
    from edge.tracking.parameters import SightingParameters

PERSON = "person"
# A person on one of these is a rider, and the two are one sighting.
RIDDEN = frozenset({"motorcycle", "bicycle"})


@dataclass(frozen=True, slots=True)
class Sightings:
    """What may be vehicles in one frame, most confident first.

    ``boxes`` is n x 4, ``confidences`` n; ``votes`` holds each one's confidence by class name. ``people`` is m x 4: the
    boxes of people on foot.
    """

    boxes: Floats
    confidences: Floats
    votes: tuple[Mapping[str, float], ...]
    people: Floats

    def __len__(self) -> int:
        return len(self.votes)

    def only(self, keep: Sequence[int]) -> Sightings:
        """Those with the given numbers, in their order."""
        index = np.array(keep, dtype=np.intp)
        return Sightings(
            self.boxes[index], self.confidences[index], tuple(self.votes[i] for i in keep), people=self.people
        )


def sightings(
    detections: Sequence[Detection],
    *,
    ignored: frozenset[str],
    merge_iou: float,
    sure: float,
    groups: bool,
    parameters: SightingParameters,
) -> Sightings:
    """The sightings of one frame's detections.

    Boxes that overlap a surer one by more than ``merge_iou`` (intersection over union) become one with it. People
    without a cycle and the ``ignored`` classes are no vehicles. With ``groups``, boxes about several vehicles are
    dropped. Boxes weaker than ``sure`` that a surer one explains are dropped.
    """
    ordered = sorted(detections, key=lambda detection: -detection.confidence)
    boxes = rows(detection.box for detection in ordered)
    confidences = np.array([detection.confidence for detection in ordered], dtype=np.float64)
    kept, votes = _merged(ordered, boxes, merge_iou)
    people = [i for i in kept if ordered[i].label == PERSON and confidences[i] >= parameters.person]
    vehicles = [
        n
        for n, i in enumerate(kept)
        if (ordered[i].label != PERSON and ordered[i].label not in ignored) or RIDDEN & votes[n].keys()
    ]
    on_foot = [i for i in people if not RIDDEN & votes[kept.index(i)].keys()]
    index = np.array([kept[n] for n in vehicles], dtype=np.intp)
    found = Sightings(boxes[index], confidences[index], tuple(votes[n] for n in vehicles), people=boxes[on_foot])
    if groups:
        found = found.only(_not_groups(found, parameters))
    return found.only(_unexplained(found, sure, parameters))


def _merged(ordered: Sequence[Detection], boxes: Floats, merge_iou: float) -> tuple[list[int], list[dict[str, float]]]:
    """Which boxes stay, and what was said of each by itself and by those that it swallowed."""
    kept: list[int] = []
    votes: list[dict[str, float]] = []
    if not ordered:
        return kept, votes
    iou, _, _ = overlaps(boxes, boxes)
    taken = np.zeros(len(ordered), dtype=bool)
    for i in range(len(ordered)):
        if taken[i]:
            continue
        members = (iou[i] > merge_iou) & ~taken
        members[i] = True
        taken |= members
        said: dict[str, float] = {}
        for j in np.flatnonzero(members):
            one = ordered[int(j)]
            said[one.label] = max(said.get(one.label, 0.0), one.confidence)
        kept.append(i)
        votes.append(said)
    return kept, votes


def _not_groups(found: Sightings, p: SightingParameters) -> list[int]:
    count = len(found)
    if count <= 2:
        return list(range(count))
    size, both = areas(found.boxes), shared(found.boxes, found.boxes)
    inside = both / size[None, :]
    groups = set()
    for group in range(count):
        fits = (
            (inside[group] > p.group_inside)
            & (size > p.group_least_area * size[group])
            & (size < p.group_most_area * size[group])
            & (found.confidences >= max(p.group_confidence, p.group_confidence_share * found.confidences[group]))
        )
        members = [int(i) for i in np.flatnonzero(fits) if i != group]
        for number, i in enumerate(members):
            for j in members[number + 1 :]:
                apart = both[i, j] < p.group_overlap * min(size[i], size[j])
                filled = size[i] + size[j] > p.group_filled * size[group]
                if apart and filled and 1 / p.group_area_ratio < size[i] / size[j] < p.group_area_ratio:
                    groups.add(group)
    return [i for i in range(count) if i not in groups]


def _unexplained(found: Sightings, sure: float, p: SightingParameters) -> list[int]:
    if len(found) < 2:
        return list(range(len(found)))
    _, inside, about = overlaps(found.boxes, found.boxes)
    nested = np.maximum(inside, about) > p.explained_inside
    kept: list[int] = []
    for i, confidence in enumerate(found.confidences):
        surer = [j for j in kept if found.confidences[j] > max(p.explains_confidence, p.explains_ratio * confidence)]
        if confidence < sure and nested[i, surer].any():
            continue
        kept.append(i)
    return kept


class Region:
    """The surroundings of some lines, for any size of the frame."""

    def __init__(self, lines: Sequence[Sequence[tuple[float, float]]], p: SightingParameters) -> None:
        """``lines`` are the gates': points as fractions of the frame's width and height. None: all matters."""
        self._lines = lines
        self._reach, self._weak_reach = p.gate_distance, p.gate_distance_weak

    def wanted(self, points: Floats, sure: NDArray[np.bool_], size: tuple[int, int]) -> list[int]:
        """The numbers of those points (n x 2, pixels of a frame of ``size``) that matter.

        Unsure ones (``sure`` holds a bool for each) matter in a smaller part.
        """
        if not self._lines or not len(points):
            return list(range(len(points)))
        away = np.full(len(points), np.inf)
        for line in self._lines:
            for a, b in pairwise(np.array(line) * size):
                along = np.clip(((points - a) @ (b - a)) / max(float((b - a) @ (b - a)), 1e-9), 0, 1)
                away = np.minimum(away, np.linalg.norm(points - (a + along[:, None] * (b - a)), axis=1))
        reach = np.where(sure, self._reach, self._weak_reach) * max(size)
        return [int(i) for i in np.flatnonzero(away < reach)]

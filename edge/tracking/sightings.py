"""From a detector's boxes to one sighting a vehicle.

A detector names each box with one class, and keeps a "car" and a "truck" on one van; from above it calls a car a cell
phone. So boxes are merged whatever their class, and a sighting remembers what all of them were called. A box about two
vehicles that have boxes of their own is dropped, and so is a weak box that a surer one explains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.tracking.boxes import areas, overlaps, rows, shared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.core.frames import Detection
    from edge.tracking.boxes import Floats

PERSON = "person"
# A person on one of these is a rider, and the two are one sighting.
RIDDEN = frozenset({"motorcycle", "bicycle"})
# Surer than this a box of a person is taken for one.
SURE_PERSON = 0.25

# Two boxes make a third one a group: both lie in it, are of like size, hardly overlap, fill most of it, and are sure
# enough.
GROUP_INSIDE, GROUP_APART, GROUP_FILLED = 0.85, 0.15, 0.6
GROUP_LEAST, GROUP_MOST = 0.22, 0.75  # area of a member, of the group's
GROUP_ALIKE = 2.0
GROUP_SURE, GROUP_LEAST_SURE = 0.25, 0.1  # confidence of a member: of the group's, and at least

# A weak box in, or about, a box so much surer is explained by it.
EXPLAINED_INSIDE, EXPLAINS_TIMES, EXPLAINS_LEAST = 0.8, 1.5, 0.3


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
    detections: Sequence[Detection], *, ignored: frozenset[str], merge_iou: float, sure: float, groups: bool
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
    people = [i for i in kept if ordered[i].label == PERSON and confidences[i] >= SURE_PERSON]
    vehicles = [
        n
        for n, i in enumerate(kept)
        if (ordered[i].label != PERSON and ordered[i].label not in ignored) or RIDDEN & votes[n].keys()
    ]
    on_foot = [i for i in people if not RIDDEN & votes[kept.index(i)].keys()]
    index = np.array([kept[n] for n in vehicles], dtype=np.intp)
    found = Sightings(boxes[index], confidences[index], tuple(votes[n] for n in vehicles), people=boxes[on_foot])
    if groups:
        found = found.only(_not_groups(found))
    return found.only(_unexplained(found, sure))


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


def _not_groups(found: Sightings) -> list[int]:
    count = len(found)
    if count < 3:
        return list(range(count))
    size, both = areas(found.boxes), shared(found.boxes, found.boxes)
    inside = both / size[None, :]
    groups = set()
    for group in range(count):
        fits = (
            (inside[group] > GROUP_INSIDE)
            & (size > GROUP_LEAST * size[group])
            & (size < GROUP_MOST * size[group])
            & (found.confidences >= max(GROUP_LEAST_SURE, GROUP_SURE * found.confidences[group]))
        )
        members = [int(i) for i in np.flatnonzero(fits) if i != group]
        for number, i in enumerate(members):
            for j in members[number + 1 :]:
                apart = both[i, j] < GROUP_APART * min(size[i], size[j])
                filled = size[i] + size[j] > GROUP_FILLED * size[group]
                if apart and filled and 1 / GROUP_ALIKE < size[i] / size[j] < GROUP_ALIKE:
                    groups.add(group)
    return [i for i in range(count) if i not in groups]


def _unexplained(found: Sightings, sure: float) -> list[int]:
    if len(found) < 2:
        return list(range(len(found)))
    _, inside, about = overlaps(found.boxes, found.boxes)
    nested = np.maximum(inside, about) > EXPLAINED_INSIDE
    kept: list[int] = []
    for i, confidence in enumerate(found.confidences):
        surer = [j for j in kept if found.confidences[j] > max(EXPLAINS_LEAST, EXPLAINS_TIMES * confidence)]
        if confidence < sure and nested[i, surer].any():
            continue
        kept.append(i)
    return kept

"""Reduces a frame's detections to one sighting for each vehicle; the rules are our own.

The detector gives each box one class: it may put a "car" and a "truck" on one van, and from above it may call a car a
cell phone. So boxes are merged whatever their class, and a sighting keeps the confidence of each class among them. A
box around two vehicles that have boxes of their own is removed, and so is a weak box that a more confident one
explains. What is far from all gates is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.core.tracks import Evidence
from edge.tracking.boxes import areas, box_array, overlaps, shared_areas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from edge.core.frames import Detection
    from edge.tracking.boxes import Floats
    from edge.tracking.parameters import SightingParameters

_PERSON = "person"
# A person whose box is merged with one of these is a rider and not on foot.
_CYCLES = frozenset({"motorcycle", "bicycle"})
# Square pixels that a piece of a gate's line without length counts as, because its square is divided by.
_LEAST_SQUARE = 1e-9


class Sighting(NamedTuple):
    """What may be a vehicle in one frame: a box, the highest confidence in it, and the confidence by class name."""

    box: Floats
    confidence: float
    votes: Mapping[str, float]

    @property
    def label(self) -> str:
        """The class of the highest confidence."""
        return max(self.votes, key=lambda label: self.votes[label])


@dataclass(frozen=True, slots=True)
class Sightings:
    """What may be vehicles in one frame, the most confident first.

    ``boxes`` is n x 4 and ``confidences`` n; ``votes`` holds, for each sighting, the confidence by class name.
    ``people`` is m x 4: the boxes of people on foot.
    """

    boxes: Floats
    confidences: Floats
    votes: tuple[Mapping[str, float], ...]
    people: Floats

    def __len__(self) -> int:
        return len(self.votes)

    def __iter__(self) -> Iterator[Sighting]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Sighting:
        return Sighting(self.boxes[index], float(self.confidences[index]), self.votes[index])

    def select(self, indices: Sequence[int]) -> Sightings:
        """Return the sightings of these indices, in their order, and all people."""
        index = np.array(indices, dtype=np.intp)
        return Sightings(
            self.boxes[index], self.confidences[index], tuple(self.votes[i] for i in indices), people=self.people
        )


def merge_detections(
    detections: Sequence[Detection],
    *,
    ignored: frozenset[str],
    merge_iou: float,
    sure: float,
    drop_groups: bool,
    parameters: SightingParameters,
) -> Sightings:
    """Return the sightings of one frame's detections.

    A box whose intersection over union with a more confident one is over ``merge_iou`` is merged into that one. People
    without a cycle, and the ``ignored`` classes, are no vehicles. With ``drop_groups``, boxes around several vehicles
    are removed. Boxes whose confidence is below ``sure`` are removed where a more confident one explains them.
    """
    ordered = sorted(detections, key=lambda detection: -detection.confidence)
    boxes = box_array(detection.box for detection in ordered)
    confidences = np.array([detection.confidence for detection in ordered], dtype=np.float64)
    kept, votes = _merge(ordered, boxes, merge_iou)
    vehicles, on_foot = [], []
    for number, index in enumerate(kept):
        label, is_ridden = ordered[index].label, bool(_CYCLES & votes[number].keys())
        if is_ridden or (label != _PERSON and label not in ignored):
            vehicles.append(number)
        if label == _PERSON and not is_ridden and confidences[index] >= parameters.person:
            on_foot.append(index)
    indices = np.array([kept[number] for number in vehicles], dtype=np.intp)
    found = Sightings(
        boxes[indices], confidences[indices], tuple(votes[number] for number in vehicles), people=boxes[on_foot]
    )
    if drop_groups:
        found = found.select(_without_groups(found, parameters))
    return found.select(_without_explained(found, sure, parameters))


def _merge(ordered: Sequence[Detection], boxes: Floats, merge_iou: float) -> tuple[list[int], list[dict[str, float]]]:
    """Return the indices of the boxes that stay, and the votes of each with those of the boxes merged into it."""
    kept: list[int] = []
    votes: list[dict[str, float]] = []
    if not ordered:
        return kept, votes
    iou, _, _ = overlaps(boxes, boxes)
    merged = np.zeros(len(ordered), dtype=bool)
    for index in range(len(ordered)):
        if merged[index]:
            continue
        members = (iou[index] > merge_iou) & ~merged
        members[index] = True
        merged |= members
        best: dict[str, float] = {}
        for member in np.flatnonzero(members):
            detection = ordered[int(member)]
            best[detection.label] = max(best.get(detection.label, 0.0), detection.confidence)
        kept.append(index)
        votes.append(best)
    return kept, votes


def _without_groups(found: Sightings, limits: SightingParameters) -> list[int]:
    """Return the indices of the boxes that are not around two others of similar size."""
    size, both = areas(found.boxes), shared_areas(found.boxes, found.boxes)
    inside = both / size[None, :]

    def is_group(group: int) -> bool:
        least_confidence = max(limits.group_confidence, limits.group_confidence_share * found.confidences[group])
        fits = (
            (inside[group] > limits.group_inside)
            & (size > limits.group_least_area * size[group])
            & (size < limits.group_most_area * size[group])
            & (found.confidences >= least_confidence)
        )
        members = [int(index) for index in np.flatnonzero(fits) if index != group]
        return any(
            both[i, j] < limits.group_overlap * min(size[i], size[j])
            and size[i] + size[j] > limits.group_filled * size[group]
            and 1 / limits.group_area_ratio < size[i] / size[j] < limits.group_area_ratio
            for i, j in combinations(members, 2)
        )

    return [index for index in range(len(found)) if not is_group(index)]


def _without_explained(found: Sightings, sure: float, limits: SightingParameters) -> list[int]:
    """Return the indices of the boxes that are not weak and nested with a much more confident one."""
    _, inside, around = overlaps(found.boxes, found.boxes)
    nested = np.maximum(inside, around) > limits.explained_inside
    kept: list[int] = []
    for index, confidence in enumerate(found.confidences):
        least = max(limits.explains_confidence, limits.explains_ratio * confidence)
        surer = [other for other in kept if found.confidences[other] > least]
        if confidence >= sure or not nested[index, surer].any():
            kept.append(index)
    return kept


class GateRegion:
    """The surroundings of the gates' lines, in frames of any size."""

    def __init__(self, lines: Sequence[Sequence[tuple[float, float]]], parameters: SightingParameters) -> None:
        """``lines`` are points as fractions of the frame's width and height; without lines the region is the frame."""
        self._lines, self._parameters = lines, parameters

    def indices_inside(self, points: Floats, sure: NDArray[np.bool_], size: tuple[int, int]) -> list[int]:
        """Return the indices of the points (n x 2, pixels of a frame of ``size``) inside the region.

        ``sure`` holds a bool for each point; the region is smaller for points that are not sure.
        """
        if not self._lines or not len(points):
            return list(range(len(points)))
        distance = np.full(len(points), np.inf)
        for line in self._lines:
            for start, end in pairwise(np.array(line) * size):
                way = end - start
                share = np.clip(((points - start) @ way) / max(float(way @ way), _LEAST_SQUARE), 0, 1)
                distance = np.minimum(distance, np.linalg.norm(points - (start + share[:, None] * way), axis=1))
        limits = self._parameters
        reach = np.where(sure, limits.gate_distance, limits.gate_distance_weak) * max(size)
        return [int(index) for index in np.flatnonzero(distance < reach)]


@dataclass(slots=True)
class EvidenceTally:
    """Adds up the evidence of a track; the fields are those of ``Evidence``. ``fading`` is the sum that fades."""

    sightings: int = 0
    seconds: float = 0.0
    best_confidence: float = 0.0
    votes: dict[str, float] = field(default_factory=dict)
    fading: float = 0.0
    peak: float = 0.0
    person_seconds: float = 0.0
    path_length: float = 0.0

    def add(self, sighting: Sighting, seconds: float) -> None:
        """Add a sighting that stands for ``seconds``."""
        self.sightings += 1
        self.seconds += seconds
        self.best_confidence = max(self.best_confidence, sighting.confidence)
        for label, vote in sighting.votes.items():
            self.votes[label] = self.votes.get(label, 0.0) + vote * seconds
        self.fading += sighting.confidence * seconds
        self.peak = max(self.peak, self.fading)

    def fade(self, factor: float) -> None:
        """Let the sum fade whose largest value is the peak."""
        self.fading *= factor

    def add_path(self, pixels: float) -> None:
        """Add the length of a shift that was followed."""
        self.path_length += pixels

    def add_person(self, seconds: float) -> None:
        """Add the time of a frame in which the track was on or in the box of a person."""
        self.person_seconds += seconds

    def merge(self, later: EvidenceTally) -> None:
        """Add the evidence of a later track of the same vehicle."""
        self.sightings += later.sightings
        self.seconds += later.seconds
        self.person_seconds += later.person_seconds
        self.best_confidence, self.peak = max(self.best_confidence, later.best_confidence), max(self.peak, later.peak)
        self.fading, self.path_length = max(self.fading, later.fading), self.path_length + later.path_length
        for label, vote in later.votes.items():
            self.votes[label] = self.votes.get(label, 0.0) + vote

    def result(self) -> Evidence:
        """Return the evidence so far."""
        return Evidence(
            self.sightings,
            self.seconds,
            self.best_confidence,
            dict(self.votes),
            self.peak,
            self.person_seconds,
            self.path_length,
        )

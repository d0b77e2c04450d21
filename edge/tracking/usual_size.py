"""How large vehicles usually are at each place of the picture, learned from those that the detector is sure of.

Width and height are taken to grow or shrink by a constant factor a pixel across and down, which fits the views that
cameras have of a lane closely enough; the fit is robust against the odd lorry. The camera's first vehicles, parked ones
too, are enough to begin with.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from edge.core.tracks import Usual
from edge.tracking.boxes import areas

if TYPE_CHECKING:
    from edge.tracking.boxes import Floats
    from edge.tracking.parameters import UsualSizeParameters


class UsualSize:
    """One camera's picture of sizes. Bounded memory."""

    def __init__(self, parameters: UsualSizeParameters) -> None:
        self._parameters = parameters
        self._seen: deque[tuple[float, float, float, float]] = deque(maxlen=parameters.most_vehicles)
        self._people: deque[float] = deque(maxlen=parameters.most_people)
        self._new = 0
        self._fit: tuple[Floats, Floats, Floats, Floats, Floats] | None = None

    def add_vehicle(self, box: Floats) -> None:
        """A box (left, top, right, bottom) that is a vehicle for sure."""
        width, height = float(box[2] - box[0]), float(box[3] - box[1])
        if width > 0 and height > 0:
            self._seen.append((float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2, width, height))
            self._new += 1

    def add_people(self, boxes: Floats) -> None:
        """Boxes (n x 4) of people."""
        self._people.extend(float(side) for side in np.sqrt(areas(boxes)))

    def at(self, x: float, y: float) -> Usual:
        """What is usual at a place, pixels of the frame."""
        p = self._parameters
        person = float(np.median(self._people)) if len(self._people) >= p.least_people else None
        if len(self._seen) < p.least_vehicles:
            return Usual(person=person)
        if self._fit is None or self._new >= p.fit_every:
            self._fit = self._fitted()
            self._new = 0
        slopes, mean, spread, least, most = self._fit
        place = np.clip(np.array([y, x]), least - p.beyond, most + p.beyond)
        width, height = np.exp(slopes @ np.concatenate(([1.0], (place - mean) / spread)))
        return Usual(float(width), float(height), person)

    def _fitted(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        p = self._parameters
        seen = np.array(self._seen)
        places = seen[:, [1, 0]]
        mean, spread = places.mean(axis=0), places.std(axis=0) + p.least_spread
        terms = np.column_stack([np.ones(len(seen)), (places - mean) / spread])
        pull = np.diag([0.0, p.pull_down, p.pull_across])
        slopes = []
        for column in (2, 3):
            wanted = np.log(seen[:, column])
            weights = np.ones(len(seen))
            solution = np.zeros(3)
            for _ in range(p.rounds):
                weighted = terms * weights[:, None]
                solution = np.linalg.solve(weighted.T @ terms + pull, weighted.T @ wanted)
                weights = 1 / np.maximum(np.abs(wanted - terms @ solution), p.robust)
            slopes.append(solution)
        return np.array(slopes), mean, spread, places.min(axis=0), places.max(axis=0)

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

KEPT, FEWEST, FIT_EVERY = 300, 5, 20  # boxes
PEOPLE_KEPT, FEWEST_PEOPLE = 60, 5
SPREAD_LEAST = 20.0  # pixels: places closer together than this say nothing about the slope
# The pull towards no slope down and across, in boxes: a view seldom leans sideways.
PULL_DOWN, PULL_ACROSS = 3.0, 6.0
ROUNDS, ROBUST = 5, 0.1  # of reweighting; deviation (log) up to which boxes count in full
BEYOND = 30.0  # pixels: so far outside the places seen the fit is followed


class UsualSize:
    """One camera's picture of sizes. Bounded memory."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float, float, float]] = deque(maxlen=KEPT)
        self._people: deque[float] = deque(maxlen=PEOPLE_KEPT)
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
        person = float(np.median(self._people)) if len(self._people) >= FEWEST_PEOPLE else None
        if len(self._seen) < FEWEST:
            return Usual(person=person)
        if self._fit is None or self._new >= FIT_EVERY:
            self._fit = self._fitted()
            self._new = 0
        slopes, mean, spread, least, most = self._fit
        place = np.clip(np.array([y, x]), least - BEYOND, most + BEYOND)
        width, height = np.exp(slopes @ np.concatenate(([1.0], (place - mean) / spread)))
        return Usual(float(width), float(height), person)

    def _fitted(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        seen = np.array(self._seen)
        places = seen[:, [1, 0]]
        mean, spread = places.mean(axis=0), places.std(axis=0) + SPREAD_LEAST
        terms = np.column_stack([np.ones(len(seen)), (places - mean) / spread])
        pull = np.diag([0.0, PULL_DOWN, PULL_ACROSS])
        slopes = []
        for column in (2, 3):
            wanted = np.log(seen[:, column])
            weights = np.ones(len(seen))
            solution = np.zeros(3)
            for _ in range(ROUNDS):
                weighted = terms * weights[:, None]
                solution = np.linalg.solve(weighted.T @ terms + pull, weighted.T @ wanted)
                weights = 1 / np.maximum(np.abs(wanted - terms @ solution), ROBUST)
            slopes.append(solution)
        return np.array(slopes), mean, spread, places.min(axis=0), places.max(axis=0)

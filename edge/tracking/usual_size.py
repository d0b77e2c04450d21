"""Learns how large vehicles usually are at each place of the picture, from those that the detector is sure of.

Width and height are assumed to change by a constant factor a pixel across and down, which is close enough for the views
that cameras have of a lane. The fit is a ridge regression of their logarithms on the place, made robust against a few
lorries by iteratively reweighted least squares (least absolute deviations); the choice of the model is ours. A camera's
first vehicles, parked ones too, are enough to start with. People are taken to change with the place as vehicles do, so
that a few of them in one place say how large a person is in any other.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.core.tracks import UsualSize
from edge.tracking.boxes import areas, center, centers

if TYPE_CHECKING:
    from edge.tracking.boxes import Floats
    from edge.tracking.parameters import UsualSizeParameters

# Columns of the vehicles that are remembered: x, y, width, height.
_WIDTH, _HEIGHT = 2, 3


class _Fit(NamedTuple):
    """Logarithms of width and height (two rows of ``weights``) as linear functions of 1 and the scaled place (y, x)."""

    weights: Floats  # 2 x 3
    mean: Floats  # of the places, which scaling subtracts
    spread: Floats  # of the places, which scaling divides by
    least: Floats  # the smallest y and x among the places
    most: Floats  # the largest


class SizeModel:
    """The usual sizes in one camera's picture. Its memory is bounded."""

    def __init__(self, parameters: UsualSizeParameters) -> None:
        self._parameters = parameters
        self._vehicles: deque[tuple[float, float, float, float]] = deque(maxlen=parameters.most_vehicles)
        self._people: deque[tuple[float, float, float]] = deque(maxlen=parameters.most_people)  # x, y, side
        self._person_share: float | None = None  # a person's side in vehicles' sides at the same place
        self._since_fit = 0
        self._fit: _Fit | None = None

    def add_vehicle(self, box: Floats) -> None:
        """Learn from a box (left, top, right, bottom) that surely is a vehicle."""
        width, height = float(box[2] - box[0]), float(box[3] - box[1])
        if width > 0 and height > 0:
            self._vehicles.append((*center(box), width, height))
            self._since_fit += 1

    def add_people(self, boxes: Floats) -> None:
        """Learn from the boxes (n x 4) of people."""
        for (x, y), side in zip(centers(boxes), np.sqrt(areas(boxes)), strict=True):
            self._people.append((float(x), float(y), float(side)))
            self._person_share = None

    def at(self, x: float, y: float) -> UsualSize:
        """Return what is usual at a place in pixels of the frame."""
        enough_people = len(self._people) >= self._parameters.least_people
        if len(self._vehicles) < self._parameters.least_vehicles:
            return UsualSize(person=float(np.median(np.array(self._people)[:, 2])) if enough_people else None)
        if self._fit is None or self._since_fit >= self._parameters.fit_every:
            self._fit = self._make_fit()
            self._since_fit, self._person_share = 0, None
        width, height = self._vehicle_at(self._fit, x, y)
        if not enough_people:
            return UsualSize(width, height)
        if self._person_share is None:
            sides = [side / math.sqrt(math.prod(self._vehicle_at(self._fit, *place))) for *place, side in self._people]
            self._person_share = float(np.median(sides))
        return UsualSize(width, height, self._person_share * math.sqrt(width * height))

    def _vehicle_at(self, fit: _Fit, x: float, y: float) -> tuple[float, float]:
        beyond = self._parameters.beyond
        place = np.clip(np.array([y, x]), fit.least - beyond, fit.most + beyond)
        width, height = np.exp(fit.weights @ np.concatenate(([1.0], (place - fit.mean) / fit.spread)))
        return float(width), float(height)

    def _make_fit(self) -> _Fit:
        vehicles = np.array(self._vehicles)
        places = vehicles[:, [1, 0]]
        mean, spread = places.mean(axis=0), places.std(axis=0) + self._parameters.least_spread
        terms = np.column_stack([np.ones(len(vehicles)), (places - mean) / spread])
        ridge = np.diag([0.0, self._parameters.pull_down, self._parameters.pull_across])
        fitted = []
        for column in (_WIDTH, _HEIGHT):
            logarithms = np.log(vehicles[:, column])
            weights = np.ones(len(vehicles))
            solution = np.zeros(terms.shape[1])
            for _ in range(self._parameters.rounds):
                weighted = terms * weights[:, None]
                solution = np.linalg.solve(weighted.T @ terms + ridge, weighted.T @ logarithms)
                weights = 1 / np.maximum(np.abs(logarithms - terms @ solution), self._parameters.robust)
            fitted.append(solution)
        return _Fit(np.array(fitted), mean, spread, places.min(axis=0), places.max(axis=0))

"""Chooses the people who walk through the simulated ramp, when they come, and where they are at which second.

They keep to strips on which nothing drives, so that vehicles and people never meet. Lengths are frame widths, unless a
name or a comment says otherwise; a row is a height in the drawing (0 to 360).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.simulator.traffic.appearance import LOOK_DRAWS, PersonLook, choose_look
from edge.simulator.traffic.kinds import WIDTHS_PER_METRE, scale_at

if TYPE_CHECKING:
    from edge.simulator.traffic.parameters import SceneParameters

# Rows on which people walk to the right and to the left: along the wall, before the nearest lane, between the lanes.
WALL_ROWS, FRONT_ROWS, BETWEEN_ROWS = (236.0, 232.0), (357.0, 349.0), (279.0, 273.0)
WALK_MARGIN = 0.14  # people begin and end this far outside the picture
_COMPANION_SHARE = 0.3  # of those without trolley or pram
_COMPANION_ROWS = 2.0  # by which a companion walks farther away
_COMPANION_DELAY = 0.35  # seconds: half a step behind
_DRAWS = 18  # random numbers for each person who comes, with a companion
_LEAST_HEADWAY = 1.9  # seconds between two people on the same row
_LONGEST_DELAY = 10.0  # a person who would have to wait longer for that headway walks elsewhere


class Walker(NamedTuple):
    """A person who walks through the picture at a steady ``speed`` (a second) from second ``enters_at`` on."""

    number: int
    look: PersonLook
    row: float
    rightwards: bool
    speed: float
    enters_at: float

    @property
    def leaves_at(self) -> float:
        """The second at which the person has left the picture."""
        return self.enters_at + (1 + 2 * WALK_MARGIN) / self.speed

    def metres_at(self, at: float) -> float:
        """Metres walked by second ``at``."""
        return (at - self.enters_at) * self.speed / (WIDTHS_PER_METRE * scale_at(self.row))

    def x_at(self, at: float) -> float:
        """Where the hips are at second ``at``."""
        distance = (at - self.enters_at) * self.speed - WALK_MARGIN
        return distance if self.rightwards else 1 - distance


class Walkers:
    """All people who walk, from second 0 on; only those on their way are kept."""

    def __init__(self, parameters: SceneParameters) -> None:
        self._parameters = parameters
        three_lanes = parameters.side_by_side > 0
        self._strips = (FRONT_ROWS, WALL_ROWS) if three_lanes else (FRONT_ROWS, WALL_ROWS, BETWEEN_ROWS)
        self._begin()

    def _begin(self) -> None:
        self._rng = np.random.default_rng([self._parameters.seed, 4])
        self._at = 0.0
        self._clock = 0.0
        self._number = 0
        self._walking: list[Walker] = []
        self._last: dict[float, Walker] = {}  # on each row
        if self._parameters.pedestrians > 0:
            self._advance_clock()

    def at(self, second: float) -> list[Walker]:
        """The people on their way at that second.

        Meant to be asked for later and later seconds; for an earlier second everything is computed again from 0.
        """
        if self._parameters.pedestrians <= 0:
            return []
        if second < self._at:
            self._begin()
        self._at = second
        while self._clock <= second:
            came = self._clock
            self._arrive()
            self._walking = [walker for walker in self._walking if walker.leaves_at > came]
        self._walking = [walker for walker in self._walking if walker.leaves_at > second]
        return [walker for walker in self._walking if walker.enters_at <= second]

    def _advance_clock(self) -> None:
        parameters = self._parameters
        # Companions come without a wait of their own.
        alone = 1 + _COMPANION_SHARE * (1 - parameters.trolleys - parameters.prams)
        mean = 60.0 / parameters.pedestrians * alone
        self._clock += -mean * math.log1p(-float(self._rng.random()))

    def _arrive(self) -> None:
        draws = [float(value) for value in self._rng.random(_DRAWS)]
        pushes = self._choose_pushes(draws[0])
        strip = self._strips[int(draws[1] * len(self._strips))]
        rightwards = draws[2] < 0.5
        row = strip[0] if rightwards else strip[1]
        metres_a_second = (0.8 + 0.4 * draws[3]) if pushes else (1.0 + 0.6 * draws[3])
        speed = metres_a_second * WIDTHS_PER_METRE * scale_at(row)
        enters_at = self._clock
        last = self._last.get(row)
        if last is not None:
            # The headway is kept at the beginning and at the end, so also between.
            headway = _LEAST_HEADWAY + (1.2 if pushes else 0.0)
            enters_at = max(enters_at, last.enters_at + headway)
            speed = min(speed, (1 + 2 * WALK_MARGIN) / max(last.leaves_at + headway - enters_at, 0.001))
        if enters_at - self._clock <= _LONGEST_DELAY:
            looks = draws[4 : 4 + LOOK_DRAWS], draws[11 : 11 + LOOK_DRAWS]
            walker = self._add(choose_look(looks[0], pushes), row, rightwards, speed, enters_at)
            if not pushes and draws[11] < _COMPANION_SHARE:
                look, beside = choose_look(looks[1], ""), row - _COMPANION_ROWS
                walker = self._add(look, beside, rightwards, speed, enters_at + _COMPANION_DELAY)
            self._last[row] = walker
        self._advance_clock()

    def _choose_pushes(self, draw: float) -> str:
        parameters = self._parameters
        if draw < parameters.trolleys:
            return "trolley"
        return "pram" if draw < parameters.trolleys + parameters.prams else ""

    def _add(self, look: PersonLook, row: float, rightwards: bool, speed: float, enters_at: float) -> Walker:
        self._number += 1
        walker = Walker(self._number, look, row, rightwards, speed, enters_at)
        self._walking.append(walker)
        return walker

"""The people who walk through the simulated ramp: who they are, when they come, and where they are at which second.

They keep to strips on which nothing drives, so that nobody is run over and nobody has to wait. Lengths are frame
widths, unless said otherwise.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from edge.simulator.traffic.appearance import HAIRS, SKINS, TOPS, TROUSERS, Person
from edge.simulator.traffic.kinds import METRE, scale_at

# Rows of the drawing (0..360) on which people walk to the right and to the left: along the wall, before the nearer
# lane, and between the lanes.
WALL, FRONT, BETWEEN = (236.0, 232.0), (357.0, 349.0), (279.0, 273.0)
OUTSIDE = 0.14  # they begin and end this far outside the picture
TWOS = 0.3  # share of those without trolley or pram who come with a companion
ASIDE = 2.0  # rows by which a companion walks farther away
DRAWS = 18  # for each one who comes
HEADWAY = 1.9  # least seconds between two on the same track
PATIENCE = 10.0  # who would have to wait longer for that goes elsewhere


class Walker(NamedTuple):
    """Somebody who walks through the picture at a steady ``speed`` (a second) from second ``enter`` on."""

    number: int
    look: Person
    floor: float
    rightwards: bool
    speed: float
    enter: float

    @property
    def leave(self) -> float:
        """The second at which the picture is left."""
        return self.enter + (1 + 2 * OUTSIDE) / self.speed

    def way_at(self, at: float) -> float:
        """Metres walked by second ``at``."""
        return (at - self.enter) * self.speed / (METRE * scale_at(self.floor))

    def x_at(self, at: float) -> float:
        """Where the hips are at second ``at``."""
        way = (at - self.enter) * self.speed - OUTSIDE
        return way if self.rightwards else 1 - way


class Walkers:
    """Everybody who walks, from second 0 on; only those on their way are kept."""

    def __init__(self, seed: int, per_minute: float, trolleys: float, prams: float, between: bool) -> None:
        self._seed, self._per_minute = seed, per_minute
        self._trolleys, self._prams = trolleys, prams
        self._strips = (FRONT, WALL, BETWEEN) if between else (FRONT, WALL)
        self._begin()

    def _begin(self) -> None:
        self._rng = np.random.default_rng([self._seed, 4])
        self._at = 0.0
        self._clock = 0.0
        self._number = 0
        self._walking: list[Walker] = []
        self._last: dict[float, Walker] = {}  # on each track
        if self._per_minute > 0:
            self._wait()

    def at(self, second: float) -> list[Walker]:
        """Who is on the way at that second. Meant for later and later ones; an earlier one begins from 0 again."""
        if self._per_minute <= 0:
            return []
        if second < self._at:
            self._begin()
        self._at = second
        while self._clock <= second:
            came = self._clock
            self._arrive()
            self._walking = [one for one in self._walking if one.leave > came]
        self._walking = [one for one in self._walking if one.leave > second]
        return [one for one in self._walking if one.enter <= second]

    def _wait(self) -> None:
        # Companions come without a wait of their own.
        mean = 60.0 / self._per_minute * (1 + TWOS * (1 - self._trolleys - self._prams))
        self._clock += -mean * math.log1p(-float(self._rng.random()))

    def _arrive(self) -> None:
        draw = [float(value) for value in self._rng.random(DRAWS)]
        pushes = "trolley" if draw[0] < self._trolleys else "pram" if draw[0] < self._trolleys + self._prams else ""
        strip = self._strips[int(draw[1] * len(self._strips))]
        rightwards = draw[2] < 0.5
        floor = strip[0] if rightwards else strip[1]
        metres = (0.8 + 0.4 * draw[3]) if pushes else (1.0 + 0.6 * draw[3])
        speed = metres * METRE * scale_at(floor)
        enter = self._clock
        last = self._last.get(floor)
        if last is not None:
            # Nobody comes too close to the one before, neither at the beginning nor later.
            apart = HEADWAY + (1.2 if pushes else 0.0)
            enter = max(enter, last.enter + apart)
            speed = min(speed, (1 + 2 * OUTSIDE) / max(last.leave + apart - enter, 0.001))
        if enter - self._clock <= PATIENCE:
            one = self._add(_person(draw[4:11], pushes), floor, rightwards, speed, enter)
            if not pushes and draw[11] < TWOS:
                # Half a step behind, on the far side of the first.
                one = self._add(_person(draw[11:18], ""), floor - ASIDE, rightwards, speed, enter + 0.35)
            self._last[floor] = one
        self._wait()

    def _add(self, look: Person, floor: float, rightwards: bool, speed: float, enter: float) -> Walker:
        self._number += 1
        one = Walker(self._number, look, floor, rightwards, speed, enter)
        self._walking.append(one)
        return one


def _person(draw: list[float], pushes: str) -> Person:
    return Person(
        height=1.6 + 0.3 * draw[1],
        skin=SKINS[int(draw[2] * len(SKINS))],
        hair=HAIRS[int(draw[3] * len(HAIRS))],
        top=TOPS[int(draw[4] * len(TOPS))],
        trousers=TROUSERS[int(draw[5] * len(TROUSERS))],
        long_hair=draw[6] < 0.45,
        bag=draw[0] < 0.3 and not pushes,
        pushes=pushes,
    )

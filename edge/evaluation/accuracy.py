"""How right a count is: events held against the truth, one to one.

An event stands for at most one true crossing of its direction, no further away than the tolerance; as many as possible
are matched, and of all such ways to match the one with the least distances in time is taken. What then matches no
certain crossing may stand for an uncertain one, whatever its direction; that neither helps nor hurts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import lap
import numpy as np

from edge.core.events import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCE = 1.5  # seconds between a true crossing and its event
_TIE_SECONDS = 1e-6  # less than any two distances in time differ by: events and labels are not that precise


@dataclass(frozen=True, slots=True)
class TrueCross:
    """A true crossing: at second ``at``, or for a vehicle that stood on the line at any second up to ``until``.

    ``direction`` None: it is not certain that there was one, or which way it went.
    """

    direction: Direction | None
    at: float
    until: float

    def off(self, at: float) -> float:
        """Seconds between it and a moment."""
        return max(self.at - at, at - self.until, 0.0)


@dataclass(frozen=True, slots=True)
class Count:
    """A counted crossing. ``track_id`` only names it."""

    direction: Direction
    at: float
    track_id: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """How right a count is, in numbers that can be added up over clips.

    ``truth`` are the certain crossings, ``counted`` the events but for those that stand for uncertain ones.
    ``wrong_direction`` are pairs of a missed and an extra one that are one vehicle. ``net`` is entries less exits.
    """

    truth: int = 0
    missed: int = 0
    extra: int = 0
    wrong_direction: int = 0
    true_net: int = 0
    counted_net: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.truth + other.truth,
            self.missed + other.missed,
            self.extra + other.extra,
            self.wrong_direction + other.wrong_direction,
            self.true_net + other.true_net,
            self.counted_net + other.counted_net,
        )

    @property
    def counted(self) -> int:
        """Events, but for those that stand for uncertain crossings."""
        return self.truth - self.missed + self.extra

    @property
    def accuracy(self) -> float:
        """(truth - missed - extra) / truth; without any truth 1 if nothing was counted, else 0."""
        if self.truth == 0:
            return 0.0 if self.extra else 1.0
        return (self.truth - self.missed - self.extra) / self.truth

    @property
    def net_bias(self) -> float:
        """(counted net - true net) / truth; without any truth the counted net itself."""
        return (self.counted_net - self.true_net) / (self.truth or 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of the shares of truth found and of events right; without any truth as ``accuracy``."""
        if self.truth == 0:
            return self.accuracy
        right = self.truth - self.missed
        return 2 * right / (2 * right + self.missed + self.extra)


@dataclass(frozen=True, slots=True)
class Score:
    """Events held against the truth. ``wrong_direction`` pairs are among ``missed`` and ``extra`` as well."""

    matched: tuple[tuple[TrueCross, Count], ...]
    missed: tuple[TrueCross, ...]
    extra: tuple[Count, ...]
    wrong_direction: tuple[tuple[TrueCross, Count], ...]

    @property
    def figures(self) -> Figures:
        """The same in numbers."""
        certain = [true for true, _ in self.matched] + list(self.missed)
        right = [count for _, count in self.matched] + list(self.extra)
        return Figures(
            truth=len(certain),
            missed=len(self.missed),
            extra=len(self.extra),
            wrong_direction=len(self.wrong_direction),
            true_net=sum(true.direction.delta for true in certain if true.direction),
            counted_net=sum(count.direction.delta for count in right),
        )


def score(truth: Sequence[TrueCross], counts: Sequence[Count], tolerance: float = TOLERANCE) -> Score:
    """Hold ``counts`` against ``truth``; both in any order."""
    truth = sorted(truth, key=lambda one: (one.at, one.until, str(one.direction)))
    counts = sorted(counts, key=lambda one: (one.at, one.track_id, one.direction))
    # One certain crossing more is worth more than all distances together, and so is, after that, one uncertain one.
    # No certain one is lost to uncertain ones: what can be matched together is a matroid.
    unit = (len(truth) + 1) * (tolerance + 1)

    def worth(true: TrueCross, count: Count) -> float:
        if true.off(count.at) > tolerance or true.direction not in (None, count.direction):
            return 0.0
        return unit * (1 if true.direction is None else 2) - true.off(count.at)

    pairs = _best_pairs([[worth(true, count) for count in counts] for true in truth])
    taken, used = {i for i, _ in pairs}, {j for _, j in pairs}
    missed = [one for i, one in enumerate(truth) if i not in taken and one.direction is not None]
    extra = [one for j, one in enumerate(counts) if j not in used]

    def turned(true: TrueCross, count: Count) -> float:
        if true.off(count.at) > tolerance or true.direction is count.direction:
            return 0.0
        return unit - true.off(count.at)

    crossed = _best_pairs([[turned(true, count) for count in extra] for true in missed])
    return Score(
        matched=tuple((truth[i], counts[j]) for i, j in pairs if truth[i].direction is not None),
        missed=tuple(missed),
        extra=tuple(extra),
        wrong_direction=tuple((missed[i], extra[j]) for i, j in crossed),
    )


def match(truth: Sequence[float], counted: Sequence[float], tolerance: float) -> tuple[list[float], list[float]]:
    """The moments that were missed and the ones that were counted too much.

    ``truth`` and ``counted`` are seconds of crossings in one direction. A counted one stands for at most one true one
    no further than ``tolerance`` seconds away; as many as possible are matched.
    """
    result = score(
        [TrueCross(Direction.ENTRY, at, at) for at in truth],
        [Count(Direction.ENTRY, at) for at in counted],
        tolerance,
    )
    return [one.at for one in result.missed], [one.at for one in result.extra]


def _best_pairs(worth: list[list[float]]) -> list[tuple[int, int]]:
    """The one-to-one pairs (row, column) that are worth most together; what is worth 0 is never a pair.

    By the algorithm of Jonker and Volgenant (1987), as ``lap`` has it. Of equally good choices the one is taken that
    uses later rows, then earlier columns, then the pairs in order, so that the result is not the algorithm's accident.
    """
    if not worth or not worth[0]:
        return []
    values = np.array(worth, dtype=np.float64)
    row, column = (np.arange(size) / size for size in values.shape)
    preferred = row[:, None] - column / 10 + row[:, None] * column / 100
    # A pair that is worth nothing costs nothing, as a row or column without a pair does.
    costs = np.where(values > 0, -values - _TIE_SECONDS * preferred, 0.0)
    _, column_of_row, _ = lap.lapjv(costs, extend_cost=True)
    return [(i, int(j)) for i, j in enumerate(column_of_row) if j >= 0 and values[i, j] > 0]

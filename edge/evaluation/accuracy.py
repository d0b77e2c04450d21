"""Compares counted crossings with the expected ones, and computes from the pairs how accurate a count is.

A counted crossing stands for at most one expected crossing of its direction, no further away than a tolerance. As many
as possible are matched, and of all such matchings the one with the least sum of distances in time is taken. A counted
crossing that matches no certain crossing may match an uncertain one of either direction, which neither helps nor harms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import lap
import numpy as np

from edge.core.events import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCE_SECONDS = 1.5  # most distance in time between an expected crossing and a counted one that stands for it
_TIE_SECONDS = 1e-6  # less than any two distances in time differ by: events and labels are not that precise


@dataclass(frozen=True, slots=True)
class ExpectedCrossing:
    """A crossing that truly happened, at second ``at`` of the clip.

    A vehicle that stopped on the line crossed at any second from ``at`` to ``until``; for the others both are equal.
    ``direction`` is None where it is uncertain whether a vehicle crossed, or in which direction.
    """

    direction: Direction | None
    at: float
    until: float

    def distance(self, second: float) -> float:
        """Seconds between the crossing and ``second``."""
        return max(self.at - second, second - self.until, 0.0)


@dataclass(frozen=True, slots=True)
class CountedCrossing:
    """A crossing that was counted, at second ``at`` of the clip. ``track_id`` only names it."""

    direction: Direction
    at: float
    track_id: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """How accurate a count is, in numbers that can be added up over clips.

    ``truth`` is the number of certain crossings, ``counted`` that of counted crossings that do not match an uncertain
    one. ``wrong_direction`` is the number of pairs of a missed and an extra crossing that are one vehicle; both are in
    ``missed`` and ``extra`` too. ``true_net`` and ``counted_net`` are entries less exits.
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
        """Counted crossings without those that match an uncertain crossing."""
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
        """Harmonic mean of recall and precision; without any truth the accuracy."""
        if self.truth == 0:
            return self.accuracy
        matched = self.truth - self.missed
        return 2 * matched / (2 * matched + self.missed + self.extra)


@dataclass(frozen=True, slots=True)
class Matching:
    """Which expected and counted crossings belong together, and which are left over.

    ``wrong_direction`` pairs a missed and an extra crossing that are close in time and of opposite directions: one
    vehicle. Both are in ``missed`` and ``extra`` too.
    """

    matched: tuple[tuple[ExpectedCrossing, CountedCrossing], ...]
    missed: tuple[ExpectedCrossing, ...]
    extra: tuple[CountedCrossing, ...]
    wrong_direction: tuple[tuple[ExpectedCrossing, CountedCrossing], ...]

    @property
    def figures(self) -> Figures:
        """The numbers of this matching."""
        certain = [expected for expected, _ in self.matched] + list(self.missed)
        counted = [crossing for _, crossing in self.matched] + list(self.extra)
        return Figures(
            truth=len(certain),
            missed=len(self.missed),
            extra=len(self.extra),
            wrong_direction=len(self.wrong_direction),
            true_net=sum(expected.direction.delta for expected in certain if expected.direction),
            counted_net=sum(crossing.direction.delta for crossing in counted),
        )


def match_crossings(
    expected: Sequence[ExpectedCrossing], counted: Sequence[CountedCrossing], tolerance: float = TOLERANCE_SECONDS
) -> Matching:
    """Match counted crossings with the expected ones; both may come in any order. ``tolerance`` is in seconds."""
    expected = sorted(expected, key=lambda crossing: (crossing.at, crossing.until, str(crossing.direction)))
    counted = sorted(counted, key=lambda crossing: (crossing.at, crossing.track_id, crossing.direction))
    # One more certain crossing is worth more than all distances together, and after that one more uncertain crossing.
    # No certain crossing is lost to uncertain ones: the sets that can be matched together are a matroid.
    unit = (len(expected) + 1) * (tolerance + 1)

    def worth(true: ExpectedCrossing, crossing: CountedCrossing) -> float:
        if true.distance(crossing.at) > tolerance or true.direction not in (None, crossing.direction):
            return 0.0
        return unit * (1 if true.direction is None else 2) - true.distance(crossing.at)

    pairs = _best_pairs([[worth(true, crossing) for crossing in counted] for true in expected])
    matched_rows, matched_columns = {row for row, _ in pairs}, {column for _, column in pairs}
    missed = [
        true for row, true in enumerate(expected) if row not in matched_rows and true.direction is not None
    ]  # fmt: skip
    extra = [crossing for column, crossing in enumerate(counted) if column not in matched_columns]

    def worth_turned(true: ExpectedCrossing, crossing: CountedCrossing) -> float:
        if true.distance(crossing.at) > tolerance or true.direction is crossing.direction:
            return 0.0
        return unit - true.distance(crossing.at)

    turned = _best_pairs([[worth_turned(true, crossing) for crossing in extra] for true in missed])
    return Matching(
        matched=tuple((expected[row], counted[column]) for row, column in pairs if expected[row].direction is not None),
        missed=tuple(missed),
        extra=tuple(extra),
        wrong_direction=tuple((missed[row], extra[column]) for row, column in turned),
    )


def match_times(
    expected: Sequence[float], counted: Sequence[float], tolerance: float
) -> tuple[list[float], list[float]]:
    """The times of missed crossings and of extra ones, for crossings of one direction; all in seconds."""
    matching = match_crossings(
        [ExpectedCrossing(Direction.ENTRY, at, at) for at in expected],
        [CountedCrossing(Direction.ENTRY, at) for at in counted],
        tolerance,
    )
    return [crossing.at for crossing in matching.missed], [crossing.at for crossing in matching.extra]


def _best_pairs(worth: list[list[float]]) -> list[tuple[int, int]]:
    """The one-to-one pairs (row, column) that are worth most together; what is worth 0 is never a pair.

    By the algorithm of Jonker and Volgenant (1987), as ``lap`` implements it. Of equally good choices it takes
    later rows, then earlier columns, then pairs in order, so that the choice does not depend on the algorithm.
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

"""Follows one track across one line.

                      inside
      - - - - - - - - - - - - - - - -   +dead band
      A ============================ B  the line
      - - - - - - - - - - - - - - - -   -dead band
                      outside

A track is on a side only once its anchor point has left the dead band on that side. It has crossed when its side has
changed and it passed between the line's ends. A vehicle that stands on the line, a box that flickers about it, and a
vehicle that turns back inside the band therefore make no crossing. The width of the band is a share of the box's size,
so that it means the same near and far, and at any resolution. The method is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from edge.core.events import Direction
from edge.core.tracks import Reason

if TYPE_CHECKING:
    from edge.core.shapes import Point
    from edge.counting.line import Line

_INSIDE, _OUTSIDE, _UNDECIDED = 1, -1, 0


class Position(NamedTuple):
    """Where a track's anchor point was at ``at`` (seconds on the frames' clock), and its box's size, in pixels."""

    at: float
    point: Point
    size: float


@dataclass(frozen=True, slots=True)
class LineCrossing:
    """A track crossed the line at ``at`` (seconds on the frames' clock); whether it counts is decided later.

    ``reason`` is why it counts if nothing speaks against it: the track was seen to cross, or must have crossed before
    it was first seen.
    """

    direction: Direction
    at: float
    reason: Reason = Reason.CROSSED


@dataclass(slots=True)
class CrossingPath:
    """One track's path about one line. Positions are added in order of time."""

    dead_band: float  # share of the box's size on either side of the line
    side: int = _UNDECIDED  # the side on which the track last was outside the dead band
    _last: Position | None = None
    _last_distance: float = 0
    _line_passed_at: float = 0
    _between_ends: bool = False
    _in_band: bool = False
    _why_not_crossed: Reason = Reason.NOT_CROSSED

    @property
    def is_empty(self) -> bool:
        """Whether no position was added yet."""
        return self._last is None

    @property
    def why_not_crossed(self) -> Reason:
        """Why a track that ends now has made no crossing."""
        return Reason.STAYED_IN_BAND if self._in_band else self._why_not_crossed

    def add(self, line: Line, position: Position) -> LineCrossing | None:
        """The crossing that a further position makes certain, if any. One that is not later than the last is ignored.

        The time of a crossing is interpolated between the last two positions on different sides of the line itself.
        """
        if self._last is not None and position.at <= self._last.at:
            return None
        distance = line.distance(position.point)
        if self._last is not None and (self._last_distance < 0) != (distance < 0):
            moved = abs(self._last_distance) + abs(distance)
            share = abs(self._last_distance) / moved if moved else 0
            self._line_passed_at = self._last.at + share * (position.at - self._last.at)
            self._between_ends = line.is_crossed(self._last.point, position.point)
        self._last, self._last_distance = position, distance
        side = self._side_of(distance, position.size)
        if side == _UNDECIDED:
            self._in_band = True
            return None
        previous_side, self.side = self.side, side
        was_in_band, self._in_band = self._in_band, False
        if side == previous_side and was_in_band:
            self._why_not_crossed = Reason.TURNED_BACK
        if previous_side in (_UNDECIDED, side):
            return None
        if not self._between_ends:
            self._why_not_crossed = Reason.BESIDE_LINE
            return None
        return LineCrossing(direction_to(side), self._line_passed_at)

    def _side_of(self, distance: float, size: float) -> int:
        if distance > self.dead_band * size:
            return _INSIDE
        return _OUTSIDE if distance < -self.dead_band * size else _UNDECIDED


def direction_to(side: int) -> Direction:
    """The direction of a crossing that ends on ``side``."""
    return Direction.ENTRY if side == _INSIDE else Direction.EXIT

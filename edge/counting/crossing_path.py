"""How one track passes one line.

                      inside
      - - - - - - - - - - - - - - - -   +dead band
      A ============================ B  the line
      - - - - - - - - - - - - - - - -   -dead band
                      outside

A track is on a side only once its anchor point has left the dead band on that side; it has crossed when the side
changed and the way between led between the line's ends. So a vehicle that stands on the line, or a box that flickers
about it, makes nothing, and one that turns back inside the band makes nothing either. The band's width is a share of
the box's size: it means the same near and far, and at any resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.events import Direction
from edge.core.tracks import Reason

if TYPE_CHECKING:
    from edge.core.shapes import Point
    from edge.counting.line import Line


@dataclass(frozen=True, slots=True)
class Pass:
    """The line was passed that way, at ``at`` seconds on the frames' clock."""

    direction: Direction
    at: float
    reason: Reason = Reason.CROSSED


@dataclass(slots=True)
class Passage:
    """One track's way about one line, fed with its places in order of time."""

    band: float  # share of the box's size on either side
    side: int = 0  # 1 inside, -1 outside, 0 not yet decided
    last_at: float = float("-inf")
    _last_point: Point | None = None
    _last_distance: float = 0.0
    _passed_at: float = 0.0
    _between_ends: bool = False
    _in_band: bool = False
    _fate: Reason = Reason.NOT_ACROSS

    def step(self, line: Line, at: float, point: Point, size: float) -> Pass | None:
        """The track's anchor point was at ``point`` at ``at``; the pass that this made certain."""
        distance = line.distance(point)
        if self._last_point is not None and (self._last_distance < 0) != (distance < 0):
            way = abs(self._last_distance) + abs(distance)
            share = abs(self._last_distance) / way if way else 0.0
            self._passed_at = self.last_at + share * (at - self.last_at)
            self._between_ends = line.passes(self._last_point, point)
        self._last_point, self._last_distance, self.last_at = point, distance, at
        side = self._side_of(distance, size)
        if side == 0:
            self._in_band = True
            return None
        before, self.side = self.side, side
        was_in_band, self._in_band = self._in_band, False
        if before == side:
            if was_in_band:
                self._fate = Reason.TURNED_BACK
            return None
        if before == 0:
            return None
        if not self._between_ends:
            self._fate = Reason.BESIDE
            return None
        return Pass(Direction.ENTRY if side > 0 else Direction.EXIT, self._passed_at)

    @property
    def fate(self) -> Reason:
        """Why a track that ends now has made no crossing."""
        return Reason.STAYED if self._in_band else self._fate

    def _side_of(self, distance: float, size: float) -> int:
        if distance > self.band * size:
            return 1
        return -1 if distance < -self.band * size else 0

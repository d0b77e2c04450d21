"""A gate: what makes crossings of tracks.

                      inside
      - - - - - - - - - - - - - - - -   +dead band
      A ============================ B  the line
      - - - - - - - - - - - - - - - -   -dead band
                      outside

A track is on a side only once its anchor point has left the dead band on that side; it has crossed when the side
changed and the way between led between the line's ends. So a vehicle that stands on the line, or a box that
flickers about it, makes nothing, and one that turns back inside the band makes nothing either. The band's width is a
share of the box's size: it means the same near and far, and at any resolution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.geometry import crosses, signed_distance
from edge.records import Crossing, Direction, Point, TrackState, VehicleType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config import GateConfig
    from edge.records import Box, Track


@dataclass(slots=True)
class _Memory:
    """What a gate knows of one track."""

    side: int = 0
    last_point: Point | None = None
    last_distance: float = 0.0
    last_at: float = 0.0
    passed_at: float = 0.0
    passed_between_ends: bool = False
    crossed: Crossing | None = None
    votes: dict[str, tuple[float, int]] = field(default_factory=dict)


class Gate:
    """Turns one camera's tracks into crossings of one line. Pure: no clock, no I/O.

    Its memory is one small record per living track.
    """

    def __init__(self, config: GateConfig) -> None:
        self._config = config
        self._size: tuple[int, int] = (0, 0)
        self._line: list[Point] = []
        self._inside_sign = 1.0
        self._memory: dict[str, _Memory] = {}

    @property
    def remembered(self) -> int:
        """How many tracks the gate holds in memory."""
        return len(self._memory)

    def update(self, tracks: Sequence[Track], frame_size: tuple[int, int], at: float) -> list[Crossing]:
        """The crossings that became certain with the frame taken at ``at``, oldest first.

        ``tracks`` are all of the frame's tracks, ended ones included, in pixels of a frame of ``frame_size`` (width,
        height). Only confirmed tracks cross; what they did while tentative counts once they are confirmed.
        """
        if frame_size != self._size:
            self._scale(frame_size)
        crossings = []
        for track in tracks:
            if track.state is TrackState.ENDED:
                self._memory.pop(track.track_id, None)
                continue
            if track.at != at:
                continue
            memory = self._memory.setdefault(track.track_id, _Memory())
            self._move(memory, track)
            if memory.crossed is not None and track.state is TrackState.CONFIRMED:
                crossings.append(memory.crossed)
                memory.crossed = None
        return sorted(crossings, key=lambda crossing: crossing.at)

    def _scale(self, frame_size: tuple[int, int]) -> None:
        width, height = frame_size
        self._size = frame_size
        self._line = [Point(x * width, y * height) for x, y in self._config.line]
        inside = Point(self._config.inside[0] * width, self._config.inside[1] * height)
        self._inside_sign = math.copysign(1.0, signed_distance(self._line, inside))
        # Positions in other pixels mean nothing any more.
        self._memory.clear()

    def _move(self, memory: _Memory, track: Track) -> None:
        box = track.box
        point = box.center if self._config.anchor == "center" else box.bottom_center
        distance = signed_distance(self._line, point) * self._inside_sign
        total, times = memory.votes.get(track.label, (0.0, 0))
        memory.votes[track.label] = (total + track.confidence, times + 1)

        if memory.last_point is not None and (memory.last_distance < 0) != (distance < 0):
            way = abs(memory.last_distance) + abs(distance)
            share = abs(memory.last_distance) / way if way else 0.0
            memory.passed_at = memory.last_at + share * (track.at - memory.last_at)
            memory.passed_between_ends = crosses(self._line, memory.last_point, point)
        memory.last_point, memory.last_distance, memory.last_at = point, distance, track.at

        side = self._side(distance, box)
        if side == 0:
            return
        if memory.side not in (0, side) and memory.passed_between_ends:
            label, confidence = _elected(memory.votes)
            memory.crossed = Crossing(
                self._config.id,
                track.track_id,
                Direction.ENTRY if side > 0 else Direction.EXIT,
                memory.passed_at,
                label,
                confidence,
            )
        memory.side = side

    def _side(self, distance: float, box: Box) -> int:
        band = self._config.dead_band * math.sqrt(box.area)
        if distance > band:
            return 1
        return -1 if distance < -band else 0


def _elected(votes: dict[str, tuple[float, int]]) -> tuple[str, float]:
    """The class that the track's detections spoke for most, and their mean confidence in it.

    A vehicle's class wins over any other: a bus that was called a boat for most of its way is still a bus.
    """
    label = max(votes, key=lambda name: (VehicleType.of(name) is not VehicleType.OTHER, votes[name][0], name))
    total, times = votes[label]
    return label, min(total / times, 1.0)

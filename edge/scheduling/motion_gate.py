"""Decides for each frame of a camera whether the detector has to look at it.

It looks while something moves in the region about the gates, while a vehicle there has not come to rest or a crossing
is not decided, and for a second after that. Else it looks every two seconds, so that vehicles that stand keep their
tracks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.tracks import LONG_GAP_SECONDS, TrackState
from edge.scheduling.movement import MovementDetector
from edge.scheduling.parameters import DEFAULT_SCHEDULING
from edge.scheduling.turns import Need

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.frames import Image
    from edge.core.shapes import Box
    from edge.core.tracks import Track
    from edge.scheduling.parameters import SchedulingParameters


class MotionGate:
    """The decision for one camera. For every frame call ``wants``, and after a frame was looked at ``looked``."""

    def __init__(self, parameters: SchedulingParameters = DEFAULT_SCHEDULING, *, enabled: bool = True) -> None:
        """Without ``enabled`` the detector has to look at every frame."""
        self._parameters = parameters
        self._enabled = enabled
        self._movement = MovementDetector(parameters.movement)
        self._frame_at: float | None = None
        self._looked_at: float | None = None
        self._moved_at = 0.0
        self._occupied = False

    @property
    def need(self) -> Need:
        """How much the frame needs the detector that ``wants`` was asked about last."""
        if self._occupied:
            return Need.VEHICLE
        is_moving = not self._enabled or self._frame_at == self._moved_at
        return Need.MOVEMENT if is_moving else Need.NOTHING_MOVES

    def wants(self, image: Image, at: float) -> bool:
        """Return whether the detector has to look at a frame taken at ``at`` seconds; ``image`` is the region of it."""
        if not self._enabled:
            return True
        if self._frame_at is not None and at - self._frame_at > LONG_GAP_SECONDS:
            self._movement.forget()
        self._frame_at = at
        if self._movement.look(image, at, occupied=self._occupied):
            self._moved_at = at
        limits = self._parameters.gate
        if self._occupied or self._looked_at is None or at - self._moved_at <= limits.still_seconds:
            return True
        return at - self._looked_at >= limits.look_seconds

    def looked(self, at: float, tracks: Iterable[Track], region: Box, *, undecided: bool) -> None:
        """Note what a look at ``at`` showed: the tracks, and whether a crossing is ``undecided``."""
        self._looked_at = at
        self._occupied = undecided or any(_is_near(track, region) for track in tracks)


def _is_near(track: Track, region: Box) -> bool:
    """Whether a vehicle that moves, or a track of which that is not known, is in the region."""
    if track.state is TrackState.ENDED or track.resting or track.past is None:
        return False
    return track.box.overlap_area(region) > 0

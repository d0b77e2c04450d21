"""All tracks' ways about one gate's line: from places to passes.

``passage.py`` follows one track. Here is what needs more than one: a track whose past is found out only later, one that
was first seen beyond the line, one that goes on as another.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.core.events import Direction
from edge.core.shapes import Point
from edge.core.tracks import Reason
from edge.counting.crossing_path import Pass, Passage
from edge.counting.line import Line
from edge.counting.parameters import DEFAULT_COUNTING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config.schema import GateConfig
    from edge.core.tracks import Track
    from edge.counting.parameters import CountingParameters


class Passages:
    """The passages of a gate's tracks. Its memory is one small record per living track."""

    def __init__(
        self, config: GateConfig, *, unseen_crossing: bool, parameters: CountingParameters = DEFAULT_COUNTING
    ) -> None:
        """With ``unseen_crossing``, what is first seen just beyond the line and moves away from it came across."""
        self._config, self._unseen_crossing, self._parameters = config, unseen_crossing, parameters
        self._size = (1, 1)
        self._started = self._gap = 0.0
        self._at: float | None = None
        self._passages: dict[str, Passage] = {}
        self._first: dict[str, tuple[float, float]] = {}  # when a track was first seen, and how long after a frame
        self._waiting: dict[str, list[tuple[float, Point, float]]] = {}  # places of tracks whose past is not known yet
        self.line = Line(config, self._size)

    def __len__(self) -> int:
        """How many tracks are remembered."""
        return len(self._passages)

    def begin(self, frame_size: tuple[int, int], at: float) -> None:
        """The next frame, of ``frame_size`` (width, height) pixels, was taken at ``at``."""
        gap = math.inf if self._at is None else at - self._at
        if frame_size != self._size or gap > self._parameters.restart_seconds:
            # Positions in other pixels, or from before a gap, mean nothing any more.
            self._size, self.line = frame_size, Line(self._config, frame_size)
            self._started = at
            self._passages.clear()
            self._first.clear()
            self._waiting.clear()
        self._gap = min(gap, self._parameters.restart_seconds)
        self._at = at

    def distance(self, track: Track) -> float:
        """How far the track's anchor is from the line, positive on the inside."""
        return self.line.distance(self._anchor(track, track.box.center))

    def forget(self, name: str) -> Passage | None:
        """The track ended: its passage, None where nothing is left of it since a long gap."""
        self._waiting.pop(name, None)
        self._first.pop(name, None)
        return self._passages.pop(name, None)

    def move(self, track: Track, living: Sequence[Track], at: float) -> list[Pass]:
        """The passes that the place of a track at ``at`` makes certain; ``living`` are all of the frame's tracks."""
        name = track.track_id
        passage = self._passages.setdefault(name, Passage(self._config.dead_band))
        self._first.setdefault(name, (at, self._gap))
        point = self._anchor(track, track.box.center)
        if track.past is None:
            self._waiting.setdefault(name, []).append((at, point, track.box.side))
            return []
        passes: list[Pass | None] = []
        waiting = self._waiting.pop(name, [])
        if passage.last_at == -math.inf:
            waiting = waiting or [(at, point, track.box.side)]
            for moment, middle in track.past:
                passes.append(self._step(passage, moment, self._anchor(track, middle), track.box.side))
            for moment, place, side in waiting:
                passes.append(self._step(passage, moment, place, side))
            if not any(passes):
                passes.append(self._came_across(track, passage, waiting, living))
        else:
            for moment, place, side in waiting:
                passes.append(self._step(passage, moment, place, side))
        passes.append(self._step(passage, at, point, track.box.side))
        return [one for one in passes if one is not None]

    def _step(self, passage: Passage, at: float, point: Point, side: float) -> Pass | None:
        return passage.step(self.line, at, point, side) if at > passage.last_at else None

    def _anchor(self, track: Track, middle: Point) -> Point:
        if self._config.anchor == "center":
            return middle
        return Point(middle.x, middle.y + track.box.height / 2)

    def _came_across(
        self, track: Track, passage: Passage, seen: list[tuple[float, Point, float]], living: Sequence[Track]
    ) -> Pass | None:
        """The pass of a track that was first found just beyond the line and moves away from it, if it is one.

        It cannot have been there before: it was not in the picture, and its past could not be followed any further,
        because something hid it or the detector saw nothing of it.
        """
        if not self._unseen_crossing or track.past_whole or not passage.side:
            return None
        at, place = track.past[0] if track.past else seen[0][:2]
        place = self._anchor(track, place) if track.past else place
        parameters = self._parameters.unseen_crossing
        if at <= self._started + parameters.settling_seconds or self._is_inside(track, living):
            return None
        inwards, side = self.line.inwards(place), track.box.side
        away = (track.velocity.x * inwards.x + track.velocity.y * inwards.y) * passage.side
        beyond = self.line.distance(place) * passage.side
        if away <= parameters.least_speed * side or not 0 < beyond < parameters.farthest * side:
            return None
        seconds = beyond / away
        before = seconds + parameters.start_before_line * side / away
        start = Point(place.x - track.velocity.x * before, place.y - track.velocity.y * before)
        _, gap = self._first[track.track_id]
        longest = max(parameters.longest_seconds, parameters.longest_gaps * gap)
        if seconds >= longest or not self.line.passes(start, place):
            return None
        direction = Direction.ENTRY if passage.side > 0 else Direction.EXIT
        return Pass(direction, at - seconds, Reason.CAME_ACROSS)

    def _is_inside(self, track: Track, living: Sequence[Track]) -> bool:
        """Whether a track lies in the box of one that is known for longer: it is a part of it, or hidden by it."""
        first, box = self._first[track.track_id][0], track.box
        parameters = self._parameters.unseen_crossing
        for other in living:
            if other.track_id == track.track_id or not other.followed:
                continue
            if other.evidence.sightings < parameters.cover_sightings:
                continue
            known = self._first.get(other.track_id)
            if known is None or known[0] > first - parameters.cover_lead_seconds:
                continue
            if other.box.side > parameters.cover_size_ratio * box.side:
                continue
            across = min(box.x2, other.box.x2) - max(box.x1, other.box.x1)
            down = min(box.y2, other.box.y2) - max(box.y1, other.box.y1)
            if (
                across > 0
                and down > 0
                and across * down > parameters.cover_share * box.area
                and other.box.area > box.area
            ):
                return True
        return False

    def go_on(self, ended: Track) -> None:
        """A track turned out to be a lost one that was seen again: what it did until now is the lost one's way."""
        passage = self._passages.get(ended.merged_into)
        if passage is None or ended.track_id not in self._passages:
            return
        places = [(at, self._anchor(ended, middle), ended.box.side) for at, middle in ended.past or ()]
        waiting = self._waiting.setdefault(ended.merged_into, [])
        waiting += [*places, *self._waiting.pop(ended.track_id, [])]

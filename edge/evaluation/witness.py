"""What a run over a clip has shown, kept so that each decision can be explained afterwards: who was where, and when."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from edge.core.shapes import Box, Point
from edge.core.tracks import Reason, TrackState, Verdict
from edge.counting.line import Line

if TYPE_CHECKING:
    from edge.config.schema import Config, GateConfig
    from edge.core.events import Direction
    from edge.core.tracks import Track
    from edge.pipeline import FrameResult

# A track that was this near to the line at a moment, in sides of its box, may be the vehicle that crossed there.
NEAR = 1.5
# Seconds: a refused crossing this near to a missed one is surely that; a track's way is seen from so long about it.
SURELY, AROUND = 0.5, 1.0
MOVED = 0.3  # sides of its box, the right way
NOBODY = "no track was there"


class Place(NamedTuple):
    """Where a track was at a moment."""

    at: float
    box: Box


class Trail:
    """Where a track was, in order of time. Packed, because a clip of half an hour has a million places."""

    __slots__ = ("_at", "_edges")

    def __init__(self) -> None:
        self._at, self._edges = array("d"), array("d")

    def add(self, at: float, box: Box) -> None:
        """One more place, later than those before."""
        self._at.append(at)
        self._edges.extend(box)

    def __len__(self) -> int:
        return len(self._at)

    def __getitem__(self, number: int) -> Place:
        return Place(self._at[number], Box(*self._edges[4 * number : 4 * number + 4]))

    def nearest(self, at: float) -> Place:
        """The place nearest in time to ``at``."""
        after = bisect_left(self._at, at)
        candidates = range(max(after - 1, 0), min(after + 1, len(self)))
        return self[min(candidates, key=lambda number: abs(self._at[number] - at))]

    def between(self, since: float, until: float) -> list[Place]:
        """The places in a span of time, both ends included."""
        return [self[number] for number in range(bisect_left(self._at, since), bisect_right(self._at, until))]

    def box_at(self, at: float) -> Box | None:
        """The box in the frame of that very time; None where the track was not found in it."""
        return next((place.box for place in self.between(at, at)), None)


@dataclass(frozen=True, slots=True)
class Look:
    """One processed frame: its time and size, and for pictures the detector's boxes with what they were called."""

    at: float
    size: tuple[int, int]
    detections: tuple[tuple[Box, str, float], ...]


@dataclass(slots=True)
class Witness:
    """Sees every frame's result of a pipeline with one gate. Grows with the clip: for evaluation, not for a daemon."""

    gate: GateConfig
    keep_detections: bool = False
    looks: list[Look] = field(default_factory=list)
    places: dict[str, Trail] = field(default_factory=dict)
    tracks: dict[str, Track] = field(default_factory=dict)  # as each was last
    verdicts: list[Verdict] = field(default_factory=list)

    def watch(self, result: FrameResult) -> None:
        """What the pipeline made of one frame."""
        kept = result.observation.detections if self.keep_detections else ()
        boxes = tuple((one.box, one.label, one.confidence) for one in kept)
        self.looks.append(Look(result.frame_time.monotonic, result.frame_time.size, boxes))
        for track in result.tracks:
            self.tracks[track.track_id] = track
            if track.followed and track.state is not TrackState.ENDED:
                self.places.setdefault(track.track_id, Trail()).add(result.frame_time.monotonic, track.box)
        self.verdicts += result.verdicts

    def merged(self, track_id: str) -> str:
        """The track that ``track_id`` turned out to be, or itself."""
        seen = {track_id}
        while (track := self.tracks.get(track_id)) is not None and track.merged_into and track.merged_into not in seen:
            track_id = track.merged_into
            seen.add(track_id)
        return track_id

    def told(self) -> list[Verdict]:
        """All verdicts by time: that of the crossing, else of the track's end."""
        return sorted(self.verdicts, key=lambda one: (moment_of(one), one.track_id))

    def why_missed(self, direction: Direction, at: float, until: float, tolerance: float) -> tuple[str, str]:
        """The track that a missed vehicle probably was, and why it did not count; no track: "" and a reason."""
        refused = [
            (max(at - moment_of(one), moment_of(one) - until, 0.0), one.track_id, one.reason)
            for one in self.verdicts
            if one.crossing is not None and not one.counted and one.crossing.direction is direction
        ]
        refused = sorted(one for one in refused if one[0] <= tolerance)
        if refused and refused[0][0] <= SURELY:
            return refused[0][1], refused[0][2].value
        near = self._nearest(at, direction)
        if near is not None:
            return near, self._fate(near, at)
        return (refused[0][1], refused[0][2].value) if refused else ("", NOBODY)

    def _fate(self, track_id: str, at: float) -> str:
        """What became of a track that was at the line at ``at``."""
        decided = [one for one in self.verdicts if one.track_id == track_id]
        counted = [one.crossing for one in decided if one.counted and one.crossing is not None]
        if counted:
            other = min(counted, key=lambda crossing: abs(crossing.at - at))
            return f"its track counted at {other.at:.2f} s as an {other.direction}"
        return decided[-1].reason.value if decided else "its track had not ended when the clip did"

    def beside(self, config: Config) -> list[float]:
        """When vehicles that the detector was sure of passed by an end of the line."""
        moments = []
        for verdict in self.verdicts:
            track = self.tracks.get(verdict.track_id)
            if verdict.reason is not Reason.BESIDE or track is None:
                continue
            named = sum(track.evidence.votes.get(name, 0.0) for name in config.counting.vehicle_classes)
            if track.evidence.best < config.tracker.sure_confidence or named * 2 < sum(track.evidence.votes.values()):
                continue
            moments.append(self._passed_at(verdict.track_id, verdict.at))
        return sorted(moments)

    def look_at(self, at: float) -> Look:
        """The processed frame nearest in time to ``at``; there must be one."""
        after = bisect_left(self.looks, at, key=lambda look: look.at)
        return min(self.looks[max(after - 1, 0) : after + 1], key=lambda look: abs(look.at - at))

    def _passed_at(self, name: str, otherwise: float) -> float:
        line = self._line()
        trail = self.places.get(name, Trail())
        for before, after in pairwise(trail[number] for number in range(len(trail))):
            if (line.distance(before.box.center) < 0) != (line.distance(after.box.center) < 0):
                return after.at
        return otherwise

    def _nearest(self, at: float, direction: Direction) -> str | None:
        """The track that was at the line at ``at``, rather one that went the right way."""
        line = self._line()
        found = []
        for name, places in self.places.items():
            place = places.nearest(at)
            middle, side = place.box.center, place.box.side
            away = abs(line.distance(middle)) / side
            inwards = line.direction_inside(middle)
            # Beside the line's ends is not at the line: the way straight to it must lead between them.
            ahead, behind = (
                Point(middle.x + inwards.x * way * NEAR * side, middle.y + inwards.y * way * NEAR * side)
                for way in (1, -1)
            )
            if abs(place.at - at) > AROUND or away > NEAR or not line.is_crossed(behind, ahead):
                continue
            about = [one.box.center for one in places.between(at - AROUND, at + AROUND)]
            way = (line.distance(about[-1]) - line.distance(about[0])) * direction.delta
            found.append((way < MOVED * side, away, self.merged(name)))
        return min(found)[2] if found else None

    def _line(self) -> Line:
        return Line(self.gate, self.looks[-1].size if self.looks else (1, 1))


def moment_of(verdict: Verdict) -> float:
    """When what was decided of happened: the crossing, else the end of the track."""
    return verdict.at if verdict.crossing is None else verdict.crossing.at

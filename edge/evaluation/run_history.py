"""Keeps what a pipeline made of each frame of a clip, and explains from it why a vehicle was counted or missed."""

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

# Sides of a track's box: a track this near to the line may be the vehicle that crossed there.
_NEAR_LINE = 1.5
# Seconds: a refused crossing this near in time to a missed one is of the same vehicle.
_SAME_CROSSING_SECONDS = 0.5
# Seconds before and after a missed crossing in which a track's direction is looked at.
_DIRECTION_SECONDS = 1.0
# Sides of its box that a track must move in those seconds to have a direction.
_LEAST_MOVE = 0.3
_NO_TRACK = "no track was there"


class TrackPosition(NamedTuple):
    """Where a track was at second ``at``; pixels."""

    at: float
    box: Box


class Trail:
    """The positions of one track, in order of time. Packed, because a clip of half an hour has a million of them."""

    __slots__ = ("_at", "_edges")

    def __init__(self) -> None:
        self._at, self._edges = array("d"), array("d")

    def add(self, at: float, box: Box) -> None:
        """Add a position, later than those before."""
        self._at.append(at)
        self._edges.extend(box)

    def __len__(self) -> int:
        return len(self._at)

    def __getitem__(self, number: int) -> TrackPosition:
        return TrackPosition(self._at[number], Box(*self._edges[4 * number : 4 * number + 4]))

    def nearest(self, at: float) -> TrackPosition:
        """The position nearest in time to ``at``; there must be one."""
        after = bisect_left(self._at, at)
        candidates = range(max(after - 1, 0), min(after + 1, len(self)))
        return self[min(candidates, key=lambda number: abs(self._at[number] - at))]

    def between(self, since: float, until: float) -> list[TrackPosition]:
        """The positions in a span of time, both ends included."""
        return [self[number] for number in range(bisect_left(self._at, since), bisect_right(self._at, until))]

    def box_at(self, at: float) -> Box | None:
        """The box in the frame of exactly that time; None where the track was not found in it."""
        return next((position.box for position in self.between(at, at)), None)


@dataclass(frozen=True, slots=True)
class ProcessedFrame:
    """One processed frame: its second, its width and height in pixels, and the detections where they are kept.

    A detection is a box, the class name and the confidence.
    """

    at: float
    size: tuple[int, int]
    detections: tuple[tuple[Box, str, float], ...]


@dataclass(slots=True)
class RunHistory:
    """The history of a pipeline with one gate: frames, trails, tracks as each was last, and verdicts.

    It grows with the clip, so it is for evaluation and not for a daemon.
    """

    gate: GateConfig
    keep_detections: bool = False
    frames: list[ProcessedFrame] = field(default_factory=list)
    trails: dict[str, Trail] = field(default_factory=dict)
    tracks: dict[str, Track] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)

    def add(self, result: FrameResult) -> None:
        """Add what the pipeline made of one frame."""
        detections = result.observation.detections if self.keep_detections else ()
        kept = tuple((detection.box, detection.label, detection.confidence) for detection in detections)
        self.frames.append(ProcessedFrame(result.frame_time.monotonic, result.frame_time.size, kept))
        for track in result.tracks:
            self.tracks[track.track_id] = track
            if track.followed and track.state is not TrackState.ENDED:
                self.trails.setdefault(track.track_id, Trail()).add(result.frame_time.monotonic, track.box)
        self.verdicts += result.verdicts

    def merged(self, track_id: str) -> str:
        """The track that ``track_id`` was merged into in the end, or itself."""
        seen = {track_id}
        while (track := self.tracks.get(track_id)) is not None and track.merged_into and track.merged_into not in seen:
            track_id = track.merged_into
            seen.add(track_id)
        return track_id

    def verdicts_by_time(self) -> list[Verdict]:
        """All verdicts by the time of the crossing, or of the track's end where there is none."""
        return sorted(self.verdicts, key=lambda verdict: (verdict_time(verdict), verdict.track_id))

    def explain_missed(self, direction: Direction, at: float, until: float, tolerance: float) -> tuple[str, str]:
        """The id of the track that a missed vehicle probably was, and why that track did not count.

        The vehicle crossed between the seconds ``at`` and ``until``; a crossing that was refused no more than
        ``tolerance`` seconds away may be of it. Where no track can be it, the id is empty.
        """
        refused = [
            (max(at - verdict_time(verdict), verdict_time(verdict) - until, 0.0), verdict.track_id, verdict.reason)
            for verdict in self.verdicts
            if verdict.crossing is not None and not verdict.counted and verdict.crossing.direction is direction
        ]
        refused = sorted(candidate for candidate in refused if candidate[0] <= tolerance)
        if refused and refused[0][0] <= _SAME_CROSSING_SECONDS:
            return refused[0][1], refused[0][2].value
        track_id = self._track_at_line(at, direction)
        if track_id is not None:
            return track_id, self._outcome(track_id, at)
        return (refused[0][1], refused[0][2].value) if refused else ("", _NO_TRACK)

    def times_beside_line(self, config: Config) -> list[float]:
        """The seconds at which vehicles that the detector was sure of passed by an end of the line."""
        times = []
        for verdict in self.verdicts:
            track = self.tracks.get(verdict.track_id)
            if verdict.reason is not Reason.BESIDE_LINE or track is None:
                continue
            vehicle_votes = sum(track.evidence.votes.get(name, 0.0) for name in config.counting.vehicle_classes)
            all_votes = sum(track.evidence.votes.values())
            if track.evidence.best_confidence < config.tracker.sure_confidence or vehicle_votes * 2 < all_votes:
                continue
            times.append(self._time_across(verdict.track_id, verdict.at))
        return sorted(times)

    def frame_nearest(self, at: float) -> ProcessedFrame:
        """The processed frame nearest in time to ``at``; there must be one."""
        after = bisect_left(self.frames, at, key=lambda frame: frame.at)
        return min(self.frames[max(after - 1, 0) : after + 1], key=lambda frame: abs(frame.at - at))

    def _outcome(self, track_id: str, at: float) -> str:
        """What became of a track that was at the line at second ``at``."""
        verdicts = [verdict for verdict in self.verdicts if verdict.track_id == track_id]
        counted = [verdict.crossing for verdict in verdicts if verdict.counted and verdict.crossing is not None]
        if counted:
            nearest = min(counted, key=lambda crossing: abs(crossing.at - at))
            return f"its track counted at {nearest.at:.2f} s as an {nearest.direction}"
        return verdicts[-1].reason.value if verdicts else "its track had not ended when the clip did"

    def _time_across(self, track_id: str, otherwise: float) -> float:
        """When a track crossed the line or its extension; ``otherwise`` where its trail does not show that."""
        line = self._line()
        trail = self.trails.get(track_id, Trail())
        for before, after in pairwise(trail[number] for number in range(len(trail))):
            if (line.distance(before.box.center) < 0) != (line.distance(after.box.center) < 0):
                return after.at
        return otherwise

    def _track_at_line(self, at: float, direction: Direction) -> str | None:
        """The track that was at the line at second ``at``, preferably one that moved in ``direction``."""
        line = self._line()
        found = []
        for track_id, trail in self.trails.items():
            position = trail.nearest(at)
            center, side = position.box.center, position.box.side
            distance = abs(line.distance(center)) / side
            normal = line.direction_inside(center)
            # A track beside the line's ends is not at the line: the way straight to it must lead between them.
            ahead, behind = (
                Point(center.x + sign * normal.x * _NEAR_LINE * side, center.y + sign * normal.y * _NEAR_LINE * side)
                for sign in (1, -1)
            )
            if (
                abs(position.at - at) > _DIRECTION_SECONDS
                or distance > _NEAR_LINE
                or not line.is_crossed(behind, ahead)
            ):
                continue
            centers = [near.box.center for near in trail.between(at - _DIRECTION_SECONDS, at + _DIRECTION_SECONDS)]
            move = (line.distance(centers[-1]) - line.distance(centers[0])) * direction.delta
            found.append((move < _LEAST_MOVE * side, distance, self.merged(track_id)))
        return min(found)[2] if found else None

    def _line(self) -> Line:
        return Line(self.gate, self.frames[-1].size if self.frames else (1, 1))


def verdict_time(verdict: Verdict) -> float:
    """The second of what was decided: of the crossing, or of the track's end where there is none."""
    return verdict.at if verdict.crossing is None else verdict.crossing.at

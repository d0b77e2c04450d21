"""Scripts tracks for a gate: vehicles whose place in each frame is given. Tests of counting share this module.

The line stands upright in the middle, between y = 100 and y = 400; inside is on the right:

         outside   |   inside
                   |
     x:  0        500        1000
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from edge.config.schema import CountingConfig, GateConfig, MechanismsConfig
from edge.core.events import Crossing, Direction
from edge.core.shapes import Box, Point
from edge.core.tracks import STILL, UNKNOWN_SIZE, Evidence, Reason, Track, TrackState, UsualSize, Verdict
from edge.counting.crossing_path import LineCrossing
from edge.counting.decision.candidate import CrossingCandidate, make_candidate
from edge.counting.gate import Gate
from edge.counting.line import Line
from edge.counting.parameters import DEFAULT_COUNTING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SIZE = (1000, 500)
ENTRY, EXIT = Direction.ENTRY, Direction.EXIT
GATE = GateConfig(id="g", line=((0.5, 0.2), (0.5, 0.8)), inside=(0.9, 0.5), floor="F", dead_band=0.1)
LINE = Line(GATE, SIZE)
COUNTING, MECHANISMS = CountingConfig(), MechanismsConfig()
WITHOUT_EARLY = MechanismsConfig(early_decision=False)  # every crossing waits for the whole time to decide
SECONDS_AFTER = 1.0  # seconds that a scene goes on after its last vehicle, for crossings that are decided late


def make_evidence(
    confidences: dict[str, float],
    *,
    seconds: float = 1.0,
    sightings: int = 10,
    person_seconds: float = 0.0,
    path: float = 0.0,
) -> Evidence:
    """The evidence of a track that was seen all the time; ``confidences`` are the mean ones by class name."""
    votes = {label: confidence * seconds for label, confidence in confidences.items()}
    best, peak = max(confidences.values(), default=0.0), sum(votes.values())
    return Evidence(sightings, seconds, best, votes, peak, person_seconds, path)


def make_track(
    x: float,
    y: float = 250.0,
    *,
    track_id: str = "r-1",
    size: tuple[float, float] = (100.0, 100.0),
    confidences: dict[str, float] | None = None,
    evidence: Evidence | None = None,
    velocity: Point = STILL,
    usual_size: UsualSize = UNKNOWN_SIZE,
    part_of: str = "",
    absorbed: tuple[str, ...] = (),
) -> Track:
    """A confirmed track about (x, y): a car, unless said otherwise."""
    confidences = confidences or {"car": 0.8}
    label = max(confidences, key=lambda name: confidences[name])
    box = Box(x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2)
    return Track(
        *(track_id, TrackState.CONFIRMED, box, label, confidences[label], 0.0),
        velocity=velocity,
        evidence=evidence or make_evidence(confidences),
        usual_size=usual_size,
        part_of=part_of,
        absorbed=absorbed,
    )


def make_candidate_at(
    x: float, y: float = 250.0, *, crossed_at: float = 10.0, track_id: str = "r-1", **track: Any
) -> CrossingCandidate:
    """A vehicle of 100 x 60 pixels that was about (x, y) at 10 s, going in, and crossed at ``crossed_at``."""
    found = make_track(x, y, track_id=track_id, **{"velocity": Point(100.0, 0.0), "size": (100.0, 60.0), **track})
    least_speed = DEFAULT_COUNTING.same_vehicle.least_speed
    crossing = LineCrossing(ENTRY, crossed_at)
    return make_candidate(found, crossing, 10.0, LINE.distance(found.box.center), least_speed)


@dataclass(slots=True)
class Vehicle:
    """A vehicle and its track: ``places`` has its middle in each frame from ``first_frame`` on.

    A place is a point, or an x beside the ``y``; None: not found in that frame. With the frame after its last place the
    track ends. ``label`` and ``confidence`` may be functions of the frame's number. The track is confirmed with its
    third detection and has its ``past`` only then: x in the frames before ``first_frame``, oldest first.
    """

    places: Sequence[float | Point | None]
    track_id: str = "r-1"
    first_frame: int = 0
    label: str | Callable[[int], str] = "car"
    confidence: float | Callable[[int], float] = 0.8
    size: tuple[float, float] = (100.0, 100.0)
    y: float = 250.0
    confirmed_by: int = 3
    past: Sequence[float] = ()
    past_complete: bool = False
    with_person: bool = False
    usual_size: UsualSize = UNKNOWN_SIZE
    part_of: str = ""
    absorbed: tuple[str, ...] = ()
    merged_into: str = ""
    _fading: float = field(default=0.0, init=False)
    _evidence: Evidence = field(default_factory=Evidence, init=False)
    _last: tuple[int, Point] | None = field(default=None, init=False)
    _velocity: Point = field(default=STILL, init=False)

    @property
    def end_frame(self) -> int:
        """The number of the frame in which its track ends."""
        return self.first_frame + len(self.places)

    def track_in(self, frame: int, rate: float) -> Track | None:
        """The track in a frame; None before it begins and after it has ended."""
        if not self.first_frame <= frame <= self.end_frame:
            return None
        place = self.places[frame - self.first_frame] if frame < self.end_frame else None
        if place is not None:
            self._detect(place if isinstance(place, Point) else Point(place, self.y), frame, rate)
        assert self._last is not None, "the first place of a vehicle must not be None"
        seen_in, center = self._last
        is_confirmed = self._evidence.sightings >= self.confirmed_by
        state = TrackState.LOST if place is None else TrackState.CONFIRMED if is_confirmed else TrackState.TENTATIVE
        has_ended = frame == self.end_frame
        half_width, half_height = self.size[0] / 2, self.size[1] / 2
        return Track(
            track_id=self.track_id,
            state=TrackState.ENDED if has_ended else state,
            box=Box(center.x - half_width, center.y - half_height, center.x + half_width, center.y + half_height),
            label=_in_frame(self.label, seen_in),
            confidence=_in_frame(self.confidence, seen_in),
            at=seen_in / rate,
            velocity=self._velocity,
            followed=place is not None,
            evidence=self._evidence,
            usual_size=self.usual_size,
            past=self._past(rate) if is_confirmed else None,
            past_complete=self.past_complete,
            part_of=self.part_of,
            absorbed=self.absorbed,
            merged_into=self.merged_into if has_ended else "",
        )

    def _detect(self, place: Point, frame: int, rate: float) -> None:
        if self._last is not None:
            frames, last = frame - self._last[0], self._last[1]
            self._velocity = Point((place.x - last.x) * rate / frames, (place.y - last.y) * rate / frames)
        elif len(self.places) > 1 and self.places[1] is not None:
            following = self.places[1] if isinstance(self.places[1], Point) else Point(self.places[1], self.y)
            self._velocity = Point((following.x - place.x) * rate, (following.y - place.y) * rate)
        self._last = frame, place
        seconds, confidence, label = min(1 / rate, 0.2), _in_frame(self.confidence, frame), _in_frame(self.label, frame)
        previous = self._evidence
        self._fading = self._fading * math.exp(-1 / rate / 1.5) + confidence * seconds
        moved = math.hypot(self._velocity.x, self._velocity.y) / rate
        self._evidence = Evidence(
            previous.sightings + 1,
            previous.seconds + seconds,
            max(previous.best_confidence, confidence),
            {**previous.votes, label: previous.votes.get(label, 0.0) + confidence * seconds},
            max(previous.peak, self._fading),
            previous.person_seconds + seconds * self.with_person,
            previous.path_length + moved,
        )

    def _past(self, rate: float) -> tuple[tuple[float, Point], ...]:
        began = self.first_frame - len(self.past)
        return tuple(((began + n) / rate, Point(x, self.y)) for n, x in enumerate(self.past))


def _in_frame(value: Any, frame: int) -> Any:
    return value(frame) if callable(value) else value


class GateResult(NamedTuple):
    """What a gate made of a scene. ``decided_at`` has the frame's time for each crossing; inf: by ``finish``."""

    crossings: list[Crossing]
    verdicts: list[Verdict]
    decided_at: list[float]

    @property
    def directions(self) -> list[Direction]:
        """The directions of the crossings, in the order in which they were decided."""
        return [crossing.direction for crossing in self.crossings]

    @property
    def reasons(self) -> dict[str, list[Reason]]:
        """The reasons of all verdicts by track."""
        reasons: dict[str, list[Reason]] = {}
        for verdict in self.verdicts:
            reasons.setdefault(verdict.track_id, []).append(verdict.reason)
        return reasons


def run_gate(
    *vehicles: Vehicle,
    rate: float = 10.0,
    config: GateConfig = GATE,
    counting: CountingConfig = COUNTING,
    mechanisms: MechanismsConfig = MECHANISMS,
    size: tuple[int, int] = SIZE,
    reverse_tracks: bool = False,
    frames: int | None = None,
) -> GateResult:
    """Run a gate over a scene at ``rate`` frames a second, to its end, or for so many ``frames``.

    With ``reverse_tracks`` the tracks of each frame come in the reverse order.
    """
    vehicles = tuple(replace(vehicle) for vehicle in vehicles)  # without what an earlier scene left in them
    gate = Gate(config, counting, mechanisms)
    crossings: list[Crossing] = []
    decided_at: list[float] = []
    all_frames = max(vehicle.end_frame for vehicle in vehicles) + math.ceil(SECONDS_AFTER * rate)
    for frame in range(frames or all_frames):
        tracks = [track for vehicle in vehicles if (track := vehicle.track_in(frame, rate)) is not None]
        decided = gate.update(tracks[::-1] if reverse_tracks else tracks, size, frame / rate)
        crossings += decided
        decided_at += [frame / rate] * len(decided)
    rest = gate.finish()
    return GateResult(crossings + rest, gate.verdicts(), decided_at + [math.inf] * len(rest))


def steady(start: float, end: float, frames: int) -> list[float]:
    """Places at a steady speed, ``start`` and ``end`` among them."""
    return [start + (end - start) * n / (frames - 1) for n in range(frames)]


def standing(x: float, frames: int, jitter: Iterable[float] = (0.0,)) -> list[float]:
    """Places of a vehicle that does not move; its box is off by each of ``jitter`` in turn."""
    offsets = list(jitter)
    return [x + offsets[n % len(offsets)] for n in range(frames)]

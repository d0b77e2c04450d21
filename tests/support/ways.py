"""Vehicles on hand-made ways, as tracks for a gate: what tests of the counting share. Not a test itself.

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
from edge.core.tracks import STILL, UNKNOWN, Evidence, Reason, Track, TrackState, Usual, Verdict
from edge.counting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SIZE = (1000, 500)
ENTRY, EXIT = Direction.ENTRY, Direction.EXIT
GATE = GateConfig(id="g", line=((0.5, 0.2), (0.5, 0.8)), inside=(0.9, 0.5), floor="F", dead_band=0.1)
COUNTING, MECHANISMS = CountingConfig(), MechanismsConfig()
LONGER = 1.0  # seconds that a scene goes on after the last vehicle, for what is decided late


def evidence(
    votes: dict[str, float],
    *,
    seconds: float = 1.0,
    sightings: int = 10,
    person_seconds: float = 0.0,
    path: float = 0.0,
) -> Evidence:
    """What a track shows that was seen all the time; ``votes`` are the mean confidences."""
    held = {label: vote * seconds for label, vote in votes.items()}
    return Evidence(
        sightings, seconds, max(votes.values(), default=0.0), held, sum(held.values()), person_seconds, path
    )


def track(
    x: float,
    y: float = 250.0,
    *,
    name: str = "r-1",
    size: tuple[float, float] = (100.0, 100.0),
    votes: dict[str, float] | None = None,
    shown: Evidence | None = None,
    velocity: Point = STILL,
    usual: Usual = UNKNOWN,
    part_of: str = "",
    absorbed: tuple[str, ...] = (),
) -> Track:
    """A confirmed track about (x, y) at one moment: a car, unless said otherwise."""
    votes = votes or {"car": 0.8}
    label = max(votes, key=lambda one: votes[one])
    box = Box(x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2)
    return Track(
        *(name, TrackState.CONFIRMED, box, label, votes[label], 0.0),
        velocity=velocity,
        evidence=shown or evidence(votes),
        usual=usual,
        part_of=part_of,
        absorbed=absorbed,
    )


@dataclass(slots=True)
class Vehicle:
    """A track's way: where its middle is in each frame from ``first`` on, as x or as a point; None: not found in it.

    With the frame after its last place it ends. ``label`` and ``confidence`` may be a function of the frame's number.
    It is confirmed by its third place, and only then has its ``past``, in frames before ``first``: oldest first.
    """

    way: Sequence[float | Point | None]
    name: str = "r-1"
    first: int = 0
    label: str | Callable[[int], str] = "car"
    confidence: float | Callable[[int], float] = 0.8
    size: tuple[float, float] = (100.0, 100.0)
    y: float = 250.0
    confirmed_by: int = 3
    past: Sequence[float] = ()
    past_whole: bool = False
    with_person: bool = False
    usual: Usual = UNKNOWN
    part_of: str = ""
    absorbed: tuple[str, ...] = ()
    merged_into: str = ""
    _fading: float = field(default=0.0, init=False)
    _shown: Evidence = field(default_factory=Evidence, init=False)
    _last: tuple[int, Point] | None = field(default=None, init=False)
    _velocity: Point = field(default=STILL, init=False)

    @property
    def last(self) -> int:
        """The number of the frame in which it ends."""
        return self.first + len(self.way)

    def at(self, number: int, rate: float) -> Track | None:
        """The track in a frame; None before it begins and after it has ended."""
        if not self.first <= number <= self.last:
            return None
        place = self.way[number - self.first] if number < self.last else None
        if place is not None:
            self._see(place if isinstance(place, Point) else Point(place, self.y), number, rate)
        assert self._last is not None, "a way begins with a place"
        seen_in, middle = self._last
        known = self._shown.sightings >= self.confirmed_by
        state = TrackState.LOST if place is None else TrackState.CONFIRMED if known else TrackState.TENTATIVE
        ended = number == self.last
        half_width, half_height = self.size[0] / 2, self.size[1] / 2
        return Track(
            track_id=self.name,
            state=TrackState.ENDED if ended else state,
            box=Box(middle.x - half_width, middle.y - half_height, middle.x + half_width, middle.y + half_height),
            label=_of(self.label, seen_in),
            confidence=_of(self.confidence, seen_in),
            at=seen_in / rate,
            velocity=self._velocity,
            followed=place is not None,
            evidence=self._shown,
            usual=self.usual,
            past=self._past(rate) if known else None,
            past_whole=self.past_whole,
            part_of=self.part_of,
            absorbed=self.absorbed,
            merged_into=self.merged_into if ended else "",
        )

    def _see(self, place: Point, number: int, rate: float) -> None:
        if self._last is not None:
            frames, before = number - self._last[0], self._last[1]
            self._velocity = Point((place.x - before.x) * rate / frames, (place.y - before.y) * rate / frames)
        elif len(self.way) > 1 and self.way[1] is not None:
            coming = self.way[1] if isinstance(self.way[1], Point) else Point(self.way[1], self.y)
            self._velocity = Point((coming.x - place.x) * rate, (coming.y - place.y) * rate)
        self._last = number, place
        seconds, confidence, label = min(1 / rate, 0.2), _of(self.confidence, number), _of(self.label, number)
        was = self._shown
        self._fading = self._fading * math.exp(-1 / rate / 1.5) + confidence * seconds
        step = math.hypot(self._velocity.x, self._velocity.y) / rate
        self._shown = Evidence(
            was.sightings + 1,
            was.seconds + seconds,
            max(was.best, confidence),
            {**was.votes, label: was.votes.get(label, 0.0) + confidence * seconds},
            max(was.peak, self._fading),
            was.person_seconds + seconds * self.with_person,
            was.path + step,
        )

    def _past(self, rate: float) -> tuple[tuple[float, Point], ...]:
        began = self.first - len(self.past)
        return tuple(((began + n) / rate, Point(x, self.y)) for n, x in enumerate(self.past))


def _of(value: Any, number: int) -> Any:
    return value(number) if callable(value) else value


class Counted(NamedTuple):
    """What a gate made of a scene; ``told`` has the moment of the frame with each crossing, inf: at the end."""

    crossings: list[Crossing]
    verdicts: list[Verdict]
    told: list[float]

    @property
    def directions(self) -> list[Direction]:
        """Which ways, in the order in which they were told."""
        return [crossing.direction for crossing in self.crossings]

    @property
    def reasons(self) -> dict[str, list[Reason]]:
        """The reasons of all verdicts by track."""
        found: dict[str, list[Reason]] = {}
        for verdict in self.verdicts:
            found.setdefault(verdict.track_id, []).append(verdict.reason)
        return found


def count(
    *vehicles: Vehicle,
    rate: float = 10.0,
    config: GateConfig = GATE,
    counting: CountingConfig = COUNTING,
    mechanisms: MechanismsConfig = MECHANISMS,
    size: tuple[int, int] = SIZE,
    backwards: bool = False,
    frames: int | None = None,
) -> Counted:
    """A gate over a scene at ``rate`` frames a second, to its end, or for so many ``frames``.

    With ``backwards`` the tracks of a frame come in the other order.
    """
    vehicles = tuple(replace(one) for one in vehicles)  # as at the beginning, whatever scene they were in before
    gate = Gate(config, counting, mechanisms)
    crossings: list[Crossing] = []
    told: list[float] = []
    whole = max(one.last for one in vehicles) + math.ceil(LONGER * rate)
    for number in range(frames or whole):
        tracks = [found for one in vehicles if (found := one.at(number, rate)) is not None]
        found = gate.update(tracks[::-1] if backwards else tracks, size, number / rate)
        crossings += found
        told += [number / rate] * len(found)
    rest = gate.finish()
    return Counted(crossings + rest, gate.verdicts(), told + [math.inf] * len(rest))


def straight(start: float, end: float, frames: int) -> list[float]:
    """A steady way, ``start`` and ``end`` among its places."""
    return [start + (end - start) * n / (frames - 1) for n in range(frames)]


def standing(x: float, frames: int, jitter: Iterable[float] = (0.0,)) -> list[float]:
    """A vehicle that does not move; its box trembles by ``jitter``, over and over."""
    trembles = list(jitter)
    return [x + trembles[n % len(trembles)] for n in range(frames)]

"""The simulated camera: a garage ramp seen from the side, whose truth is known.

Vehicles enter to the right in the nearer lane (and, side by side, in a second one behind it) and leave to the left in
the farthest one. The same parameters give the same traffic and the same pixels, at any frame size and rate.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

from edge.core.events import Direction
from edge.core.shapes import Box
from edge.simulator.drawing.barrier_arm import ARMS
from edge.simulator.drawing.garage import View
from edge.simulator.drawing.painter import DrawnArm, DrawnPerson, Painter, outline, person_outline
from edge.simulator.drawing.vehicles import Drawn
from edge.simulator.traffic.arrivals import Habits
from edge.simulator.traffic.lane import STEP
from edge.simulator.traffic.parameters import SceneParameters, parse
from edge.simulator.traffic.traffic import Traffic
from edge.simulator.traffic.walkers import Walkers

if TYPE_CHECKING:
    from edge.core.frames import Image
    from edge.simulator.traffic.lane import Pass

__all__ = ["Scene", "SceneParameters", "TrueBox", "TrueCrossing", "TruePerson", "parse"]


@dataclass(frozen=True, slots=True)
class TrueCrossing:
    """The middle of a vehicle passed the gate's line at simulated second ``at``.

    ``vehicle`` counts from 1 in the order in which vehicles want to come in, bicycles included; ``kind`` is
    ``sedan``, ``hatchback``, ``van``, ``motorbike``, ``minibus``, ``trailer`` (with the car that pulls it) or
    ``bicycle``. ``direction`` is the way that was driven: one that backs out over the line leaves the lane's.
    """

    vehicle: int
    kind: str
    direction: Direction
    at: float


class TrueBox(NamedTuple):
    """Where a vehicle is in a frame: pixels, cut at the frame's edges, shadow and glow not counted.

    ``direction`` is its lane's: one that makes a U-turn keeps it while it backs out.
    """

    vehicle: int
    kind: str
    direction: Direction
    box: Box


class TruePerson(NamedTuple):
    """Where somebody on foot is in a frame, as in ``TrueBox``; ``kind`` is ``person``, ``trolley`` or ``pram``.

    The box holds what is pushed, too.
    """

    person: int
    kind: str
    box: Box


class Scene:
    """A pure function of parameters and time: no clock, no I/O.

    Meant to be asked for later and later seconds. An earlier one is answered as well, but by driving the traffic
    from second 0 again (about a second for two hours of traffic). Memory stays bounded in an endless run: only
    vehicles and people on their way are kept, and 17 bytes for each crossing made. Not safe to share between threads.
    """

    LINE = ((0.5, 0.25), (0.5, 0.98))  # the gate's line, fractions of the frame
    INSIDE = (0.9, 0.6)  # crossing towards the right is an entry

    def __init__(self, parameters: SceneParameters) -> None:
        self.parameters = parameters
        self._view = View(parameters.width, parameters.height)
        self._painter = Painter(
            self._view,
            parameters.light,
            parameters.noise,
            parameters.seed,
            flicker=parameters.flicker,
            beams=parameters.beams,
            three_lanes=parameters.side_by_side > 0,
        )
        self._habits = Habits(**{field.name: getattr(parameters, field.name) for field in fields(Habits)})
        self._walkers = Walkers(
            parameters.seed,
            parameters.pedestrians,
            parameters.trolleys,
            parameters.prams,
            between=parameters.side_by_side == 0,
        )
        self._stopped_at: float | None = None
        self._traffic: Traffic | None = None  # at the second that was looked at last
        self._ahead: Traffic | None = None  # at the last second whose crossings were asked for

    def render(self, at: float) -> Image:
        """The frame at second ``at``: height x width x 3, BGR. A new array each time."""
        things: list[tuple[float, Drawn | DrawnPerson | DrawnArm]] = [
            (drawn.lane.floor, drawn) for _, drawn in self._seen(at)
        ]
        traffic = self._drive_to(at)
        things += [(ARMS[lane].floor, DrawnArm(lane, lift)) for lane, lift in traffic.arms(at - traffic.step * STEP)]
        things += [(person.floor, person) for _, person in self._on_foot(at)]
        things.sort(key=lambda thing: thing[0])
        return self._painter.paint([thing for _, thing in things], round(at * 1000))

    def boxes(self, at: float) -> list[TrueBox]:
        """The boxes of the vehicles and bicycles in the picture at second ``at``, the farthest lane first."""
        found = []
        for number, drawn in self._seen(at):
            box = self._cut(outline(self._view, drawn))
            if box.area > 0:
                found.append(TrueBox(number, drawn.kind.name, drawn.lane.direction, box))
        return found

    def people(self, at: float) -> list[TruePerson]:
        """The boxes of those on foot in the picture at second ``at``. They are never in the crossings."""
        found = []
        for number, person in self._on_foot(at):
            box = self._cut(person_outline(self._view, person))
            if box.area > 0:
                found.append(TruePerson(number, person.look.pushes or "person", box))
        return found

    def crossings(self, until: float) -> list[TrueCrossing]:
        """Every vehicle's crossing from the parameters' ``offset`` up to second ``until``, in order of time.

        Looking ahead does not disturb ``render`` and ``boxes``.
        """
        return [true for one, true in self._passed(until) if one.kind.takes_slot]

    def bicycles(self, until: float) -> list[TrueCrossing]:
        """The crossings of bicycles, as in ``crossings``: they take no slot, and are to be counted only if wanted."""
        return [true for one, true in self._passed(until) if not one.kind.takes_slot]

    def _passed(self, until: float) -> list[tuple[Pass, TrueCrossing]]:
        step = math.floor(until / STEP) + 1
        if self._ahead is None:
            self._ahead = copy.deepcopy(self._traffic) or Traffic(self._habits, self._stopped_at)
        self._ahead.advance(step)
        return [
            (one, TrueCrossing(one.number, one.kind.name, one.direction, one.at))
            for one in self._ahead.passes.between(self.parameters.offset, until)
        ]

    def stop_traffic(self, at: float) -> float:
        """Let nobody into the picture who is not in it at second ``at``.

        Returns the second from which the picture is empty (``at`` if it is already), unless an earlier call
        stopped the traffic earlier. Crossings after ``at`` are then those of the vehicles in the picture. People go
        on walking, and barriers' arms may be on their way down.
        """
        if self._stopped_at is None or at < self._stopped_at:
            self._stopped_at = at
            self._drive_to(at).stop(at)
        rest = copy.deepcopy(self._drive_to(at))
        self._ahead = copy.deepcopy(rest)
        while not rest.empty:
            rest.advance(rest.step + 1)
        return max(at, rest.step * STEP)

    def _drive_to(self, at: float) -> Traffic:
        step = math.floor(at / STEP)
        if self._traffic is None or self._traffic.step > step:
            self._traffic = Traffic(self._habits, self._stopped_at)
        self._traffic.advance(step)
        return self._traffic

    def _seen(self, at: float) -> list[tuple[int, Drawn]]:
        traffic = self._drive_to(at)
        since = at - traffic.step * STEP
        seen = []
        for vehicle in traffic.vehicles():
            place = vehicle.place_after(since)
            x = place if vehicle.lane.direction is Direction.ENTRY else 1.0 - place
            seen.append((vehicle.number, Drawn(vehicle.kind, vehicle.colour, vehicle.lane, x)))
        return seen

    def _on_foot(self, at: float) -> list[tuple[int, DrawnPerson]]:
        return [
            (one.number, DrawnPerson(one.look, one.floor, one.rightwards, one.x_at(at), one.way_at(at)))
            for one in self._walkers.at(at)
        ]

    def _cut(self, whole: Box) -> Box:
        width, height = float(self._view.width), float(self._view.height)
        return Box(max(whole.x1, 0.0), max(whole.y1, 0.0), min(whole.x2, width), min(whole.y2, height))

"""Draws the frames of a simulated garage ramp seen from the side, and gives the truth about them.

Vehicles enter to the right in the nearest lane (and, side by side, in a second lane behind it) and leave to the left in
the farthest lane. The same parameters give the same traffic and the same pixels, at any frame size and rate.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, NamedTuple

from edge.core.events import Direction
from edge.core.shapes import Box
from edge.simulator.drawing.barrier_arm import ARMS
from edge.simulator.drawing.garage import View
from edge.simulator.drawing.painter import DrawnArm, DrawnPerson, Painter, outline, person_outline
from edge.simulator.drawing.vehicles import DrawnVehicle
from edge.simulator.traffic.crossings import TrueCrossing
from edge.simulator.traffic.kinds import ALL_KINDS
from edge.simulator.traffic.lane import STEP_SECONDS
from edge.simulator.traffic.parameters import SceneParameters, parse_scene
from edge.simulator.traffic.traffic import Traffic
from edge.simulator.traffic.walkers import Walkers

if TYPE_CHECKING:
    from edge.core.frames import Image

__all__ = ["Scene", "SceneParameters", "TrueBox", "TrueCrossing", "TruePerson", "parse_scene"]

_KINDS_WITHOUT_SLOT = frozenset(kind.name for kind in ALL_KINDS if not kind.takes_slot)


class TrueBox(NamedTuple):
    """Where a vehicle is in a frame: pixels, cut at the frame's edges, shadow and glow not counted.

    ``direction`` is its lane's; a vehicle that makes a U-turn keeps it while it backs out.
    """

    vehicle: int
    kind: str
    direction: Direction
    box: Box


class TruePerson(NamedTuple):
    """Where a person on foot is in a frame, as in ``TrueBox``; ``kind`` is ``person``, ``trolley`` or ``pram``.

    The box contains what the person pushes, too.
    """

    person: int
    kind: str
    box: Box


class Scene:
    """A pure function of parameters and time: no clock, no I/O.

    Meant to be asked for later and later seconds. For an earlier second the traffic is driven from second 0 again
    (about a second for two hours of traffic). Memory stays bounded in an endless run: only vehicles and people on
    their way are kept, and 17 bytes for each crossing. Not safe to share between threads.
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
        self._walkers = Walkers(parameters)
        self._stopped_at: float | None = None
        self._traffic: Traffic | None = None  # at the second that was asked for last
        self._traffic_ahead: Traffic | None = None  # at the last second whose crossings were asked for

    def render(self, at: float) -> Image:
        """The frame at second ``at``: height x width x 3, BGR. A new array each time."""
        traffic = self._drive_to(at)
        arms = traffic.arms(at - traffic.step * STEP_SECONDS)
        by_row: list[tuple[float, DrawnVehicle | DrawnPerson | DrawnArm]] = [
            *((vehicle.lane.row, vehicle) for _, vehicle in self.drawn_vehicles(at)),
            *((ARMS[lane].row, DrawnArm(lane, lift)) for lane, lift in arms),
            *((person.row, person) for _, person in self._drawn_people(at)),
        ]
        by_row.sort(key=lambda row_and_item: row_and_item[0])
        return self._painter.paint([item for _, item in by_row], round(at * 1000))

    def boxes(self, at: float) -> list[TrueBox]:
        """The boxes of the vehicles and bicycles in the picture at second ``at``, the farthest lane first."""
        found = []
        for number, vehicle in self.drawn_vehicles(at):
            box = self._cut(outline(self._view, vehicle))
            if box.area > 0:
                found.append(TrueBox(number, vehicle.kind.name, vehicle.lane.direction, box))
        return found

    def people(self, at: float) -> list[TruePerson]:
        """The boxes of the people on foot in the picture at second ``at``. They are never in the crossings."""
        found = []
        for number, person in self._drawn_people(at):
            box = self._cut(person_outline(self._view, person))
            if box.area > 0:
                found.append(TruePerson(number, person.look.pushes or "person", box))
        return found

    def crossings(self, until: float) -> list[TrueCrossing]:
        """Every vehicle's crossing from the parameters' ``offset`` up to second ``until``, in order of time.

        Looking ahead does not disturb ``render`` and ``boxes``.
        """
        return [crossing for crossing in self._all_crossings(until) if crossing.kind not in _KINDS_WITHOUT_SLOT]

    def bicycles(self, until: float) -> list[TrueCrossing]:
        """The crossings of bicycles, as in ``crossings``: they take no slot, so ``crossings`` leaves them out."""
        return [crossing for crossing in self._all_crossings(until) if crossing.kind in _KINDS_WITHOUT_SLOT]

    def stop_traffic(self, at: float) -> float:
        """Let no vehicle into the picture that is not in it at second ``at``.

        Returns the second from which the picture is empty (``at`` if it is already), unless an earlier call
        stopped the traffic earlier. Crossings after ``at`` are then those of the vehicles in the picture. People go
        on walking, and barriers' arms may be on their way down.
        """
        if self._stopped_at is None or at < self._stopped_at:
            self._stopped_at = at
            self._drive_to(at).stop(at)
        rest = copy.deepcopy(self._drive_to(at))
        self._traffic_ahead = copy.deepcopy(rest)
        while not rest.empty:
            rest.advance(rest.step + 1)
        return max(at, rest.step * STEP_SECONDS)

    def drawn_vehicles(self, at: float) -> list[tuple[int, DrawnVehicle]]:
        """The number of each vehicle on the lanes at second ``at``, and how it is drawn; some are not yet in sight."""
        traffic = self._drive_to(at)
        since = at - traffic.step * STEP_SECONDS
        drawn = []
        for vehicle in traffic.vehicles():
            place = vehicle.place_after(since)
            x = place if vehicle.lane.direction is Direction.ENTRY else 1.0 - place
            drawn.append((vehicle.number, DrawnVehicle(vehicle.kind, vehicle.colour, vehicle.lane, x)))
        return drawn

    def _drawn_people(self, at: float) -> list[tuple[int, DrawnPerson]]:
        return [
            (
                walker.number,
                DrawnPerson(walker.look, walker.row, walker.rightwards, walker.x_at(at), walker.metres_at(at)),
            )
            for walker in self._walkers.at(at)
        ]

    def _all_crossings(self, until: float) -> list[TrueCrossing]:
        step = math.floor(until / STEP_SECONDS) + 1
        if self._traffic_ahead is None:
            self._traffic_ahead = copy.deepcopy(self._traffic) or Traffic(self.parameters, self._stopped_at)
        self._traffic_ahead.advance(step)
        return self._traffic_ahead.crossings.between(self.parameters.offset, until)

    def _drive_to(self, at: float) -> Traffic:
        step = math.floor(at / STEP_SECONDS)
        if self._traffic is None or self._traffic.step > step:
            self._traffic = Traffic(self.parameters, self._stopped_at)
        self._traffic.advance(step)
        return self._traffic

    def _cut(self, whole: Box) -> Box:
        width, height = float(self._view.width), float(self._view.height)
        return Box(max(whole.x1, 0.0), max(whole.y1, 0.0), min(whole.x2, width), min(whole.y2, height))

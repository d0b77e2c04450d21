"""Chooses the vehicles that want to drive through the simulated ramp: what they are, and when and how they come.

Lengths are frame widths, unless a name or a comment says otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.simulator.traffic.kinds import (
    BICYCLE_KIND,
    CAR_METRES,
    FAR_LANE,
    LINE_PLACE,
    LONG_KINDS,
    MIDDLE_LANE,
    MOTORBIKE_KIND,
    NEAR_LANE,
    USUAL_KINDS,
    WIDTHS_PER_METRE,
    Lane,
    VehicleKind,
)

if TYPE_CHECKING:
    from edge.simulator.traffic.parameters import SceneParameters

_NORMAL_GAP, _TAILGATE_GAP = 1.2, 0.5  # least distance between bumpers, in car lengths
_BACKING_SPEED = 0.22  # the greatest at which a vehicle backs a long way
_LONGEST_PLATOON = 4  # vehicles that follow each other closely in a row


@dataclass(slots=True, eq=False)
class Vehicle:
    """A vehicle and its motion. ``place`` is how far its middle has come along its lane: 0 at the picture's edge,
    ``LINE_PLACE`` on the line. ``place``, ``speed`` and ``acceleration`` hold at the current step.
    """

    number: int
    kind: VehicleKind
    colour: str
    lane: Lane
    length: float  # bumper to bumper
    arrival: float  # the second from which it wants to come in
    desired_speed: float  # on a free lane
    gap: float  # least distance to the bumper of the vehicle ahead
    stop_place: float | None  # where it means to stop
    stop_seconds: float  # how long it stands there
    turns_back: bool  # goes back from there
    ticket_seconds: float  # from its coming near a closed barrier until that opens
    beside: Vehicle | None = None  # the vehicle that it drives abreast of, ``stagger`` ahead
    stagger: float = 0.0
    partner: Vehicle | None = None  # the vehicle that comes in beside it; None again once both are in
    place: float = 0.0
    speed: float = 0.0
    acceleration: float = 0.0
    stood_seconds: float = 0.0
    backing: bool = False
    backing_speed: float = 0.0  # at which it backs out
    seconds_at_barrier: float = 0.0  # since it came near the barrier
    cleared: bool = False  # the barrier was open for it

    def place_after(self, seconds: float) -> float:
        """The middle's place so many seconds after the current step (less than a step)."""
        return self.place + (self.speed + 0.5 * self.acceleration * seconds) * seconds


class Arrivals:
    """The endless list of vehicles that want to come in, chosen at random from the seed.

    Each vehicle takes the same number of random numbers, so that a change of one parameter leaves the rest of the list
    as it was. A vehicle that comes beside another follows it in the list, with ``beside`` set.
    """

    def __init__(self, parameters: SceneParameters) -> None:
        self._parameters = parameters
        self._rng = np.random.default_rng(parameters.seed)
        self._added_rng = np.random.default_rng([parameters.seed, 2])  # for parameters that were added later
        self._number = 0
        self._clock = 0.0
        self._ahead: Vehicle | None = None  # the next vehicle follows it closely
        self._platoon = 0  # vehicles so far that follow each other closely
        self._beside: Vehicle | None = None  # the next vehicle comes beside it

    def next_vehicle(self) -> Vehicle | None:
        """The next vehicle, not yet placed; None when there is no traffic at all."""
        parameters = self._parameters
        if parameters.vehicles_per_minute <= 0:
            return None
        draws = [float(value) for value in self._rng.random(11)]
        added_draws = [float(value) for value in self._added_rng.random(6)]
        mean = 60.0 / parameters.vehicles_per_minute
        self._clock += mean * (0.25 - 0.75 * math.log1p(-draws[0])) * (0.4 if self._number == 0 else 1.0)
        self._number += 1
        ahead, beside = self._ahead, self._beside
        lane = NEAR_LANE if draws[2] < parameters.entry_share else FAR_LANE
        arrival = self._clock
        desired_speed = parameters.min_speed + (parameters.max_speed - parameters.min_speed) * draws[5]
        if ahead is not None:
            lane, arrival = ahead.lane, ahead.arrival
            desired_speed = max(desired_speed, min(ahead.desired_speed * 1.1, parameters.max_speed))
        elif beside is not None:
            lane, arrival = MIDDLE_LANE, beside.arrival
            desired_speed = min(beside.desired_speed * 1.15, parameters.max_speed)  # so that it can keep abreast
        kind = self._choose_kind(draws[3], added_draws)
        gap = _NORMAL_GAP if ahead is None else _TAILGATE_GAP
        vehicle = Vehicle(
            number=self._number,
            kind=kind,
            colour=kind.colours[int(draws[4] * len(kind.colours))],
            lane=lane,
            length=kind.length * WIDTHS_PER_METRE * lane.scale,
            arrival=arrival,
            desired_speed=desired_speed,
            gap=gap * CAR_METRES * WIDTHS_PER_METRE * lane.scale,
            stop_place=None,
            stop_seconds=0.0,
            turns_back=False,
            ticket_seconds=0.2 + added_draws[4],
        )
        if beside is None:
            self._plan_stop(vehicle, draws)
        else:
            # Far enough ahead or behind that the nearer vehicle never hides nearly all of it.
            vehicle.beside = beside
            ahead_or_behind = 1 if added_draws[3] < 0.5 else -1
            vehicle.stagger = beside.length * (0.25 + 0.25 * (2 * added_draws[3] % 1)) * ahead_or_behind
        self._plan_next(vehicle, draws, added_draws)
        return vehicle

    def _choose_kind(self, draw: float, added_draws: list[float]) -> VehicleKind:
        parameters = self._parameters
        if added_draws[0] < parameters.bicycle_share:
            return BICYCLE_KIND
        # A long vehicle beside another would hide it, or be hidden.
        if added_draws[0] < parameters.bicycle_share + parameters.long_share and self._beside is None:
            return LONG_KINDS[int(added_draws[1] * len(LONG_KINDS))]
        cars = (1 - parameters.motorbike_share) / (1 - MOTORBIKE_KIND.share)
        for kind in USUAL_KINDS:
            share = parameters.motorbike_share if kind is MOTORBIKE_KIND else kind.share * cars
            if draw < share:
                return kind
            draw -= share
        return USUAL_KINDS[0]

    def _plan_stop(self, vehicle: Vehicle, draws: list[float]) -> None:
        """Choose whether it turns short of the line, turns beyond it, stops on it, or drives through."""
        parameters = self._parameters
        vehicle.backing_speed = vehicle.desired_speed
        fits = vehicle.kind not in LONG_KINDS  # a long vehicle would stand half out of the picture
        can_back = fits and vehicle.kind not in (MOTORBIKE_KIND, BICYCLE_KIND)
        if fits and draws[6] < parameters.u_turns:
            vehicle.turns_back = True
            vehicle.stop_place = LINE_PLACE - (0.28 + 0.25 * draws[8]) * vehicle.length
            vehicle.stop_seconds = 0.5 + draws[9]
        elif can_back and draws[6] < parameters.u_turns + parameters.returns:
            vehicle.turns_back = True
            vehicle.backing_speed = min(vehicle.desired_speed, _BACKING_SPEED)
            vehicle.stop_place = LINE_PLACE + (0.84 + 0.08 * draws[8]) * vehicle.length
            vehicle.stop_seconds = 1.0 + 2.0 * draws[9]
        elif draws[7] < parameters.stop_on_line:
            vehicle.stop_place = LINE_PLACE + 0.16 * (draws[8] - 0.5) * vehicle.length
            vehicle.stop_seconds = 1.0 + 3.0 * draws[9]

    def _plan_next(self, vehicle: Vehicle, draws: list[float], added_draws: list[float]) -> None:
        """Choose whether the next vehicle comes beside this vehicle, or closely behind it."""
        parameters = self._parameters
        # A vehicle that backs out cannot have another at its bumper, nor beside it.
        free = not vehicle.turns_back and vehicle.beside is None
        pair = (
            free
            and vehicle.lane == NEAR_LANE
            and vehicle.kind not in LONG_KINDS
            and added_draws[2] < parameters.side_by_side
        )
        self._beside = vehicle if pair else None
        close = free and not pair and draws[1] < parameters.tailgating and self._platoon < _LONGEST_PLATOON - 1
        self._ahead, self._platoon = (vehicle, self._platoon + 1) if close else (None, 0)

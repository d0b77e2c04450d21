"""Drives the simulated ramp's traffic from second to second: which vehicle is where. It knows no pixels or frames."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

from edge.simulator.traffic.arrivals import Arrivals
from edge.simulator.traffic.barrier import Barrier, IdleOpenings
from edge.simulator.traffic.crossings import CrossingLog
from edge.simulator.traffic.kinds import FAR_LANE, LANES, MIDDLE_LANE, NEAR_LANE, Lane
from edge.simulator.traffic.lane import DRIVE_MARGIN, STEP_SECONDS, LaneState

if TYPE_CHECKING:
    from edge.simulator.traffic.arrivals import Vehicle
    from edge.simulator.traffic.parameters import SceneParameters

_LONGEST_QUEUE = 6  # vehicles that wait outside for a lane; further vehicles drive elsewhere
# No vehicle stands, waits at a barrier or backs for longer than this on its way, seconds.
_LONGEST_STOP_SECONDS = 30


class Traffic:
    """The ramp from second 0 on; only goes forward. From ``stopped_at`` on no vehicle comes into the picture."""

    def __init__(self, parameters: SceneParameters, stopped_at: float | None = None) -> None:
        self.step = 0
        self.crossings = CrossingLog()
        self.stopped_at = stopped_at
        self._stopped = False
        self._parameters = parameters
        self._lanes = {lane: LaneState(barrier=_barrier(parameters, lane)) for lane in _lanes(parameters)}
        self._arrivals = Arrivals(parameters)
        self._pending = self._arrivals.next_vehicle()

    @property
    def empty(self) -> bool:
        """Whether no vehicle is on the lanes."""
        return not any(state.vehicles for state in self._lanes.values())

    def vehicles(self) -> list[Vehicle]:
        """The vehicles on all lanes, the farthest lane first. Not to be changed."""
        return [vehicle for lane in LANES if lane in self._lanes for vehicle in self._lanes[lane].vehicles]

    def arms(self, seconds: float) -> list[tuple[Lane, float]]:
        """Each lane with a barrier, and how far its arm is up (0 to 1), ``seconds`` after the current step."""
        return [
            (lane, state.barrier.lift_after(seconds))
            for lane, state in self._lanes.items()
            if state.barrier is not None
        ]

    def advance(self, step: int) -> None:
        """Go on to that step, if it is not past."""
        while self.step < step:
            self._skip_idle_steps(step)
            now = self.step * STEP_SECONDS
            crossings = [crossing for state in self._lanes.values() for crossing in state.move(now)]
            for crossing in sorted(crossings, key=lambda each: (each.at, each.vehicle)):
                self.crossings.add(crossing)
            self.step += 1
            self._begin_step()

    def stop(self, at: float) -> None:
        """Let no vehicle come any more that is not in the picture at second ``at``, in the current step."""
        self.stopped_at = at
        if self._stopped:
            return
        self._stopped = True
        since = at - self.step * STEP_SECONDS
        for state in self._lanes.values():
            state.vehicles = [
                vehicle for vehicle in state.vehicles if vehicle.place_after(since) + vehicle.length / 2 > 0
            ]
            state.queue.clear()
            state.closed = True
        self._pending = None

    def _skip_idle_steps(self, step: int) -> None:
        if not all(state.idle for state in self._lanes.values()):
            return
        next_events = [math.inf if self._pending is None else self._pending.arrival]
        next_events += [
            state.barrier.idle_openings.next_at for state in self._lanes.values() if state.barrier is not None
        ]
        # One step early, so that a whole step is driven before anything happens.
        self.step = max(self.step, int(min(step, min(next_events) / STEP_SECONDS)) - 1)

    def _begin_step(self) -> None:
        now = self.step * STEP_SECONDS
        while self._pending is not None and self._pending.arrival <= now:
            self._enqueue(self._pending)
            self._pending = self._arrivals.next_vehicle()
        for state in self._lanes.values():
            new = state.first_due(now)
            if new is not None:
                self._let_in(new, now)
            if state.closed:
                state.queue.clear()
        _steer(self._lanes, now)
        if self.stopped_at is not None and now + STEP_SECONDS > self.stopped_at:
            self.stop(self.stopped_at)

    def _enqueue(self, new: Vehicle) -> None:
        if new.beside is not None:
            # It waits with the vehicle beside it, and drives elsewhere when that vehicle does.
            new.beside.partner = new
            return
        state = self._lanes[new.lane]
        if len(state.queue) < _LONGEST_QUEUE:
            state.queue.append(new)

    def _let_in(self, new: Vehicle, now: float) -> None:
        """Put the first vehicle of a queue on its lane, and its partner too, if there is room and time."""
        coming = [new] if new.partner is None else [new, new.partner]
        # Of two partners the rear vehicle begins farther back.
        leads = [0.0] if new.partner is None else _leads(new, new.partner)
        if not all(
            self._lanes[vehicle.lane].place_at_entrance(vehicle, lead)
            for vehicle, lead in zip(coming, leads, strict=True)
        ):
            return
        self._lanes[new.lane].queue.popleft()
        new.partner = None
        for vehicle in coming:
            vehicle.speed = min(vehicle.speed, new.speed)
            self._lanes[vehicle.lane].vehicles.append(vehicle)
        if self._too_late(coming, now):
            for vehicle in coming:
                self._lanes[vehicle.lane].vehicles.pop()
                self._lanes[vehicle.lane].closed = True

    def _too_late(self, coming: list[Vehicle], now: float) -> bool:
        """Whether the new vehicles would still be in the picture at the scene's last second.

        A vehicle never reacts to those behind it, so driving the lanes on until the last of them has left is exact.
        """
        parameters = self._parameters
        stops = _LONGEST_STOP_SECONDS * (1 + parameters.barrier)
        longest_drive = 2 * (1 + 3 * DRIVE_MARGIN) / parameters.min_speed
        if not parameters.seconds or now + longest_drive + stops < parameters.seconds:
            return False
        trial = copy.deepcopy(
            {lane: LaneState(state.vehicles, barrier=state.barrier) for lane, state in self._lanes.items()}
        )
        while any(trial[vehicle.lane].vehicles for vehicle in coming) and now + STEP_SECONDS <= parameters.seconds:
            _steer(trial, now)
            for state in trial.values():
                state.move(now)
            now += STEP_SECONDS
        return any(trial[vehicle.lane].vehicles for vehicle in coming)


def _lanes(parameters: SceneParameters) -> tuple[Lane, ...]:
    return (NEAR_LANE, FAR_LANE, MIDDLE_LANE) if parameters.side_by_side > 0 else (NEAR_LANE, FAR_LANE)


def _barrier(parameters: SceneParameters, lane: Lane) -> Barrier | None:
    if not parameters.barrier:
        return None
    return Barrier(IdleOpenings(parameters.seed, LANES.index(lane), parameters.idle_swings))


def _leads(near: Vehicle, partner: Vehicle) -> list[float]:
    back = (partner.length - near.length) / 2 + partner.stagger
    return [max(back, 0.0), max(-back, 0.0)]


def _steer(lanes: dict[Lane, LaneState], now: float) -> None:
    """Choose how everything moves in the step from second ``now``."""
    for state in lanes.values():
        for vehicle in state.vehicles:
            if vehicle.beside is not None and vehicle.beside not in lanes[NEAR_LANE].vehicles:
                vehicle.beside = None  # it has left, and this vehicle drives on alone
        state.steer(now)

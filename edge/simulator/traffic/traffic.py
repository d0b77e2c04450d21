"""The simulated ramp's traffic: who drives where at which second. Knows nothing of pixels or frames."""

from __future__ import annotations

import copy
import math
from array import array
from bisect import bisect_left, bisect_right

from edge.core.events import Direction
from edge.simulator.traffic.arrivals import Arrivals, Habits, Vehicle
from edge.simulator.traffic.barrier import Barrier, Presses
from edge.simulator.traffic.kinds import ALL_KINDS, FAR, LANES, MIDDLE, NEAR, Lane
from edge.simulator.traffic.lane import LEAD, STEP, LaneState, Pass

QUEUE = 6  # vehicles that wait outside for a lane; one more that comes goes elsewhere


class Passes:
    """All passes so far, 17 bytes each: a day of dense traffic is a few hundred kilobytes."""

    def __init__(self) -> None:
        self._at, self._number = array("d"), array("L")
        self._what = array("B")

    def add(self, one: Pass) -> None:
        """Keep a pass; they come in order of time."""
        self._at.append(one.at)
        self._number.append(one.number)
        self._what.append(ALL_KINDS.index(one.kind) * 2 + (one.direction is Direction.EXIT))

    def between(self, first: float, last: float) -> list[Pass]:
        """Those with ``first <= at <= last``."""
        found = []
        for index in range(bisect_left(self._at, first), bisect_right(self._at, last)):
            kind, away = divmod(self._what[index], 2)
            direction = Direction.EXIT if away else Direction.ENTRY
            found.append(Pass(self._at[index], self._number[index], ALL_KINDS[kind], direction))
        return found


class Traffic:
    """The ramp from second 0 on; only goes forward. ``stopped_at``: nobody comes into the picture from then on."""

    def __init__(self, habits: Habits, stopped_at: float | None = None) -> None:
        self.step = 0
        self.passes = Passes()
        self.stopped_at = stopped_at
        self._stopped = False
        self._habits = habits
        self._lanes = {lane: LaneState(barrier=_barrier(habits, lane)) for lane in _lanes(habits)}
        self._arrivals = Arrivals(habits)
        self._pending = self._arrivals.next()

    @property
    def empty(self) -> bool:
        """Whether nothing is on the lanes."""
        return not any(state.vehicles for state in self._lanes.values())

    def vehicles(self) -> list[Vehicle]:
        """Everything on the lanes, the farthest lane first. Not to be changed."""
        return [vehicle for lane in LANES if lane in self._lanes for vehicle in self._lanes[lane].vehicles]

    def arms(self, since: float) -> list[tuple[Lane, float]]:
        """Each lane that has a barrier, and how far its arm is up (0..1) ``since`` seconds after the current step."""
        return [
            (lane, state.barrier.lift_after(since)) for lane, state in self._lanes.items() if state.barrier is not None
        ]

    def advance(self, step: int) -> None:
        """Go on to that step, if it is not past."""
        while self.step < step:
            self._skip_idle(step)
            now = self.step * STEP
            passed = [one for state in self._lanes.values() for one in state.move(now)]
            for one in sorted(passed):
                self.passes.add(one)
            self.step += 1
            self._prepare()

    def stop(self, at: float) -> None:
        """Nobody who is not in the picture at second ``at`` (in the current step) comes any more."""
        self.stopped_at = at
        if self._stopped:
            return
        self._stopped = True
        since = at - self.step * STEP
        for state in self._lanes.values():
            state.vehicles = [one for one in state.vehicles if one.place_after(since) + one.length / 2 > 0]
            state.queue.clear()
            state.closed = True
        self._pending = None

    def _skip_idle(self, step: int) -> None:
        if not all(state.idle for state in self._lanes.values()):
            return
        waits = [math.inf if self._pending is None else self._pending.arrival]
        waits += [state.barrier.presses.at for state in self._lanes.values() if state.barrier is not None]
        # One step early: what happens must be seen by a whole step.
        self.step = max(self.step, int(min(step, min(waits) / STEP)) - 1)

    def _prepare(self) -> None:
        now = self.step * STEP
        while self._pending is not None and self._pending.arrival <= now:
            self._enqueue(self._pending)
            self._pending = self._arrivals.next()
        for state in self._lanes.values():
            new = state.expected(now)
            if new is not None:
                self._let_in(new, now)
            if state.closed:
                state.queue.clear()
        _steer(self._lanes, now)
        if self.stopped_at is not None and now + STEP > self.stopped_at:
            self.stop(self.stopped_at)

    def _enqueue(self, new: Vehicle) -> None:
        if new.beside is not None:
            # It waits with the one beside it, and goes elsewhere when that one does.
            new.beside.partner = new
            return
        state = self._lanes[new.lane]
        if len(state.queue) < QUEUE:
            state.queue.append(new)

    def _let_in(self, new: Vehicle, now: float) -> None:
        """Put the first of a queue on its lane, and who comes beside it too, if there is room and time."""
        coming = [new] if new.partner is None else [new, new.partner]
        # Whoever of the two is behind begins farther back.
        leads = [0.0] if new.partner is None else _leads(new, new.partner)
        if not all(self._lanes[one.lane].fit(one, lead) for one, lead in zip(coming, leads, strict=True)):
            return
        self._lanes[new.lane].queue.popleft()
        new.partner = None
        for one in coming:
            one.speed = min(one.speed, new.speed)
            self._lanes[one.lane].vehicles.append(one)
        if self._too_late(coming, now):
            for one in coming:
                self._lanes[one.lane].vehicles.pop()
                self._lanes[one.lane].closed = True

    def _too_late(self, coming: list[Vehicle], now: float) -> bool:
        # Those ahead never look behind, so the lanes' own future up to the last one's leaving is exact.
        habits = self._habits
        waits = 30 * (1 + habits.barrier)
        if not habits.seconds or now + 2 * (1 + 3 * LEAD) / habits.min_speed + waits < habits.seconds:
            return False
        trial = copy.deepcopy(
            {lane: LaneState(state.vehicles, barrier=state.barrier) for lane, state in self._lanes.items()}
        )
        while any(trial[one.lane].vehicles for one in coming) and now + STEP <= habits.seconds:
            _steer(trial, now)
            for state in trial.values():
                state.move(now)
            now += STEP
        return any(trial[one.lane].vehicles for one in coming)


def _lanes(habits: Habits) -> tuple[Lane, ...]:
    return (NEAR, FAR, MIDDLE) if habits.side_by_side > 0 else (NEAR, FAR)


def _barrier(habits: Habits, lane: Lane) -> Barrier | None:
    return Barrier(Presses(habits.seed, LANES.index(lane), habits.idle_swings)) if habits.barrier else None


def _leads(near: Vehicle, partner: Vehicle) -> list[float]:
    back = (partner.length - near.length) / 2 + partner.stagger
    return [max(back, 0.0), max(-back, 0.0)]


def _steer(lanes: dict[Lane, LaneState], now: float) -> None:
    """Choose how everything moves in the step from second ``now``."""
    for state in lanes.values():
        for vehicle in state.vehicles:
            if vehicle.beside is not None and vehicle.beside not in lanes[NEAR].vehicles:
                vehicle.beside = None  # it is gone, and this one drives on alone
        state.steer(now)

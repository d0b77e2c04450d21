"""The simulator's boom barriers: they let vehicles through, never hit one, and at times open without a vehicle."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.simulator.scene import Scene, SceneParameters
from edge.simulator.traffic.barrier import ARM_PLACE
from edge.simulator.traffic.lane import STEP_SECONDS
from edge.simulator.traffic.traffic import Traffic

HOUR = 3600.0


@given(st.integers(0, 2**32), st.sampled_from([0.2, 0.35, 1.0]), st.sampled_from([0.0, 10.0]))
@settings(max_examples=12, deadline=None)
def test_no_arm_comes_down_on_a_vehicle(seed: int, max_speed: float, idle: float) -> None:
    """A vehicle is under a barrier's arm only while that is all the way up, and the arm never jumps."""
    keys: dict[str, Any] = {
        "tailgating": 0.3,
        "stop_on_line": 0.3,
        "side_by_side": 0.4,
        "u_turns": 0.15,
        "returns": 0.15,
    }
    keys |= {"bicycle_share": 0.1, "long_share": 0.2, "vehicles_per_minute": 40.0, "idle_swings": idle}
    ramp = Traffic(SceneParameters(seed=seed, max_speed=max_speed, barrier=1, **keys))
    last: dict[float, float] = {}
    for step in range(60 * 32):
        ramp.advance(step)
        for lane, lift in ramp.arms(0.0):
            assert 0 <= lift <= 1
            assert abs(lift - last.get(lane.row, 0.0)) <= STEP_SECONDS + 1e-9
            last[lane.row] = lift
            for vehicle in ramp.vehicles():
                if vehicle.lane == lane and abs(vehicle.place - ARM_PLACE) < vehicle.length / 2:
                    assert lift == 1.0, step * STEP_SECONDS


def test_vehicles_wait_for_the_barrier() -> None:
    """Every vehicle stops or creeps shortly before the closed arm, and passes it once that is up."""
    ramp = Traffic(SceneParameters(seed=1, barrier=1))
    slowest: dict[int, float] = {}
    for step in range(300 * 32):
        ramp.advance(step)
        for vehicle in ramp.vehicles():
            before = ARM_PLACE - vehicle.place - vehicle.length / 2
            if 0 < before < 0.06:
                slowest[vehicle.number] = min(slowest.get(vehicle.number, 9.0), vehicle.speed)
    assert len(slowest) > 40
    assert sum(speed < 0.06 for speed in slowest.values()) / len(slowest) > 0.8


def test_idle_swings_happen_without_a_vehicle() -> None:
    """In an empty garage each arm goes up and down as often as the parameters say, and nothing crosses."""
    parameters = SceneParameters(vehicles_per_minute=0, barrier=1, idle_swings=4)
    ramp = Traffic(parameters)
    openings: Counter[float] = Counter()
    last: dict[float, float] = {}
    for step in range(int(HOUR / 3 * 32)):
        ramp.advance(step)
        for lane, lift in ramp.arms(0.0):
            openings[lane.row] += last.get(lane.row, 0.0) < 1.0 == lift
            last[lane.row] = lift
    assert len(openings) == 2
    assert all(50 < count < 110 for count in openings.values())
    assert Scene(parameters).crossings(HOUR) == []
    assert all(lift == 0.0 for _, lift in Traffic(SceneParameters(barrier=1)).arms(0.0))

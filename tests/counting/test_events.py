"""From crossings to events: floors on both sides, and times on the frames' clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config.schema import GateConfig
from edge.core.events import Crossing, Direction, Event, VehicleType
from edge.core.frames import FrameTime
from edge.counting.events import events_of
from edge.evaluation.accuracy import match

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MOMENT = FrameTime(NOON, 100.0, (640, 360))
LINE = ((0.0, 0.5), (1.0, 0.5))


def crossing(direction: Direction, at: float = 99.5, label: str = "car") -> Crossing:
    """A crossing half a second before the frame with which it was decided, unless said otherwise."""
    return Crossing("g", "r-1", direction, at, label, 0.87654321)


def test_one_floor_makes_one_event_with_the_time_of_the_crossing() -> None:
    """The event's time is the crossing's, not the frame's."""
    gate = GateConfig(id="g", line=LINE, inside=(0.5, 0.9), floor="Ground")
    (event,) = events_of(crossing(Direction.ENTRY), gate, "cam", MOMENT)
    assert event == Event(
        "cam", "g", "Ground", "r-1", VehicleType.CAR, Direction.ENTRY, 0.8765, NOON - timedelta(seconds=0.5)
    )


@pytest.mark.parametrize("direction", list(Direction))
def test_a_gate_between_floors_makes_an_exit_there_and_an_entry_here(direction: Direction) -> None:
    """One crossing moves a vehicle from one floor to the other: the sum does not change."""
    gate = GateConfig(id="g", line=LINE, inside=(0.5, 0.9), floor="First", outside_floor="Ground")
    inner, outer = events_of(crossing(direction), gate, "cam", MOMENT)
    assert (inner.floor, inner.direction, outer.floor, outer.direction) == (
        *("First", direction),
        *("Ground", direction.opposite),
    )
    assert inner.direction.delta + outer.direction.delta == 0
    assert inner.event_id != outer.event_id


def test_what_is_no_vehicle_class_is_other() -> None:
    """A bus that YOLO called a boat all the way is a vehicle of type other."""
    gate = GateConfig(id="g", line=LINE, inside=(0.5, 0.9), floor="Ground")
    (event,) = events_of(crossing(Direction.EXIT, label="boat"), gate, "cam", MOMENT)
    assert event.vehicle_type is VehicleType.OTHER


def test_the_event_id_is_the_same_in_every_time_zone_and_differs_with_each_part_of_the_key() -> None:
    """Idempotency hangs on the id: one id for one crossing, another for another."""
    first = Event("cam", "g", "F", "r-1", VehicleType.CAR, Direction.ENTRY, 0.5, NOON)
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    same = Event("cam", "g2", "F", "r-1", VehicleType.BUS, Direction.ENTRY, 0.9, elsewhere)
    assert first.event_id == same.event_id
    assert str(first.event_id) == "d305a113-0829-5686-954a-f222afc14280"
    others = [
        Event("cam2", "g", "F", "r-1", VehicleType.CAR, Direction.ENTRY, 0.5, NOON),
        Event("cam", "g", "F", "r-2", VehicleType.CAR, Direction.ENTRY, 0.5, NOON),
        Event("cam", "g", "F", "r-1", VehicleType.CAR, Direction.EXIT, 0.5, NOON),
        Event("cam", "g", "F", "r-1", VehicleType.CAR, Direction.ENTRY, 0.5, NOON + timedelta(microseconds=1)),
    ]
    assert len({event.event_id for event in [first, *others]}) == 5


def test_matching_pairs_within_the_tolerance_and_tells_the_rest() -> None:
    """A miss and an extra are told by their moments; one count never stands for two vehicles."""
    assert match([1.0, 5.0, 9.0], [1.4, 5.1, 5.2], 0.5) == ([9.0], [5.2])
    assert match([], [3.0], 1.0) == ([], [3.0])
    assert match([3.0], [], 1.0) == ([3.0], [])


times = st.lists(st.floats(0, 50), max_size=7)


@given(times, times, st.floats(0, 5))
def test_matching_is_optimal(truth: list[float], counted: list[float], tolerance: float) -> None:
    """No other one-to-one pairing matches more than the greedy one."""

    def best(remaining: tuple[float, ...], candidates: tuple[float, ...]) -> int:
        if not remaining:
            return 0
        head, rest = remaining[0], remaining[1:]
        options = [best(rest, candidates)]
        for index, moment in enumerate(candidates):
            if abs(moment - head) <= tolerance:
                options.append(1 + best(rest, candidates[:index] + candidates[index + 1 :]))
        return max(options)

    missed, extra = match(truth, counted, tolerance)
    assert len(truth) - len(missed) == len(counted) - len(extra) == best(tuple(truth), tuple(counted))

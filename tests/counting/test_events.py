"""Tests how a crossing becomes events: the floors on both sides, and times on the frames' clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from support.scripted_tracks import make_evidence, make_track

from edge.config.schema import GateConfig
from edge.core.events import Crossing, Direction, Event, VehicleType
from edge.core.frames import FrameTime
from edge.core.tracks import Evidence
from edge.counting.crossing_path import LineCrossing
from edge.counting.events import make_crossing, make_events

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FRAME_TIME = FrameTime(NOON, 100.0, (640, 360))
LINE = ((0.0, 0.5), (1.0, 0.5))


def crossing(direction: Direction, at: float = 99.5, label: str = "car") -> Crossing:
    """A crossing half a second before the frame with which it was decided, unless said otherwise."""
    return Crossing("g", "r-1", direction, at, label, 0.87654321)


def test_one_floor_makes_one_event_with_the_time_of_the_crossing() -> None:
    """The event's time is the crossing's, not the frame's."""
    gate = GateConfig(id="g", line=LINE, inside=(0.5, 0.9), floor="Ground")
    (event,) = make_events(crossing(Direction.ENTRY), gate, "cam", FRAME_TIME)
    assert event == Event(
        camera_id="cam",
        gate_id="g",
        floor="Ground",
        track_id="r-1",
        vehicle_type=VehicleType.CAR,
        direction=Direction.ENTRY,
        confidence=0.8765,
        timestamp=NOON - timedelta(seconds=0.5),
    )


@pytest.mark.parametrize("direction", list(Direction))
def test_a_gate_between_floors_makes_an_exit_there_and_an_entry_here(direction: Direction) -> None:
    """A crossing moves a vehicle from one floor to the other: the sum does not change."""
    gate = GateConfig(id="g", line=LINE, inside=(0.5, 0.9), floor="First", outside_floor="Ground")
    inner, outer = make_events(crossing(direction), gate, "cam", FRAME_TIME)
    assert (inner.floor, inner.direction, outer.floor, outer.direction) == (
        *("First", direction),
        *("Ground", direction.opposite),
    )
    assert inner.direction.delta + outer.direction.delta == 0
    assert inner.event_id != outer.event_id


def test_a_label_that_is_no_vehicle_type_becomes_other() -> None:
    """A bus that YOLO always called a boat is a vehicle of type other."""
    gate = GateConfig(id="g", line=LINE, inside=(0.5, 0.9), floor="Ground")
    (event,) = make_events(crossing(Direction.EXIT, label="boat"), gate, "cam", FRAME_TIME)
    assert event.vehicle_type is VehicleType.OTHER


def test_the_event_id_is_the_same_in_every_time_zone_and_differs_with_each_part_of_the_key() -> None:
    """The id is the idempotency key: the same crossing has the same id, a different crossing a different one."""
    first = Event(camera_id="cam", floor="F", track_id="r-1", direction=Direction.ENTRY, timestamp=NOON)
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    same = replace(first, gate_id="g2", vehicle_type=VehicleType.BUS, confidence=0.9, timestamp=elsewhere)
    assert first.event_id == same.event_id
    assert str(first.event_id) == "d305a113-0829-5686-954a-f222afc14280"
    different = [
        replace(first, camera_id="cam2"),
        replace(first, track_id="r-2"),
        replace(first, direction=Direction.EXIT),
        replace(first, timestamp=NOON + timedelta(microseconds=1)),
    ]
    assert len({event.event_id for event in [first, *different]}) == 5


def test_a_crossing_has_the_label_with_most_votes_and_its_mean_confidence() -> None:
    """Without any evidence it has those of the last detection."""
    line_crossing = LineCrossing(Direction.ENTRY, 99.5)
    evidence = make_evidence({"car": 0.6, "truck": 0.2}, seconds=2.0)
    voted = make_crossing("g", make_track(300, evidence=evidence), line_crossing)
    assert voted == Crossing("g", "r-1", Direction.ENTRY, 99.5, "car", voted.confidence)
    assert voted.confidence == pytest.approx(0.6)
    unknown = make_crossing("g", make_track(300, evidence=Evidence(), confidences={"bus": 0.7}), line_crossing)
    assert (unknown.label, unknown.confidence) == ("bus", 0.7)

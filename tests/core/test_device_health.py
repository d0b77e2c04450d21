"""Tests of the state of the device: what is a fault, what is a change, and its form as JSON."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from edge.core.device_health import (
    BrokerHealth,
    CameraCondition,
    CameraHealth,
    ClockHealth,
    DetectorHealth,
    DeviceHealth,
    FloorHealth,
    LatencyHealth,
    MachineHealth,
    PictureHealth,
    Problem,
    StoredHealth,
    plain_fields,
)
from edge.core.events import ClockState, Direction, StoredEvent, VehicleType
from edge.core.occupancy import FloorQuality, Occupancy, Quality
from edge.core.source import SourceStage, SourceState

NOW = datetime(2026, 5, 4, 8, 0, 0, 250_000, tzinfo=UTC)
EVENT = StoredEvent(
    *(7, uuid.uuid4(), "ramp", "g", 1, "Ground", "t-1", VehicleType.CAR, Direction.ENTRY, 0.5, NOW, NOW),
    clock_state=ClockState.SYNCHRONISED,
    correction=timedelta(days=-3, microseconds=5),
)
FLOOR = FloorHealth(Occupancy(1, "Ground", "", 50, 7, True, NOW, 3), FloorQuality())
WELL = DeviceHealth(
    problems=(),
    events_waiting=0,
    events_dropped=0,
    events_refused=0,
    as_of=NOW,
    version="1.0",
    process_id=12,
    started_at=NOW - timedelta(hours=1),
    cameras=(
        CameraHealth(
            "ramp",
            CameraCondition.COUNTING,
            NOW,
            source="rtsp://10.0.0.5/stream?token=...",
            state=SourceState.UP,
            stage=SourceStage.DELIVERED,
            fps_set=5.0,
            picture_age_seconds=0.1,
            latency=LatencyHealth(9, 120.0, 300.5, 0.0, 600.0),
        ),
    ),
    detector=DetectorHealth("onnx", "yolo11n", 640, 100, 4.5, 45.0, 0.2),
    broker=BrokerHealth("localhost:1883", True, NOW, connections=2),
    stored=StoredHealth(NOW, "/var/x.db", 3, 4096, 10**10, 10**9, (FLOOR,), 2, NOW, 15, EVENT),
    machine=MachineHealth(10**8, 10**8, 1, 4 * 10**9, 10**9, 0.5, 4, 51.2, (), ("under-voltage",)),
    clock=ClockHealth(ClockState.STEPPED, 2, -3600.5, NOW),
)
FULL = Problem("database", "the disk is full; free some room", NOW)


def with_camera(**changes: Any) -> DeviceHealth:
    """The device with a camera that is changed."""
    return replace(WELL, cameras=(replace(WELL.cameras[0], **changes),))


def with_floor(quality: Quality, *, is_active: bool = True) -> DeviceHealth:
    """The device with a floor of that quality."""
    assert WELL.stored is not None
    item = FloorHealth(replace(FLOOR.floor, is_active=is_active), FloorQuality(quality))
    return replace(WELL, stored=replace(WELL.stored, floors=(item,)))


@pytest.mark.parametrize(
    ("health", "faults"),
    [
        (WELL, ()),
        (replace(WELL, problems=(FULL,)), ("database",)),
        (with_camera(condition=CameraCondition.ENDED), ()),
        (with_camera(condition=CameraCondition.STARTING), ("camera.ramp",)),
        (with_camera(condition=CameraCondition.DEGRADED), ("camera.ramp",)),
        (
            replace(
                with_camera(condition=CameraCondition.BLIND), problems=(Problem("camera.ramp", "it is dark", NOW),)
            ),
            ("camera.ramp",),
        ),
        (with_floor(Quality.UNKNOWN), ("floor.Ground",)),
        (with_floor(Quality.DEGRADED), ("floor.Ground",)),
        (with_floor(Quality.UNKNOWN, is_active=False), ()),
        (replace(WELL, broker=BrokerHealth("localhost:1883", False, NOW, "nothing listens there")), ("broker",)),
        (replace(WELL, broker=None, stored=None, machine=None, clock=None), ()),
    ],
)
def test_what_is_a_fault(health: DeviceHealth, faults: tuple[str, ...]) -> None:
    """Problems, cameras that are not counted, active floors that are not live, and a broker that is configured."""
    assert health.faults == faults


@pytest.mark.parametrize(
    ("changed", "is_another"),
    [
        (replace(WELL, as_of=NOW + timedelta(minutes=1), events_dropped=0), False),
        (with_camera(fps_processed=4.5, frames=7, lag_seconds=0.3, dropped=2, picture_age_seconds=0.2), False),
        (replace(WELL, detector=None), False),
        (replace(WELL, problems=(FULL,)), True),
        (replace(WELL, events_dropped=1), True),
        (replace(WELL, events_waiting=1), True),
        (with_camera(condition=CameraCondition.DOWN), True),
        (with_camera(stage=SourceStage.PACKETS), True),
        (with_camera(skipped="non-reference pictures"), True),
        (with_camera(pictures=(PictureHealth("dark", "the picture is dark", NOW, True),)), True),
        (with_floor(Quality.DEGRADED), True),
        (replace(WELL, clock=ClockHealth(ClockState.SYNCHRONISED, 2)), True),
    ],
)
def test_what_is_a_change_of_a_state(changed: DeviceHealth, is_another: bool) -> None:
    """A number that grows with every frame is none; a condition, a stage, a quality, a problem is."""
    assert (changed.states != WELL.states) is is_another


def test_a_number_in_the_text_of_a_problem_is_no_change() -> None:
    """Another text is."""
    waiting = replace(WELL, problems=(Problem("events_waiting", "7 events wait", NOW),))
    more = replace(WELL, problems=(Problem("events_waiting", "12 events wait", NOW),))
    worse = replace(WELL, problems=(Problem("events_waiting", "12 events are lost", NOW),))
    assert waiting.states == more.states != worse.states


def test_it_is_read_back_from_json_as_what_it_was() -> None:
    """With every nested value, times to the microsecond, ids and time spans; keys of a newer daemon do no harm."""
    health = replace(WELL, problems=(FULL,))
    fields = json.loads(json.dumps(plain_fields(health), allow_nan=False))
    assert fields["as_of"] == "2026-05-04T08:00:00.250000Z"
    fields["new"] = fields["cameras"][0]["newer"] = 5
    assert TypeAdapter(DeviceHealth).validate_python(fields) == health

"""From a crossing to the events that are stored."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from edge.core.events import Event, VehicleType

if TYPE_CHECKING:
    from edge.config.schema import GateConfig
    from edge.core.events import Crossing
    from edge.core.frames import FrameTime


def events_of(crossing: Crossing, gate: GateConfig, camera_id: str, frame_time: FrameTime) -> list[Event]:
    """The events of one crossing: one, or two for a gate between two floors; they must be stored together.

    ``frame_time`` is that of the frame with which the crossing was decided; it ties the frames' clock to UTC.
    """
    timestamp = (frame_time.captured_at - timedelta(seconds=frame_time.monotonic - crossing.at)).astimezone(UTC)
    sides = [(gate.floor, crossing.direction)]
    if gate.outside_floor is not None:
        sides.append((gate.outside_floor, crossing.direction.opposite))
    return [
        Event(
            camera_id=camera_id,
            gate_id=gate.id,
            floor=floor,
            track_id=crossing.track_id,
            vehicle_type=VehicleType.of(crossing.label),
            direction=direction,
            confidence=round(crossing.confidence, 4),
            timestamp=timestamp,
        )
        for floor, direction in sides
    ]

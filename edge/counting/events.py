"""Makes crossings of line crossings that count, and the events that are stored of crossings."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from edge.core.events import CONFIDENCE_DECIMALS, Crossing, Event, VehicleType
from edge.counting.decision.classification import dominant_label

if TYPE_CHECKING:
    from edge.config.schema import GateConfig
    from edge.core.events import EventTiming
    from edge.core.frames import FrameTime
    from edge.core.tracks import Track
    from edge.counting.crossing_path import LineCrossing


def make_crossing(gate_id: str, track: Track, line_crossing: LineCrossing) -> Crossing:
    """The crossing of a track, under the class name with most votes and with that name's mean confidence."""
    evidence = track.evidence
    label = dominant_label(evidence.votes) or track.label
    mean = evidence.votes.get(label, 0.0) / evidence.seconds if evidence.seconds else track.confidence
    return Crossing(gate_id, track.track_id, line_crossing.direction, line_crossing.at, label, min(mean, 1.0))


def make_events(
    crossing: Crossing, gate: GateConfig, camera_id: str, frame_time: FrameTime, timing: EventTiming | None = None
) -> list[Event]:
    """The events of one crossing: one, or two for a gate between two floors. They must be stored together.

    ``frame_time`` is that of the frame with which the crossing was decided; it ties the frames' clock to UTC.
    """
    timestamp = (frame_time.captured_at - timedelta(seconds=frame_time.monotonic - crossing.at)).astimezone(UTC)
    floors = [(gate.floor, crossing.direction)]
    if gate.outside_floor is not None:
        floors.append((gate.outside_floor, crossing.direction.opposite))
    return [
        Event(
            camera_id=camera_id,
            gate_id=gate.id,
            floor=floor,
            track_id=crossing.track_id,
            vehicle_type=VehicleType.of(crossing.label),
            direction=direction,
            confidence=round(crossing.confidence, CONFIDENCE_DECIMALS),
            timestamp=timestamp,
            timing=timing,
        )
        for floor, direction in floors
    ]

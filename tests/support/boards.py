"""Messages of floors and devices, applied to the state of a board."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from edge.board.state import BoardState
from edge.core.occupancy import Occupancy
from edge.mqtt.topics import Topics
from edge.publish import payloads

TOPICS = Topics("smartpark", "garage")
MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


def floor(seq=1, vehicles=3, name="Ground Floor", floor_id=1, minutes=0, total=10, active=True):
    """A floor as a device knows it."""
    return Occupancy(floor_id, name, "", total, vehicles, active, MOMENT + timedelta(minutes=minutes), seq)


def apply_floor(state, floor, device="pi-1"):
    """Apply the floor's message."""
    return state.apply(TOPICS.floor_state(floor.slug), payloads.floor_state(floor, device=device))


def apply_status(state, payload, device="pi-1"):
    """Apply the device's status."""
    return state.apply(f"smartpark/garage/device/{device}/status", payload)


def online():
    """A state that knows one device, which is there."""
    state = BoardState(TOPICS)
    apply_status(state, b"online")
    return state

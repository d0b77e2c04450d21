"""This module turns floors and events into JSON fields and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.shared.options import print_table
from edge.store import event_fields, iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.events import StoredEvent
    from edge.core.occupancy import Occupancy
    from edge.store import StoredFloor

__all__ = [
    "event_fields",
    "floor_fields",
    "iso",
    "print_events",
    "print_floors",
    "stored_floor_fields",
    "why_none_is_recommended",
]


def floor_fields(floor: Occupancy) -> dict[str, object]:
    """The fields of a floor as JSON."""
    return {
        "id": floor.floor_id,
        "name": floor.name,
        "description": floor.description,
        "total_slots": floor.total_slots,
        "current_vehicles": floor.current_vehicles,
        "available_slots": floor.available_slots,
        "occupancy_percentage": floor.occupancy_percentage,
        "is_full": floor.is_full,
        "is_active": floor.is_active,
        "seq": floor.seq,
        "as_of": iso(floor.as_of),
    }


def stored_floor_fields(floor: StoredFloor) -> dict[str, object]:
    """The fields of a floor as JSON, with those that only the database has."""
    return {
        **floor_fields(floor),
        "opening_vehicles": floor.opening_vehicles,
        "is_configured": floor.is_configured,
        "created_at": iso(floor.created_at),
        "deleted_at": iso(floor.deleted_at) if floor.deleted_at else None,
    }


def print_floors(floors: Sequence[StoredFloor]) -> None:
    """Print a table of floors."""
    print_table(
        ["floor", "free", "of", "vehicles", "full", "active", "as of"],
        [
            [
                *(floor.name, floor.available_slots, floor.total_slots),
                *(floor.current_vehicles, f"{floor.occupancy_percentage:.1f} %"),
                "deleted" if floor.deleted_at else "yes" if floor.is_active else "no",
                iso(floor.as_of),
            ]
            for floor in floors
        ],
        right=["free", "of", "vehicles", "full"],
    )


def why_none_is_recommended(floors: Sequence[StoredFloor]) -> str:
    """Why no vehicle can be sent to any of all floors, where none is recommended."""
    return "every active floor is full" if any(floor.is_active for floor in floors) else "no floor is active"


def print_events(events: Sequence[StoredEvent]) -> None:
    """Print a table of events."""
    print_table(
        ["time", "direction", "floor", "camera", "gate", "track", "type", "confidence", "id"],
        [
            [
                *(iso(e.timestamp), e.direction, e.floor, e.camera_id, e.gate_id, e.track_id, e.vehicle_type),
                *(f"{e.confidence:.2f}", e.id),
            ]
            for e in events
        ],
        right=["confidence", "id"],
    )

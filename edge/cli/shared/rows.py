"""This module turns floors and events into JSON fields and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.shared.options import print_table
from edge.core.occupancy import FloorQuality, Quality
from edge.store import event_fields, iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.core.events import StoredEvent
    from edge.core.occupancy import Occupancy
    from edge.store import StoredFloor

__all__ = [
    "event_fields",
    "floor_fields",
    "iso",
    "print_events",
    "print_floors",
    "quality_text",
    "stored_floor_fields",
]


def floor_fields(floor: Occupancy, quality: FloorQuality | None = None) -> dict[str, object]:
    """The fields of a floor as JSON, with those of its quality where that is given."""
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
        **({} if quality is None else _quality_fields(quality)),
    }


def _quality_fields(quality: FloorQuality) -> dict[str, object]:
    return {
        "quality": quality.quality.value,
        "blind_since": iso(quality.blind_since) if quality.blind_since else None,
        "blind_seconds": round(quality.blind_seconds, 1),
        "expected_missed": quality.expected_missed,
        "reason": quality.reason,
    }


def quality_text(quality: FloorQuality) -> str:
    """The quality of a floor in a few words: since when and why, and by how much the count may be wrong."""
    if quality.quality is Quality.LIVE:
        return quality.quality.value
    if quality.blind_since is None:
        return f"{quality.quality.value}: {quality.reason}"
    expected = "" if quality.expected_missed is None else f", {quality.expected_missed:g} vehicles expected"
    since = iso(quality.blind_since)
    return f"{quality.quality.value} since {since}, {quality.blind_seconds:.0f} s blind{expected}: {quality.reason}"


def stored_floor_fields(floor: StoredFloor, quality: FloorQuality | None = None) -> dict[str, object]:
    """The fields of a floor as JSON, with those that only the database has."""
    return {
        **floor_fields(floor, quality),
        "opening_vehicles": floor.opening_vehicles,
        "is_configured": floor.is_configured,
        "created_at": iso(floor.created_at),
        "deleted_at": iso(floor.deleted_at) if floor.deleted_at else None,
    }


def print_floors(floors: Sequence[StoredFloor], qualities: Mapping[str, FloorQuality] | None = None) -> None:
    """Print a table of floors, with their quality where it is given.

    Of a floor whose count is not known it has the last number of vehicles, and no free places.
    """
    columns = ["floor", "free", "of", "vehicles", "full", "active", "as of"]
    rows = []
    for floor in floors:
        quality = (qualities or {}).get(floor.name, FloorQuality())
        rows.append(
            [
                *(floor.name, floor.available_slots if quality.is_known else "--", floor.total_slots),
                *(floor.current_vehicles, f"{floor.occupancy_percentage:.1f} %"),
                "deleted" if floor.deleted_at else "yes" if floor.is_active else "no",
                iso(floor.as_of),
                *([] if qualities is None else [quality_text(quality)]),
            ]
        )
    if qualities is not None:
        columns.append("quality")
    print_table(columns, rows, right=["free", "of", "vehicles", "full"])


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

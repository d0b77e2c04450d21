"""Events as text for other programs, however many there are."""

from __future__ import annotations

import csv
import json
from datetime import UTC
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from edge.core.events import StoredEvent

COLUMNS = (
    *("id", "event_id", "camera_id", "gate_id", "floor_id", "floor", "track_id", "vehicle_type", "direction"),
    *("confidence", "timestamp", "clock_state", "created_at"),
)


def iso(moment: datetime) -> str:
    """UTC with microseconds and a Z: sorts as text, and every program reads it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def event_fields(stored: StoredEvent) -> dict[str, object]:
    """The event by the names of ``COLUMNS``, as JSON takes it."""
    return {
        "id": stored.id,
        "event_id": str(stored.event_id),
        "camera_id": stored.camera_id,
        "gate_id": stored.gate_id,
        "floor_id": stored.floor_id,
        "floor": stored.floor,
        "track_id": stored.track_id,
        "vehicle_type": stored.vehicle_type.value,
        "direction": stored.direction.value,
        "confidence": stored.confidence,
        "timestamp": iso(stored.timestamp),
        "clock_state": stored.clock_state.value,
        "created_at": iso(stored.created_at),
    }


def export_events(events: Iterable[StoredEvent], out: TextIO, form: Literal["csv", "jsonl"]) -> int:
    """Write them to ``out`` one by one, CSV with a head line, or an object a line; how many there were."""
    written = 0
    if form == "csv":
        table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        table.writeheader()
        for event in events:
            table.writerow(event_fields(event))
            written += 1
    else:
        for event in events:
            out.write(json.dumps(event_fields(event), ensure_ascii=False) + "\n")
            written += 1
    return written

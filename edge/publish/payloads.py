"""Writes what is published: the payload of each topic, from the values of the core.

JSON is compact UTF-8 with sorted keys, so that equal values are equal bytes. Times are ISO 8601 in UTC with
microseconds and ``Z``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from edge.core.device_health import plain_fields
from edge.core.occupancy import FloorQuality, Occupancy, Quality, recommended_floor
from edge.mqtt.topics import DEGRADED, OK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.core.device_health import DeviceHealth
    from edge.core.events import StoredEvent


# What ``floor/<slug>/available`` says where the number is not known.
UNKNOWN_AVAILABLE = b"--"


def floor_state(floor: Occupancy, quality: FloorQuality | None = None, *, device: str) -> bytes:
    """The payload of ``floor/<slug>/state``."""
    quality = quality or FloorQuality()
    return _json(
        {
            "floor_id": floor.floor_id,
            "name": floor.name,
            "total_slots": floor.total_slots,
            "current_vehicles": floor.current_vehicles,
            "available_slots": floor.available_slots,
            "occupancy_percentage": floor.occupancy_percentage,
            "is_full": floor.is_full,
            "is_active": floor.is_active,
            "quality": quality.quality.value,
            "blind_since": timestamp(quality.blind_since) if quality.blind_since else None,
            "blind_seconds": round(quality.blind_seconds, 1),
            "expected_missed": quality.expected_missed,
            "as_of": timestamp(floor.as_of),
            "seq": floor.seq,
            "device": device,
        }
    )


def floor_available(floor: Occupancy) -> bytes:
    """The payload of ``floor/<slug>/available``: the number of free places in ASCII digits."""
    return b"%d" % floor.available_slots


def site_state(
    floors: Sequence[Occupancy], qualities: Mapping[str, FloorQuality] | None = None, *, device: str
) -> bytes:
    """The payload of ``site/state``: sums over the active floors. A site without one is full, with as_of null.

    ``qualities`` are by the names of floors. The site's is the worst of its active floors; its sums have the last
    numbers of floors that are unknown, which are not recommended.
    """
    qualities = qualities or {}
    active = [floor for floor in floors if floor.is_active]
    found = {floor.name: qualities.get(floor.name, FloorQuality()).quality for floor in active}
    unknown = {name for name, quality in found.items() if quality is Quality.UNKNOWN}
    total = sum(floor.total_slots for floor in active)
    vehicles = sum(floor.current_vehicles for floor in active)
    available = sum(floor.available_slots for floor in active)
    best = recommended_floor(active, unknown)
    worst = next((quality for quality in reversed(Quality) if quality in found.values()), Quality.LIVE)
    return _json(
        {
            "total_slots": total,
            "current_vehicles": vehicles,
            "available_slots": available,
            "occupancy_percentage": round(100.0 * vehicles / total, 1) if total > 0 else 100.0,
            "is_full": available == 0,
            "floors": len(active),
            "unknown_floors": len(unknown),
            "quality": worst.value,
            "recommended": best and {"name": best.name, "slug": best.slug, "available_slots": best.available_slots},
            "as_of": timestamp(max(floor.as_of for floor in active)) if active else None,
            "device": device,
        }
    )


def event(stored: StoredEvent, *, site: str, device: str) -> bytes:
    """The payload of ``event/<camera>``."""
    return _json(
        {
            "event_id": str(stored.event_id),
            "camera_id": stored.camera_id,
            "gate_id": stored.gate_id,
            "floor": stored.floor,
            "floor_id": stored.floor_id,
            "track_id": stored.track_id,
            "vehicle_type": stored.vehicle_type.value,
            "direction": stored.direction.value,
            "confidence": float(stored.confidence),
            "timestamp": timestamp(stored.timestamp),
            "clock_state": stored.clock_state.value,
            "correction_seconds": stored.correction.total_seconds(),
            "site": site,
            "device": device,
        }
    )


def device_health(health: DeviceHealth, *, device: str) -> bytes:
    """The payload of ``device/<device>/health``.

    The broker is no fault here: what reaches it is proof that it is connected. Neither addresses of cameras nor paths
    are in it, because every program at the broker can read it.
    """
    faults = [fault for fault in health.faults if fault != "broker"]
    return _json(
        {
            "status": DEGRADED if faults else OK,
            "faults": faults,
            "problems": [plain_fields(problem) for problem in health.problems],
            "events_waiting": health.events_waiting,
            "events_dropped": health.events_dropped,
            "events_refused": health.events_refused,
            "as_of": timestamp(health.as_of),
            "device": device,
            "version": health.version,
            "started_at": timestamp(health.started_at) if health.started_at else None,
            "cameras": [_without(plain_fields(camera), "source", "reader_pid") for camera in health.cameras],
            "detector": health.detector and plain_fields(health.detector),
            "floors": [{"name": item.floor.name, "quality": item.quality.quality} for item in health.floors],
            "broker": health.broker
            and {"since": timestamp(health.broker.since), "connections": health.broker.connections},
            "stored": health.stored and _without(plain_fields(health.stored), "path", "floors", "events", "last_event"),
            "machine": health.machine and plain_fields(health.machine),
            "clock": health.clock and plain_fields(health.clock),
        }
    )


def _without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def timestamp(moment: datetime) -> str:
    """An aware time as ISO 8601 in UTC with microseconds and ``Z``. Raises ValueError for one without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone cannot be published")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _json(fields: Mapping[str, Any]) -> bytes:
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode()

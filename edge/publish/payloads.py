"""From records to what is sent, and back to what a board may trust.

JSON is compact UTF-8 with sorted keys, so that equal facts are equal bytes. Times are ISO 8601 in UTC with
microseconds and ``Z``. A reader ignores keys that it does not know; a payload that lacks something, or has it in
the wrong type, raises :class:`PayloadError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.publish.fields import Fields, PayloadError, dump, timestamp
from edge.records import Event, Occupancy, recommended

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

ONLINE = b"online"
OFFLINE = b"offline"


@dataclass(frozen=True, slots=True)
class FloorMessage:
    """``floor/<slug>/state`` as it was read."""

    floor_id: int
    name: str
    total_slots: int
    current_vehicles: int
    available_slots: int
    occupancy_percentage: float
    is_full: bool
    is_active: bool
    as_of: datetime
    seq: int
    device: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The floor that the site sends the next vehicle to."""

    name: str
    slug: str
    available_slots: int


@dataclass(frozen=True, slots=True)
class SiteMessage:
    """``site/state`` as it was read. ``as_of`` is None when the site has no active floor."""

    total_slots: int
    current_vehicles: int
    available_slots: int
    occupancy_percentage: float
    is_full: bool
    floors: int
    recommended: Recommendation | None
    as_of: datetime | None
    device: str


@dataclass(frozen=True, slots=True)
class EventMessage:
    """``event/<camera>`` as it was read. ``event_id`` is the key by which a second delivery is known."""

    event_id: str
    camera_id: str
    gate_id: str
    floor: str
    floor_id: int | None
    track_id: str
    vehicle_type: str
    direction: str
    confidence: float
    timestamp: datetime
    site: str
    device: str


def floor_state(floor: Occupancy, *, device: str) -> bytes:
    """The payload of ``floor/<slug>/state``."""
    return dump(
        {
            "floor_id": floor.floor_id,
            "name": floor.name,
            "total_slots": floor.total_slots,
            "current_vehicles": floor.current_vehicles,
            "available_slots": floor.available_slots,
            "occupancy_percentage": floor.occupancy_percentage,
            "is_full": floor.is_full,
            "is_active": floor.is_active,
            "as_of": timestamp(floor.as_of),
            "seq": floor.seq,
            "device": device,
        }
    )


def floor_available(floor: Occupancy) -> bytes:
    """The payload of ``floor/<slug>/available``: the number of free places in ASCII digits."""
    return b"%d" % floor.available_slots


def site_state(floors: Sequence[Occupancy], *, device: str) -> bytes:
    """The payload of ``site/state``: sums over the active floors. A site without one is full, with as_of null."""
    active = [floor for floor in floors if floor.is_active]
    total = sum(floor.total_slots for floor in active)
    vehicles = sum(floor.current_vehicles for floor in active)
    available = sum(floor.available_slots for floor in active)
    best = recommended(active)
    return dump(
        {
            "total_slots": total,
            "current_vehicles": vehicles,
            "available_slots": available,
            "occupancy_percentage": round(100.0 * vehicles / total, 1) if total > 0 else 100.0,
            "is_full": available == 0,
            "floors": len(active),
            "recommended": best and {"name": best.name, "slug": best.slug, "available_slots": best.available_slots},
            "as_of": timestamp(max(floor.as_of for floor in active)) if active else None,
            "device": device,
        }
    )


def event(told: Event, *, floor_id: int | None, site: str, device: str) -> bytes:
    """The payload of ``event/<camera>``. ``floor_id`` is left out when it is None."""
    fields: dict[str, Any] = {
        "event_id": str(told.event_id),
        "camera_id": told.camera_id,
        "gate_id": told.gate_id,
        "floor": told.floor,
        "track_id": told.track_id,
        "vehicle_type": told.vehicle_type.value,
        "direction": told.direction.value,
        "confidence": float(told.confidence),
        "timestamp": timestamp(told.timestamp),
        "site": site,
        "device": device,
    }
    if floor_id is not None:
        fields["floor_id"] = floor_id
    return dump(fields)


def parse_status(payload: bytes) -> bool:
    """Whether the device is online; PayloadError for anything but the two words."""
    if payload not in (ONLINE, OFFLINE):
        raise PayloadError(f"status is neither 'online' nor 'offline' but {payload[:40]!r}")
    return payload == ONLINE


def parse_floor(payload: bytes) -> FloorMessage:
    """A floor's state."""
    fields = Fields(payload)
    return FloorMessage(
        floor_id=fields.integer("floor_id"),
        name=fields.text("name"),
        total_slots=fields.count("total_slots"),
        current_vehicles=fields.count("current_vehicles"),
        available_slots=fields.count("available_slots"),
        occupancy_percentage=fields.number("occupancy_percentage"),
        is_full=fields.truth("is_full"),
        is_active=fields.truth("is_active"),
        as_of=fields.time("as_of"),
        seq=fields.integer("seq"),
        device=fields.text("device"),
    )


def parse_site(payload: bytes) -> SiteMessage:
    """The site's totals."""
    fields = Fields(payload)
    best = fields.optional_table("recommended")
    return SiteMessage(
        total_slots=fields.count("total_slots"),
        current_vehicles=fields.count("current_vehicles"),
        available_slots=fields.count("available_slots"),
        occupancy_percentage=fields.number("occupancy_percentage"),
        is_full=fields.truth("is_full"),
        floors=fields.count("floors"),
        recommended=Recommendation(best.text("name"), best.text("slug"), best.count("available_slots"))
        if best is not None
        else None,
        as_of=None if fields.is_null("as_of") else fields.time("as_of"),
        device=fields.text("device"),
    )


def parse_event(payload: bytes) -> EventMessage:
    """One event."""
    fields = Fields(payload)
    return EventMessage(
        event_id=fields.text("event_id"),
        camera_id=fields.text("camera_id"),
        gate_id=fields.text("gate_id"),
        floor=fields.text("floor"),
        floor_id=None if fields.is_null("floor_id") else fields.integer("floor_id"),
        track_id=fields.text("track_id"),
        vehicle_type=fields.text("vehicle_type"),
        direction=fields.text("direction"),
        confidence=fields.number("confidence"),
        timestamp=fields.time("timestamp"),
        site=fields.text("site"),
        device=fields.text("device"),
    )

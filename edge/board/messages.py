"""What a board reads from the site's topics: each payload checked and given types.

A reader ignores keys that it does not know; a payload that lacks something, or has it in the wrong type, raises
:class:`PayloadError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.board.json_reader import Fields, PayloadError
from edge.core.device_health import Problem
from edge.mqtt.topics import DEGRADED, OFFLINE, OK, ONLINE

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class HealthMessage:
    """``device/<device>/health`` as it was read. ``degraded`` says that there are problems, the oldest first."""

    degraded: bool
    problems: tuple[Problem, ...]
    events_waiting: int
    events_dropped: int
    events_refused: int
    as_of: datetime
    device: str


def parse_health(payload: bytes) -> HealthMessage:
    """A device's health; PayloadError for what is none."""
    fields = Fields(payload)
    status = fields.text("status")
    if status not in (OK, DEGRADED):
        raise PayloadError(f"status is neither 'ok' nor 'degraded' but {status[:40]!r}")
    return HealthMessage(
        degraded=status == DEGRADED,
        problems=tuple(
            Problem(item.text("code"), item.text("text"), item.time("since")) for item in fields.tables("problems")
        ),
        events_waiting=fields.count("events_waiting"),
        events_dropped=fields.count("events_dropped"),
        events_refused=fields.count("events_refused"),
        as_of=fields.time("as_of"),
        device=fields.text("device"),
    )


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

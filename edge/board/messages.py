"""Reads what a board gets from the site's topics: each payload is validated into a frozen model.

A reader ignores keys that it does not know, so that a board of today understands a daemon of tomorrow. Nothing is
converted: ``"1"`` and ``true`` are no integers. A payload that lacks a key, or has it in the wrong type, raises
:class:`PayloadError`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, FiniteFloat, NonNegativeInt, ValidationError
from pydantic_core import PydanticCustomError

from edge.core.errors import SmartParkError
from edge.mqtt.topics import OFFLINE, ONLINE

_LONGEST_SHOWN = 60


class PayloadError(SmartParkError):
    """A payload is not what its topic promises; the text names the key."""


def _utc(value: object) -> datetime:
    """A time with a zone, in UTC, from ISO 8601. pydantic's own parser also takes a number in a text for a time."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("time", "Input should be a time in ISO 8601 with a time zone") from None


UtcTime = Annotated[datetime, BeforeValidator(_utc)]


class Message(BaseModel):
    """What the payloads have in common: strict types, frozen, unknown keys ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """The message in a JSON payload. Raises PayloadError for the first thing that is wrong with it."""
        try:
            return cls.model_validate_json(payload)
        except ValidationError as error:
            raise PayloadError(_first_error(error)) from None


class ProblemMessage(Message):
    """One problem of a device: a stable code, a sentence that names the remedy, and since when."""

    code: str
    text: str
    since: UtcTime


class HealthMessage(Message):
    """``device/<device>/health``: the device's problems, the oldest first, and its numbers of events."""

    status: Literal["ok", "degraded"]
    problems: tuple[ProblemMessage, ...]
    events_waiting: NonNegativeInt
    events_dropped: NonNegativeInt
    events_refused: NonNegativeInt
    as_of: UtcTime
    device: str


class FloorMessage(Message):
    """``floor/<slug>/state``. The keys about the quality are missing in the messages of older daemons."""

    floor_id: int
    name: str
    total_slots: NonNegativeInt
    current_vehicles: NonNegativeInt
    available_slots: NonNegativeInt
    occupancy_percentage: FiniteFloat
    is_full: bool
    is_active: bool
    quality: Literal["live", "degraded", "unknown"] = "live"
    blind_since: UtcTime | None = None
    blind_seconds: FiniteFloat = 0.0
    expected_missed: FiniteFloat | None = None
    as_of: UtcTime
    seq: int
    device: str


class Recommendation(Message):
    """The floor that the site sends the next vehicle to."""

    name: str
    slug: str
    available_slots: NonNegativeInt


class SiteMessage(Message):
    """``site/state``: sums over the active floors. ``as_of`` is None when the site has no active floor."""

    total_slots: NonNegativeInt
    current_vehicles: NonNegativeInt
    available_slots: NonNegativeInt
    occupancy_percentage: FiniteFloat
    is_full: bool
    floors: NonNegativeInt
    unknown_floors: NonNegativeInt = 0
    recommended: Recommendation | None = None
    as_of: UtcTime | None = None
    device: str


class EventMessage(Message):
    """``event/<camera>``. A second delivery of an event has the same ``event_id``.

    So has an event whose time was corrected, and then ``correction_seconds`` is what was added to it.
    """

    event_id: str
    camera_id: str
    gate_id: str
    floor: str
    floor_id: int | None = None
    track_id: str
    vehicle_type: str
    direction: str
    confidence: FiniteFloat
    timestamp: UtcTime
    clock_state: str = "unknown"
    correction_seconds: FiniteFloat = 0.0
    site: str
    device: str


def parse_status(payload: bytes) -> bool:
    """Whether the device is online. Raises PayloadError for anything but the two words."""
    if payload not in (ONLINE, OFFLINE):
        raise PayloadError(f"status is neither 'online' nor 'offline' but {payload[:_LONGEST_SHOWN]!r}")
    return payload == ONLINE


def _first_error(error: ValidationError) -> str:
    """The first fault in one sentence; the key of a nested one is written ``recommended.name``."""
    fault = error.errors(include_url=False)[0]
    key = ".".join(map(str, fault["loc"]))
    if not key:
        return fault["msg"] if fault["type"] == "json_invalid" else "the payload is not a JSON object"
    if fault["type"] == "missing":
        return f"{key} is missing"
    value = fault["input"]
    shown = type(value).__name__ if isinstance(value, dict | list) else repr(value)[:_LONGEST_SHOWN]
    return f"{key}: {fault['msg']}, not {shown}"

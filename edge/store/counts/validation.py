"""Checks what is to be stored, before anything is changed; each refusal is one sentence that names the value."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from numbers import Real
from typing import TYPE_CHECKING, TypeVar

from edge.core.errors import RefusedError
from edge.core.events import ClockState, Direction, VehicleType
from edge.store.sql.times import to_utc

if TYPE_CHECKING:
    from edge.core.events import Event

_Member = TypeVar("_Member", ClockState, Direction, VehicleType)

_LONGEST_TEXT = 200
_LONGEST_NOTE = 1000
_LONGEST_SHOWN = 80
MOST_VEHICLES = 1_000_000
# Control characters would break log lines and the lines that event ids are computed from; lone surrogates are no text.
_NOT_TEXT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def is_text(value: str) -> bool:
    """Whether a database and a log line can hold the value."""
    return not _NOT_TEXT.search(value)


def checked_text(what: str, value: object) -> str:
    """``value`` if it is 1 to 200 characters of text without control characters, else a RefusedError."""
    if not isinstance(value, str):
        raise RefusedError(f"{what} must be text, not {type(value).__name__}")
    if not 1 <= len(value) <= _LONGEST_TEXT:
        raise RefusedError(f"{what} has {len(value)} characters; it must have 1 to {_LONGEST_TEXT}")
    if not is_text(value):
        raise RefusedError(f"{what} {value!r} has control characters, or halves of characters; remove them")
    return value


def checked_note(what: str, value: object) -> str:
    """``value`` if it is at most 1000 characters of text without control characters, else a RefusedError."""
    if not isinstance(value, str):
        raise RefusedError(f"{what} must be text, not {type(value).__name__}")
    if len(value) > _LONGEST_NOTE:
        raise RefusedError(f"{what} has {len(value)} characters; it must have at most {_LONGEST_NOTE}")
    if not is_text(value):
        raise RefusedError(f"{what} {shortened(value)} has control characters, or halves of characters; remove them")
    return value


def checked_number(what: str, value: object, least: int = 0, most: int = MOST_VEHICLES) -> int:
    """``value`` if it is a whole number from ``least`` to ``most``, else a RefusedError."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise RefusedError(f"{what} is {shortened(value)}; it must be a whole number from {least} to {most}")
    return value


def event_key(event: Event) -> str:
    """The event's key as log lines show it; of an event with impossible values as much of it as can be shown."""
    try:
        event_id = str(event.event_id)
    except (AttributeError, TypeError, ValueError, OverflowError):
        event_id = "none"
    return f"event={event_id} camera={shortened(event.camera_id)} track={shortened(event.track_id)}"


def checked_event(event: Event) -> Event:
    """The event with its values as they are stored, or a RefusedError that says what is wrong with it."""
    for what in ("camera_id", "gate_id", "track_id", "floor"):
        checked_text(what, getattr(event, what))
    if _is_stored_form(event):
        return event
    where = f"the event of camera {event.camera_id!r}, track {event.track_id!r}"
    given: object = event.confidence
    confidence = float(given) if isinstance(given, Real) else math.nan
    if not 0 <= confidence <= 1:
        raise RefusedError(f"{where}: confidence is {shortened(given)}; it must be a number from 0 to 1")
    try:
        timestamp = to_utc(event.timestamp)
        order_at = None if event.order_at is None else to_utc(event.order_at)
    except RefusedError as error:
        raise RefusedError(f"{where}: {error}") from error
    return replace(
        event,
        vehicle_type=_member(where, "vehicle_type", VehicleType, event.vehicle_type),
        direction=_member(where, "direction", Direction, event.direction),
        confidence=confidence,
        timestamp=timestamp,
        order_at=order_at,
        clock_state=_member(where, "clock_state", ClockState, event.clock_state),
    )


def _is_stored_form(event: Event) -> bool:
    """Whether all that is not text is valid and needs no conversion, as in every event of a camera."""
    return (
        type(event.confidence) is float
        and 0 <= event.confidence <= 1
        and type(event.timestamp) is datetime
        and event.timestamp.tzinfo is UTC
        and (event.order_at is None or event.order_at.tzinfo is UTC)
        and type(event.vehicle_type) is VehicleType
        and type(event.direction) is Direction
        and type(event.clock_state) is ClockState
    )


def _member(where: str, what: str, kind: type[_Member], value: str) -> _Member:
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise RefusedError(f"{where}: {what} is {shortened(value)}; it must be one of {allowed}") from None


def shortened(value: object) -> str:
    """The value as text of at most 80 characters."""
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."

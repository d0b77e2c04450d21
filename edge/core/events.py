"""Defines a vehicle that crosses a gate: the geometric fact, the event to be stored, and the stored event."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

# The name space of event ids. Never change it: ids of stored and published events depend on it.
EVENT_NAMESPACE = uuid.UUID("8f2d1c3a-5d0b-5f43-9c1e-0b6a7d2e4f10")
# Added to the key of an event in the outbox after its time was corrected; above every id.
CORRECTED_KEY = 2**48
CONFIDENCE_DECIMALS = 4  # of an event's confidence, in the database and in messages


class Direction(StrEnum):
    """Which way a vehicle went: into the floor or out of it."""

    ENTRY = "entry"
    EXIT = "exit"

    @property
    def opposite(self) -> Direction:
        """The other way."""
        return Direction.EXIT if self is Direction.ENTRY else Direction.ENTRY

    @property
    def delta(self) -> int:
        """What one such crossing adds to the floor's vehicles: +1 or -1."""
        return 1 if self is Direction.ENTRY else -1


class VehicleType(StrEnum):
    """The type of a vehicle in the database and on the boards."""

    CAR = "car"
    MOTORCYCLE = "motorcycle"
    BUS = "bus"
    TRUCK = "truck"
    BICYCLE = "bicycle"
    OTHER = "other"

    @classmethod
    def of(cls, label: str) -> VehicleType:
        """The type for a detector's class name; ``OTHER`` for a name that is no vehicle type."""
        try:
            return cls(label)
        except ValueError:
            return cls.OTHER


class ClockState(StrEnum):
    """Whether the clock that dated an event was right, as far as the machine knew."""

    SYNCHRONISED = "synchronised"
    UNSYNCHRONISED = "unsynchronised"
    STEPPED = "stepped"  # the clock was set while the daemon ran, and has not been seen to be synchronised since
    UNKNOWN = "unknown"  # the time is not that of this machine's clock, or the kernel cannot be asked


@dataclass(frozen=True, slots=True)
class Crossing:
    """The geometric fact that a track crossed a gate's line, at ``at`` seconds on the frames' clock.

    ``label`` is the detector's class name, ``confidence`` (0..1) the mean one of the detections with that name.
    """

    gate_id: str
    track_id: str
    direction: Direction
    at: float
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class EventTiming:
    """How long an event has taken until ``submitted_at`` (``time.monotonic()``), in seconds of each part of the way.

    - ``hold``: from the crossing to the capture of the frame with which it was decided, on the frames' clock;
    - ``queue``: from that capture to the beginning of the frame's processing; None for a recording, whose frames are
      captured at no time of this machine's;
    - ``detect``, ``count``: detection and optical flow in that frame; tracking and counting.
    """

    hold: float
    queue: float | None
    detect: float
    count: float
    submitted_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The fact to be stored: a vehicle came into a floor or left it.

    ``timestamp`` is aware, with microseconds. ``camera_id``, ``track_id``, ``direction`` and ``timestamp`` together are
    the idempotency key. ``clock_state`` says whether ``timestamp`` can be trusted; it is no part of the key.
    ``order_at`` is the time by which lists sort the event where the clock was set back before it: the clock's last time
    before that step, so that the order of recording is kept. None: ``timestamp``. ``timing`` is how long it took so
    far; it is not stored, and two events that differ in it alone are the same.
    """

    camera_id: str
    gate_id: str = "gate"
    floor: str
    track_id: str
    vehicle_type: VehicleType = VehicleType.CAR
    direction: Direction
    confidence: float = 1.0
    timestamp: datetime
    clock_state: ClockState = ClockState.UNKNOWN
    order_at: datetime | None = None
    timing: EventTiming | None = field(default=None, compare=False, repr=False)

    @property
    def event_id(self) -> uuid.UUID:
        """UUIDv5 of the idempotency key: the same for every attempt to record the same crossing."""
        timestamp = self.timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return uuid.uuid5(EVENT_NAMESPACE, "\n".join((self.camera_id, self.track_id, self.direction.value, timestamp)))


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with what the database adds to it: the ``id`` of its row, its floor's id, and when it was stored.

    ``id`` grows with every event and is never given twice. All times are aware UTC. ``correction`` is what was added to
    ``timestamp`` and ``created_at`` when the clock was first synchronised; the ``event_id`` is still that of the time
    before it.
    """

    id: int
    event_id: uuid.UUID
    camera_id: str
    gate_id: str
    floor_id: int
    floor: str
    track_id: str
    vehicle_type: VehicleType
    direction: Direction
    confidence: float
    timestamp: datetime
    created_at: datetime
    clock_state: ClockState = ClockState.UNKNOWN
    order_at: datetime | None = None
    correction: timedelta = timedelta(0)

    @property
    def outbox_key(self) -> int:
        """What the broker acknowledges: ``id``, and another number once the time of the event was corrected."""
        return self.id + CORRECTED_KEY if self.correction else self.id

    @property
    def listed_at(self) -> datetime:
        """The time by which lists sort it, before ``id``."""
        return self.timestamp if self.order_at is None else self.order_at

    @property
    def event(self) -> Event:
        """The event alone, as it was recorded."""
        return Event(
            camera_id=self.camera_id,
            gate_id=self.gate_id,
            floor=self.floor,
            track_id=self.track_id,
            vehicle_type=self.vehicle_type,
            direction=self.direction,
            confidence=self.confidence,
            timestamp=self.timestamp,
            clock_state=self.clock_state,
            order_at=self.order_at,
        )

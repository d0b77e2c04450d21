"""The frozen values that pass between rooms. Nothing here knows a camera, a database or a broker."""

from __future__ import annotations

import math
import re
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

# The name space of event ids. Never change it: ids of stored and published events depend on it.
EVENT_NAMESPACE = uuid.UUID("8f2d1c3a-5d0b-5f43-9c1e-0b6a7d2e4f10")


class Direction(StrEnum):
    """Which way a vehicle went, seen from the floor."""

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
    """What a vehicle is, as far as the database and the boards care."""

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
    UNKNOWN = "unknown"


class Point(NamedTuple):
    """A place in an image: pixels from the top left corner, or fractions of the frame where said so."""

    x: float
    y: float


class Box(NamedTuple):
    """An upright rectangle in pixels of its frame: left, top, right, bottom."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def area(self) -> float:
        """Square pixels; 0 for a box that is turned inside out."""
        return max(self.x2 - self.x1, 0.0) * max(self.y2 - self.y1, 0.0)

    @property
    def center(self) -> Point:
        """The middle of the box."""
        return Point((self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2)

    @property
    def width(self) -> float:
        """Pixels across."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Pixels down."""
        return self.y2 - self.y1

    @property
    def side(self) -> float:
        """The side of a square as large: a size that means the same for long and for high boxes."""
        return math.sqrt(max(self.area, 1.0))

    @property
    def bottom_center(self) -> Point:
        """The middle of the lower edge: where a vehicle stands on the floor."""
        return Point((self.x1 + self.x2) / 2, self.y2)


@dataclass(frozen=True, slots=True)
class Frame:
    """An image and the time it was taken.

    ``image`` is BGR, height x width x 3, and must not be written to. ``captured_at`` is aware UTC;
    ``monotonic`` is the same moment in seconds on a clock that never jumps: the machine's monotonic
    clock for a live camera, the presentation time for a recorded clip. Only differences of ``monotonic``
    mean anything. ``sequence`` counts the source's frames from 0, those that were dropped included.
    """

    image: Image
    captured_at: datetime
    monotonic: float
    sequence: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return int(self.image.shape[1]), int(self.image.shape[0])

    @property
    def moment(self) -> Moment:
        """All of the frame but its picture."""
        return Moment(self.captured_at, self.monotonic, self.size)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a frame was taken, on both clocks as in ``Frame``, and its width and height in pixels."""

    captured_at: datetime
    monotonic: float
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Detection:
    """One box in one frame, with the detector's class name and confidence (0..1)."""

    box: Box
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """The geometric fact that a track passed a gate's line, at ``at`` seconds on the frames' clock."""

    gate_id: str
    track_id: str
    direction: Direction
    at: float
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Event:
    """The fact to be stored: a vehicle came into a floor or left it.

    ``timestamp`` is aware UTC with microseconds. ``camera_id``, ``track_id``, ``direction`` and ``timestamp``
    together are the idempotency key. ``clock_state`` tells whether ``timestamp`` can be trusted; it is no part of the
    key.
    """

    camera_id: str
    gate_id: str
    floor: str
    track_id: str
    vehicle_type: VehicleType
    direction: Direction
    confidence: float
    timestamp: datetime
    clock_state: ClockState = ClockState.UNKNOWN

    @property
    def event_id(self) -> uuid.UUID:
        """UUIDv5 of the idempotency key: the same for every attempt to tell of the same crossing."""
        moment = self.timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return uuid.uuid5(EVENT_NAMESPACE, "\n".join((self.camera_id, self.track_id, self.direction.value, moment)))


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How full a floor is.

    ``as_of`` is when the count last changed (aware UTC). ``seq`` grows by one with every change of the floor's
    row, for ever, so that a reader can tell an older message from a newer one.
    """

    floor_id: int
    name: str
    description: str
    total_slots: int
    current_vehicles: int
    is_active: bool
    as_of: datetime
    seq: int

    @property
    def available_slots(self) -> int:
        """Free places, never below 0."""
        return max(self.total_slots - self.current_vehicles, 0)

    @property
    def occupancy_percentage(self) -> float:
        """0..100, one decimal; a floor without slots is 100 % full."""
        if self.total_slots <= 0:
            return 100.0
        return round(100.0 * self.current_vehicles / self.total_slots, 1)

    @property
    def is_full(self) -> bool:
        """Whether no place is free."""
        return self.available_slots == 0

    @property
    def slug(self) -> str:
        """The floor's name as it stands in a topic."""
        return slug(self.name)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with this device: a stable ``code``, a sentence without secrets, and since when (UTC)."""

    code: str
    text: str
    since: datetime


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """What is wrong with this device at ``as_of`` (aware UTC), the oldest problem first, and how its events fare.

    ``events_waiting`` are in memory until the database takes them; ``events_dropped`` and ``events_refused`` are lost
    to the counts, since the start of the program.
    """

    problems: tuple[Problem, ...]
    events_waiting: int
    events_dropped: int
    events_refused: int
    as_of: datetime


def slug(name: str) -> str:
    """A floor's name as one level of an MQTT topic: ``"Ground Floor"`` becomes ``"ground-floor"``.

    Letters and digits of any script stay, lower case; accents are kept; all else becomes single dashes.
    Empty when the name has neither letter nor digit.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", "-", folded).strip("-")


def recommended(floors: list[Occupancy]) -> Occupancy | None:
    """The floor to send the next vehicle to: active, not full, most free places, ties by name."""
    open_floors = [floor for floor in floors if floor.is_active and not floor.is_full]
    return min(open_floors, key=lambda floor: (-floor.available_slots, floor.name), default=None)

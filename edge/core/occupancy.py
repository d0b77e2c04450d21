"""Holds how full a floor is and how far that can be trusted, its name in topics, and which floor to recommend."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  # a command reads these values back from JSON
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Sequence


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How full a floor is; ``total_slots`` and ``current_vehicles`` are numbers of vehicles, 0 or more.

    ``as_of`` is when the count last changed (aware UTC). ``seq`` grows by one with every change of the floor's row and
    never falls, so that a reader of messages can recognise an older one.
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
        """Free slots, never below 0."""
        return max(self.total_slots - self.current_vehicles, 0)

    @property
    def occupancy_percentage(self) -> float:
        """Vehicles in percent of the slots, one decimal; 100 for a floor without slots."""
        if self.total_slots <= 0:
            return 100.0
        return round(100.0 * self.current_vehicles / self.total_slots, 1)

    @property
    def is_full(self) -> bool:
        """Whether no slot is free."""
        return self.available_slots == 0

    @property
    def slug(self) -> str:
        """The floor's name as a level of an MQTT topic."""
        return floor_slug(self.name)


def floor_slug(name: str) -> str:
    """A floor's name as one level of an MQTT topic: ``"Ground Floor"`` becomes ``"ground-floor"``.

    Letters and digits of any script are kept, in lower case and with their accents; everything between them becomes a
    single dash. The result is empty for a name with neither letter nor digit.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", "-", folded).strip("-")


class Quality(StrEnum):
    """How far the count of a floor can be trusted."""

    LIVE = "live"  # every gate was seen since a person counted the floor, or since the beginning
    DEGRADED = "degraded"  # a gate was blind since then: the count may be wrong
    UNKNOWN = "unknown"  # a gate is blind now


@dataclass(frozen=True, slots=True)
class FloorQuality:
    """How far the count of a floor can be trusted, and why.

    ``blind_since`` (aware UTC) is when the present blindness of an unknown floor began; of a degraded floor, when the
    first one since its last correction began. ``blind_seconds`` is the time since that correction in which a gate of it
    was blind, ``expected_missed`` how many vehicles cross such gates in that time of the week; None where the
    statistics do not know. ``reason`` is a text for people.
    """

    quality: Quality = Quality.LIVE
    blind_since: datetime | None = None
    blind_seconds: float = 0.0
    expected_missed: float | None = None
    reason: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the count may be shown."""
        return self.quality is not Quality.UNKNOWN


def recommended_floor(floors: Sequence[Occupancy], unknown: Container[str] = ()) -> Occupancy | None:
    """The floor to send the next vehicle to: active, not full, with most free slots, the first by name of equals.

    Floors whose names are in ``unknown`` are left out. None where no other active floor has a free slot.
    """
    open_floors = [floor for floor in floors if floor.is_active and not floor.is_full and floor.name not in unknown]
    return min(open_floors, key=lambda floor: (-floor.available_slots, floor.name), default=None)


def why_none_is_recommended(floors: Sequence[Occupancy], unknown: Container[str] = ()) -> str:
    """Why no vehicle can be sent to any of all floors, where ``recommended_floor`` gives none."""
    active = [floor for floor in floors if floor.is_active]
    if not active:
        return "no floor is active"
    not_known = [floor.name for floor in active if floor.name in unknown]
    if not not_known:
        return "every active floor is full"
    if len(not_known) == len(active):
        return "the count of every active floor is unknown"
    return f"every active floor is full, or its count is unknown ({', '.join(not_known)})"

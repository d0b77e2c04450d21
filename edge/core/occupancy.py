"""Holds how full a floor is, its name in MQTT topics, and the rule which floor to recommend."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


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


def recommended_floor(floors: list[Occupancy]) -> Occupancy | None:
    """The floor to send the next vehicle to: active, not full, with most free slots, the first by name of equals.

    None where no active floor has a free slot.
    """
    open_floors = [floor for floor in floors if floor.is_active and not floor.is_full]
    return min(open_floors, key=lambda floor: (-floor.available_slots, floor.name), default=None)

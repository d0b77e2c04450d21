"""How full a floor is, and which floor to recommend."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


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

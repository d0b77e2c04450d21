"""Adds floors and events to try the program with."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from edge.core.events import Direction, Event, VehicleType
from edge.store.counts.audit import Attribution, Audit
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.sql.query import write_transaction

if TYPE_CHECKING:
    from peewee import Database

# Name, slots, active.
_FLOORS = (
    ("Ground Floor", 50, True),
    ("First Floor", 45, True),
    ("Second Floor", 40, True),
    ("Basement Level 1", 60, False),
)
_CAMERA = "sample"
_EVENTS = 15
_EXITS = {6, 10, 12, 14}
_SEED = 15


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was added: the names of floors, and the number of events."""

    floors: list[str]
    events: int


def seed_database(db: Database, by: Attribution | None = None, *, sample: bool = False) -> Seeded:
    """Create the four floors that are missing and, with ``sample``, 15 events of the last day; in one transaction.

    What is stored already stays as it is, and sample events are added only where there are none, so that a second call
    changes nothing.
    """
    by = by or Attribution()
    floors, events = Floors(db), Events(db)
    with write_transaction(db):
        known = {floor.name for floor in floors.all(deleted=True)}
        created = []
        for name, slots, active in _FLOORS:
            if name not in known:
                floors.create(name, slots, by, is_active=active)
                created.append(name)
        added = 0
        if sample and not events.newest(1, camera=_CAMERA):
            added = sum(recorded.inserted for recorded in events.record_all(_sample_events(by), by.at))
            Audit(db).write(by, "seed", "sample events", None, {"events": added})
    return Seeded(created, added)


def _sample_events(by: Attribution) -> list[Event]:
    """More entries than exits, in turn on the active floors; no floor goes below 0."""
    chance = random.Random(_SEED)
    names = [name for name, _, active in _FLOORS if active]
    return [
        Event(
            camera_id=_CAMERA,
            floor=names[number % len(names)],
            track_id=f"SAMPLE-{number}",
            vehicle_type=list(VehicleType)[(number * 5) % len(VehicleType)] if number % 2 else VehicleType.CAR,
            direction=Direction.EXIT if number in _EXITS else Direction.ENTRY,
            confidence=round(chance.uniform(0.5, 0.99), 2),
            timestamp=by.at - timedelta(hours=23, minutes=50) + timedelta(minutes=95 * number + chance.randrange(20)),
        )
        for number in range(_EVENTS)
    ]

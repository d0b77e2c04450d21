"""Floors and events to try things with."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from edge.core.events import Direction, Event, VehicleType
from edge.store.counts.audit import Audit
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.sql.query import write_transaction

if TYPE_CHECKING:
    from peewee import Database

    from edge.store.counts.audit import Act

# Name, slots, active.
FLOORS = (
    ("Ground Floor", 50, True),
    ("First Floor", 45, True),
    ("Second Floor", 40, True),
    ("Basement Level 1", 60, False),
)
SAMPLE_CAMERA = "sample"
SAMPLE_EVENTS = 15
SAMPLE_EXITS = {6, 10, 12, 14}


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was added: names of floors, and a number of events."""

    floors: list[str]
    events: int


def seed(db: Database, act: Act, *, sample: bool = False) -> Seeded:
    """Make the floors that are missing and, with ``sample``, 15 events of the last day; all in one transaction.

    What is there stays as it is, and sample events are made only where there are none: twice is the same as once.
    """
    floors, events = Floors(db), Events(db)
    with write_transaction(db):
        names = {floor.name for floor in floors.stored()}
        made = []
        for name, slots, active in FLOORS:
            if name not in names:
                floors.create(name, slots, act, is_active=active)
                made.append(name)
        added = 0
        if sample and not events.newest(1, camera=SAMPLE_CAMERA):
            added = sum(item.inserted for item in events.record_all(_sample(act), act.at))
            Audit(db).write(act, "seed", "sample events", None, {"events": added})
    return Seeded(made, added)


def _sample(act: Act) -> list[Event]:
    """More come than go, in turn on the active floors; no floor goes below 0."""
    chance = random.Random(15)
    names = [name for name, _, active in FLOORS if active]
    return [
        Event(
            camera_id=SAMPLE_CAMERA,
            gate_id="gate",
            floor=names[number % len(names)],
            track_id=f"SAMPLE-{number}",
            vehicle_type=list(VehicleType)[(number * 5) % len(VehicleType)] if number % 2 else VehicleType.CAR,
            direction=Direction.EXIT if number in SAMPLE_EXITS else Direction.ENTRY,
            confidence=round(chance.uniform(0.5, 0.99), 2),
            timestamp=act.at - timedelta(hours=23, minutes=50) + timedelta(minutes=95 * number + chance.randrange(20)),
        )
        for number in range(SAMPLE_EVENTS)
    ]

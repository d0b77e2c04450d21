"""Tests of seeding a database: a second time changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from edge.store.counts.audit import Attribution, Audit
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.upkeep.seed import seed_database
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from peewee import Database


def test_missing_floors_and_events_are_added_once(db: Database, by: Attribution) -> None:
    """Four floors and 15 events of the last day are added, with entries of the audit log."""
    done = seed_database(db, by, sample=True)
    assert (done.floors, done.events) == (["Ground Floor", "First Floor", "Second Floor", "Basement Level 1"], 15)
    made = [floor for floor in Floors(db).all() if floor.name in done.floors]
    assert [(floor.total_slots, floor.is_active) for floor in made] == [(50, True), (45, True), (40, True), (60, False)]
    events = Events(db).newest(100)
    assert len(events) == 15
    assert all(by.at - timedelta(days=1) <= event.timestamp <= by.at for event in events)
    assert len({event.event.vehicle_type for event in events}) > 2
    assert [line.action for line in Audit(db).newest()] == ["seed", "create", "create", "create", "create"]
    assert verify(db) == []
    floors = Floors(db).all(deleted=True)
    again = seed_database(db, Attribution("bert", by.at + timedelta(hours=1)), sample=True)
    assert (again.floors, again.events) == ([], 0)
    assert (Floors(db).all(deleted=True), Events(db).count()) == (floors, 15)

"""Floors and events to try things with: twice is the same as once."""

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


def test_what_is_missing_is_made_once(db: Database, act: Attribution) -> None:
    """Four floors with their slots, 15 events of the last day, a line each in the audit log; then nothing more."""
    done = seed_database(db, act, sample=True)
    assert (done.floors, done.events) == (["Ground Floor", "First Floor", "Second Floor", "Basement Level 1"], 15)
    made = [floor for floor in Floors(db).all() if floor.name in done.floors]
    assert [(floor.total_slots, floor.is_active) for floor in made] == [(50, True), (45, True), (40, True), (60, False)]
    events = Events(db).newest(100)
    assert len(events) == 15
    assert all(act.at - timedelta(days=1) <= event.timestamp <= act.at for event in events)
    assert len({event.event.vehicle_type for event in events}) > 2
    assert [line.action for line in Audit(db).newest()] == ["seed", "create", "create", "create", "create"]
    assert verify(db) == []
    floors = Floors(db).all(deleted=True)
    again = seed_database(db, Attribution("bert", act.at + timedelta(hours=1)), sample=True)
    assert (again.floors, again.events) == ([], 0)
    assert (Floors(db).all(deleted=True), Events(db).count()) == (floors, 15)

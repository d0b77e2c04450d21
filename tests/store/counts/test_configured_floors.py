"""Tests of applying the configuration: it changes floors, and never their counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.config.schema import FloorConfig
from edge.core.errors import RefusedError
from edge.store.counts.audit import Attribution, Audit
from edge.store.counts.configured_floors import apply_configuration
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.ledger import Ledger
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from peewee import Database

    from edge.core.events import Event


def test_the_same_configuration_changes_nothing(db: Database, floors: tuple[FloorConfig, ...], by: Attribution) -> None:
    """No row is written, and no entry of the audit log."""
    before = Floors(db).all(deleted=True)
    assert apply_configuration(db, floors, by) == []
    assert Floors(db).all(deleted=True) == before
    assert Audit(db).newest() == []


def test_differences_are_applied_and_audited_and_counts_stay(
    db: Database, by: Attribution, make_event: Callable[..., Event]
) -> None:
    """Slots, description and activity become those of the configuration; no opening count changes."""
    Events(db).record(make_event(1), by.at)
    changes = apply_configuration(
        db,
        [
            FloorConfig(name="Ground", total_slots=60, description="new", opening_vehicles=33),
            FloorConfig(name="Roof", total_slots=2, is_active=False),
            FloorConfig(name="Cellar", total_slots=7, opening_vehicles=3),
        ],
        by,
    )
    assert changes == [
        "floor 'Ground': description is 'new', was 'by the street'",
        "floor 'Ground': total_slots is 60, was 50",
        "floor 'Roof': is_active is False, was True",
        "floor 'Cellar' is created",
    ]
    ground, roof, cellar = Floors(db).all()
    assert (ground.total_slots, ground.current_vehicles, ground.description) == (60, 11, "new")
    assert (roof.is_active, cellar.current_vehicles) == (False, 3)
    assert [line.action for line in Audit(db).newest()] == ["create", "configure", "configure"]
    assert verify(db) == []


def test_a_floor_that_is_no_longer_configured_is_deactivated_once(
    db: Database, floors: tuple[FloorConfig, ...], by: Attribution, make_event: Callable[..., Event]
) -> None:
    """Its events stay; a technician may activate it; configured again, it follows the configuration again."""
    Events(db).record(make_event(1, floor="Roof"), by.at)
    assert apply_configuration(db, floors[:1], by) == [
        "floor 'Roof' is no longer in the configuration and is deactivated; its events stay"
    ]
    assert not Floors(db).by_name("Roof").is_active
    assert Events(db).count() == 1
    Floors(db).set_active("Roof", by, active=True)
    assert apply_configuration(db, floors[:1], by) == []
    assert Floors(db).by_name("Roof").is_active
    Floors(db).delete("Roof", by)
    assert apply_configuration(db, floors, by) == [
        "floor 'Roof': is_deleted is False, was True",
        "floor 'Roof': is_configured is True, was False",
    ]
    assert Floors(db).by_name("Roof").deleted_at is None


def test_a_floor_created_by_a_command_is_left_alone(
    db: Database, floors: tuple[FloorConfig, ...], by: Attribution
) -> None:
    """It never was in the configuration."""
    Floors(db).create("Overflow yard", 9, by)
    assert apply_configuration(db, floors, by) == []
    assert Floors(db).by_name("Overflow yard").is_active


def test_a_count_above_the_new_slots_is_clamped(db: Database, floors: tuple[FloorConfig, ...], by: Attribution) -> None:
    """The ledger has the difference."""
    apply_configuration(db, [FloorConfig(name="Ground", total_slots=6), floors[1]], by)
    assert Floors(db).by_name("Ground").current_vehicles == 6
    assert [(entry.reason, entry.delta) for entry in Ledger(db).adjustments()] == [("overflow", -4)]
    assert verify(db) == []


def test_an_impossible_name_changes_nothing(db: Database, by: Attribution) -> None:
    """Nothing of the configuration is applied then."""
    before = Floors(db).all(deleted=True)
    bad = [FloorConfig(name="Ground", total_slots=1), FloorConfig.model_construct(name="a\nb", total_slots=1)]
    with pytest.raises(RefusedError, match="floor's name"):
        apply_configuration(db, bad, by)
    assert Floors(db).all(deleted=True) == before

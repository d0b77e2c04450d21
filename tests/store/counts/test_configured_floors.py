"""Floors follow the configuration, and their counts do not."""

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


def test_the_same_configuration_changes_nothing(
    db: Database, floors: tuple[FloorConfig, ...], act: Attribution
) -> None:
    """A start without a change writes no row and no line."""
    before = Floors(db).all(deleted=True)
    assert apply_configuration(db, floors, act) == []
    assert Floors(db).all(deleted=True) == before
    assert Audit(db).newest() == []


def test_differences_are_applied_and_audited_and_counts_stay(
    db: Database, act: Attribution, make_event: Callable[..., Event]
) -> None:
    """Slots, description and activity are those of the file; the opening count of a floor that is there is not."""
    Events(db).record(make_event(1), act.at)
    told = apply_configuration(
        db,
        [
            FloorConfig(name="Ground", total_slots=60, description="new", opening_vehicles=33),
            FloorConfig(name="Roof", total_slots=2, is_active=False),
            FloorConfig(name="Cellar", total_slots=7, opening_vehicles=3),
        ],
        act,
    )
    assert told == [
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


def test_a_floor_that_left_the_file_is_deactivated_once(
    db: Database, floors: tuple[FloorConfig, ...], act: Attribution, make_event: Callable[..., Event]
) -> None:
    """Its events stay; a technician may use it on; back in the file it follows the file again."""
    Events(db).record(make_event(1, floor="Roof"), act.at)
    assert apply_configuration(db, floors[:1], act) == [
        "floor 'Roof' is no longer in the configuration and is deactivated; its events stay"
    ]
    assert not Floors(db).by_name("Roof").is_active
    assert Events(db).count() == 1
    Floors(db).set_active("Roof", act, active=True)
    assert apply_configuration(db, floors[:1], act) == []
    assert Floors(db).by_name("Roof").is_active
    Floors(db).delete("Roof", act)
    assert apply_configuration(db, floors, act) == [
        "floor 'Roof': is_deleted is False, was True",
        "floor 'Roof': is_configured is True, was False",
    ]
    assert Floors(db).by_name("Roof").deleted_at is None


def test_a_floor_made_in_the_shell_is_left_alone(
    db: Database, floors: tuple[FloorConfig, ...], act: Attribution
) -> None:
    """It never stood in the file, so it did not leave it."""
    Floors(db).create("Overflow yard", 9, act)
    assert apply_configuration(db, floors, act) == []
    assert Floors(db).by_name("Overflow yard").is_active


def test_taken_slots_that_go_are_in_the_ledger(db: Database, floors: tuple[FloorConfig, ...], act: Attribution) -> None:
    """A count above the new slots is clamped, and the drift is visible."""
    apply_configuration(db, [FloorConfig(name="Ground", total_slots=6), floors[1]], act)
    assert Floors(db).by_name("Ground").current_vehicles == 6
    assert [(entry.reason, entry.delta) for entry in Ledger(db).adjustments()] == [("overflow", -4)]
    assert verify(db) == []


def test_an_impossible_name_changes_nothing(db: Database, act: Attribution) -> None:
    """Nothing of the file is applied then."""
    before = Floors(db).all(deleted=True)
    bad = [FloorConfig(name="Ground", total_slots=1), FloorConfig.model_construct(name="a\nb", total_slots=1)]
    with pytest.raises(RefusedError, match="floor's name"):
        apply_configuration(db, bad, act)
    assert Floors(db).all(deleted=True) == before

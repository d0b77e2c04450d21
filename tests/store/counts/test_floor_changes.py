"""Tests of what a person changes on a floor: ledger, audit log, and refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.errors import RefusedError
from edge.core.events import Direction
from edge.store.counts.audit import Attribution, Audit
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.ledger import Ledger
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from peewee import Database

    from edge.core.events import Event


def everything(db: Database) -> list[list[tuple[object, ...]]]:
    """Every row of the tables that a change may touch."""
    return [db.execute_sql(f"SELECT * FROM {table}").fetchall() for table in ("floors", "adjustments", "audit_log")]


def test_a_floor_is_created_and_found(db: Database, by: Attribution, now: datetime) -> None:
    """It is found by name and id with the given values, and the audit log has who created it."""
    made = Floors(db).create("Basement", 60, by, description="low", opening_vehicles=7, is_active=False)
    assert Floors(db).by_name("Basement") == Floors(db).by_id(made.floor_id) == made
    assert (made.total_slots, made.current_vehicles, made.available_slots) == (60, 7, 53)
    assert (made.occupancy_percentage, made.is_configured, made.deleted_at) == (11.7, False, None)
    assert made.created_at == made.as_of == now
    [line] = Audit(db).newest()
    assert (line.actor, line.action, line.subject, line.note, line.at) == (
        *("anna", "create", "floor Basement", "by hand"),
        now,
    )
    assert line.before is None
    assert line.after is not None
    assert line.after["current_vehicles"] == 7
    assert verify(db) == []


def test_the_recommended_floor_has_most_free_slots(db: Database, by: Attribution) -> None:
    """Only active floors are recommended, ties are decided by name, and none is when all are full."""
    floors = Floors(db)
    assert floors.recommended() == floors.active()[0]
    floors.create("Attic", 40, by)
    floors.create("Big", 90, by, is_active=False)
    best = floors.recommended()
    assert best is not None
    assert best.name == "Attic"
    assert [floor.name for floor in floors.active()] == ["Ground", "Roof", "Attic"]
    for name, total in (("Ground", 50), ("Roof", 2), ("Attic", 40)):
        floors.correct(name, total, by)
    assert floors.recommended() is None


def test_an_update_changes_what_is_given(db: Database, by: Attribution) -> None:
    """Other values stay, the audit log has what differs; a repetition changes nothing."""
    floors = Floors(db)
    changed = floors.update("Ground", by, new_name="Ground Floor", description="new", total_slots=55)
    assert (changed.name, changed.description, changed.total_slots) == ("Ground Floor", "new", 55)
    assert (changed.current_vehicles, changed.seq) == (10, 2)
    [line] = Audit(db).newest()
    assert line.before == {"name": "Ground", "description": "by the street", "total_slots": 50}
    assert line.after == {"name": "Ground Floor", "description": "new", "total_slots": 55}
    before = everything(db)
    assert floors.update("Ground Floor", by, description="new", total_slots=55) == changed
    assert everything(db) == before


def test_slots_below_the_count_clamp_it_in_the_ledger(db: Database, by: Attribution) -> None:
    """The count stays within the slots, and the ledger has the difference with the reason."""
    changed = Floors(db).update("Ground", Attribution("anna", by.at), total_slots=4)
    assert (changed.total_slots, changed.current_vehicles) == (4, 4)
    [entry] = Ledger(db).adjustments()
    assert (entry.reason, entry.before, entry.after, entry.actor, entry.note) == (
        *("overflow", 10, 4, "anna"),
        "4 slots left",
    )
    assert verify(db) == []


def test_a_correction_is_an_adjustment(db: Database, by: Attribution, make_event: Callable[..., Event]) -> None:
    """The count becomes the given one, later events continue from it, and ledger and audit log have who and why."""
    assert Floors(db).correct("Ground", 17, by).current_vehicles == 17
    [entry] = Ledger(db).adjustments()
    assert (entry.floor, entry.delta, entry.reason, entry.actor, entry.note, entry.at) == (
        *("Ground", 7, "correction", "anna", "by hand"),
        by.at,
    )
    assert Events(db).record(make_event(1), by.at).occupancy.current_vehicles == 18
    assert verify(db) == []
    [line] = Audit(db).newest()
    assert (line.action, line.before, line.after) == (
        "correction",
        {"current_vehicles": 10},
        {"current_vehicles": 17},
    )
    Floors(db).correct("Ground", 18, by)
    assert len(Ledger(db).adjustments()) == 1
    assert Audit(db).newest()[0].after == {"current_vehicles": 18}


@pytest.mark.parametrize(
    ("delta", "after", "rows"),
    [
        (5, 15, [("change", 10, 15)]),
        (-10, 0, [("change", 10, 0)]),
        (-12, 0, [("change", 10, -2), ("underflow", -2, 0)]),
        (41, 50, [("change", 10, 51), ("overflow", 51, 50)]),
        (0, 10, []),
    ],
)
def test_a_change_of_the_count_is_an_adjustment(
    db: Database, by: Attribution, delta: int, after: int, rows: list[tuple[str, int, int]]
) -> None:
    """What exceeds the bounds is clamped by an adjustment of its own."""
    assert Floors(db).update_vehicle_count("Ground", delta, by).current_vehicles == after
    assert [(entry.reason, entry.before, entry.after) for entry in reversed(Ledger(db).adjustments())] == rows
    assert len(Audit(db).newest()) == bool(rows)
    assert verify(db) == []


def test_a_deleted_floor_is_hidden_and_can_be_restored(
    db: Database, by: Attribution, make_event: Callable[..., Event]
) -> None:
    """No list has it, its name stays taken, events are still counted, and a restore brings everything back."""
    floors = Floors(db)
    later = Attribution("bert", by.at + timedelta(minutes=1))
    gone = floors.delete("Ground", later)
    assert gone.deleted_at == later.at
    assert [floor.name for floor in floors.all()] == [floor.name for floor in floors.active()] == ["Roof"]
    assert [floor.name for floor in floors.all(deleted=True)] == ["Ground", "Roof"]
    assert floors.by_name("Ground") == gone
    with pytest.raises(RefusedError, match="restore that floor"):
        floors.create("Ground", 1, by)
    with pytest.raises(RefusedError, match="deleted; restore it first"):
        floors.set_active("Ground", by, active=True)
    assert Events(db).record(make_event(1), by.at).inserted
    before = everything(db)
    floors.delete("Ground", by)
    assert everything(db) == before
    back = floors.restore("Ground", by)
    assert (back.deleted_at, back.current_vehicles, back.is_active) == (None, 11, True)
    assert [line.action for line in Audit(db).newest()] == ["restore", "delete"]
    assert verify(db) == []


def test_an_inactive_floor_is_listed_and_counted(
    db: Database, by: Attribution, make_event: Callable[..., Event]
) -> None:
    """It is never recommended."""
    floors = Floors(db)
    floors.set_active("Ground", by, active=False)
    assert [floor.name for floor in floors.all()] == ["Ground", "Roof"]
    best = floors.recommended()
    assert best is not None
    assert best.name == "Roof"
    assert Events(db).record(make_event(1, direction=Direction.EXIT), by.at).occupancy.current_vehicles == 9
    assert floors.set_active("Ground", by, active=True).is_active


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda floors, by: floors.by_name("Attic"), "no floor 'Attic' in the database .it has 'Ground', 'Roof'"),
        (lambda floors, by: floors.by_name("x" * 10_000), "no floor 'xxx"),
        (lambda floors, by: floors.by_name("'; DROP TABLE floors; --"), "no floor"),
        (lambda floors, by: floors.correct("Attic", 1, by), "no floor 'Attic'"),
        (lambda floors, by: floors.correct("Roof", 3, by), "'Roof' is 3; it must be a whole number from 0 to 2"),
        (lambda floors, by: floors.correct("Roof", -1, by), "is -1"),
        (lambda floors, by: floors.correct("Roof", True, by), "is True"),
        (lambda floors, by: floors.update("Roof", by, total_slots=-1), "total_slots is -1; it must be"),
        (lambda floors, by: floors.update("Roof", by, new_name="Ground"), "'Ground' has that name"),
        (lambda floors, by: floors.update("Roof", by, new_name="a\nb"), "control characters"),
        (lambda floors, by: floors.update("Roof", by, description="d" * 1001), "1001 characters"),
        (lambda floors, by: floors.create("x" * 10_000, 1, by), "10000 characters; it must have 1 to 200"),
        (lambda floors, by: floors.create("", 1, by), "0 characters"),
        (lambda floors, by: floors.create("--", 1, by), "neither letter nor digit"),
        (lambda floors, by: floors.create("ROOF!", 1, by), "'Roof' has that name, or a name with the same topic"),
        (lambda floors, by: floors.create("New", -1, by), "total_slots is -1"),
        (lambda floors, by: floors.create("New", 5, by, opening_vehicles=6), "opening_vehicles is 6; .* 0 to 5"),
        (lambda floors, by: floors.update_vehicle_count("Roof", 10**9, by), "the change is 1000000000"),
        (lambda floors, by: floors.correct("Roof", 1, replace(by, note="n" * 1001)), "the note has 1001"),
        (lambda floors, by: floors.correct("Roof", 1, replace(by, actor="")), "the actor has 0 characters"),
        (
            lambda floors, by: floors.correct("Roof", 1, replace(by, at=datetime(2026, 1, 1))),  # noqa: DTZ001
            "no time zone",
        ),
    ],
)
def test_an_impossible_value_is_refused_and_changes_nothing(
    db: Database, by: Attribution, call: Callable[..., Any], reason: str
) -> None:
    """The error is one sentence that names the value."""
    before = everything(db)
    with pytest.raises(RefusedError, match=reason) as caught:
        call(Floors(db), by)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    assert everything(db) == before


def test_a_name_that_is_sql_is_a_name(db: Database, by: Attribution) -> None:
    """It is stored, found and returned as it is."""
    name = "'; DROP TABLE floors; --"
    Floors(db).create(name, 3, by)
    assert Floors(db).correct(name, 2, by).name == name
    assert len(Floors(db).all()) == 3

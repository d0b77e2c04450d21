"""What a person may change of a floor, what it leaves in ledger and audit log, and what is refused."""

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


def test_a_floor_is_created_and_found(db: Database, act: Attribution, now: datetime) -> None:
    """It is there by name and id with what was said, and the audit log tells who made it."""
    made = Floors(db).create("Basement", 60, act, description="low", opening_vehicles=7, is_active=False)
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


def test_the_recommended_floor_has_most_free_places(db: Database, act: Attribution) -> None:
    """Active ones only, ties by name, none when all are full; the active ones are listed."""
    floors = Floors(db)
    assert floors.recommended() == floors.active()[0]
    floors.create("Attic", 40, act)
    floors.create("Big", 90, act, is_active=False)
    best = floors.recommended()
    assert best is not None
    assert best.name == "Attic"
    assert [floor.name for floor in floors.active()] == ["Ground", "Roof", "Attic"]
    for name, total in (("Ground", 50), ("Roof", 2), ("Attic", 40)):
        floors.correct(name, total, act)
    assert floors.recommended() is None


def test_an_update_changes_what_is_given(db: Database, act: Attribution) -> None:
    """The rest stays, the sequence number grows by one, and the log holds what differs; the same again does nothing."""
    floors = Floors(db)
    changed = floors.update("Ground", act, new_name="Ground Floor", description="new", total_slots=55)
    assert (changed.name, changed.description, changed.total_slots) == ("Ground Floor", "new", 55)
    assert (changed.current_vehicles, changed.seq) == (10, 2)
    [line] = Audit(db).newest()
    assert line.before == {"name": "Ground", "description": "by the street", "total_slots": 50}
    assert line.after == {"name": "Ground Floor", "description": "new", "total_slots": 55}
    before = everything(db)
    assert floors.update("Ground Floor", act, description="new", total_slots=55) == changed
    assert everything(db) == before


def test_slots_below_the_count_clamp_it_in_the_ledger(db: Database, act: Attribution) -> None:
    """A floor that loses taken places stays within its bounds, and the difference is a row that says why."""
    changed = Floors(db).update("Ground", Attribution("anna", act.at), total_slots=4)
    assert (changed.total_slots, changed.current_vehicles) == (4, 4)
    [entry] = Ledger(db).adjustments()
    assert (entry.reason, entry.before, entry.after, entry.actor, entry.note) == (
        *("overflow", 10, 4, "anna"),
        "4 slots left",
    )
    assert verify(db) == []


def test_a_correction_is_an_adjustment(db: Database, act: Attribution, make_event: Callable[..., Event]) -> None:
    """The count is what the person counted; later events go on from it; the ledger and the log say who and why."""
    assert Floors(db).correct("Ground", 17, act).current_vehicles == 17
    [entry] = Ledger(db).adjustments()
    assert (entry.floor, entry.delta, entry.reason, entry.actor, entry.note, entry.at) == (
        *("Ground", 7, "correction", "anna", "by hand"),
        act.at,
    )
    assert Events(db).record(make_event(1), act.at).occupancy.current_vehicles == 18
    assert verify(db) == []
    [line] = Audit(db).newest()
    assert (line.action, line.before, line.after) == (
        "correction",
        {"current_vehicles": 10},
        {"current_vehicles": 17},
    )
    Floors(db).correct("Ground", 18, act)
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
def test_a_change_of_the_count_goes_through_the_ledger(
    db: Database, act: Attribution, delta: int, after: int, rows: list[tuple[str, int, int]]
) -> None:
    """So many came or went; what does not fit is clamped with a row of its own."""
    assert Floors(db).update_vehicle_count("Ground", delta, act).current_vehicles == after
    assert [(entry.reason, entry.before, entry.after) for entry in reversed(Ledger(db).adjustments())] == rows
    assert len(Audit(db).newest()) == bool(rows)
    assert verify(db) == []


def test_a_deleted_floor_is_hidden_and_comes_back(
    db: Database, act: Attribution, make_event: Callable[..., Event]
) -> None:
    """No list has it, its name stays taken, vehicles are counted on, and a restore brings back all of it."""
    floors = Floors(db)
    later = Attribution("bert", act.at + timedelta(minutes=1))
    gone = floors.delete("Ground", later)
    assert gone.deleted_at == later.at
    assert [floor.name for floor in floors.all()] == [floor.name for floor in floors.active()] == ["Roof"]
    assert [floor.name for floor in floors.all(deleted=True)] == ["Ground", "Roof"]
    assert floors.by_name("Ground") == gone
    with pytest.raises(RefusedError, match="restore that floor"):
        floors.create("Ground", 1, act)
    with pytest.raises(RefusedError, match="deleted; restore it first"):
        floors.set_active("Ground", act, active=True)
    assert Events(db).record(make_event(1), act.at).inserted
    before = everything(db)
    floors.delete("Ground", act)
    assert everything(db) == before
    back = floors.restore("Ground", act)
    assert (back.deleted_at, back.current_vehicles, back.is_active) == (None, 11, True)
    assert [line.action for line in Audit(db).newest()] == ["restore", "delete"]
    assert verify(db) == []


def test_an_inactive_floor_is_listed_and_counts(
    db: Database, act: Attribution, make_event: Callable[..., Event]
) -> None:
    """It is never recommended; its vehicles are counted all the same."""
    floors = Floors(db)
    floors.set_active("Ground", act, active=False)
    assert [floor.name for floor in floors.all()] == ["Ground", "Roof"]
    best = floors.recommended()
    assert best is not None
    assert best.name == "Roof"
    assert Events(db).record(make_event(1, direction=Direction.EXIT), act.at).occupancy.current_vehicles == 9
    assert floors.set_active("Ground", act, active=True).is_active


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda floors, act: floors.by_name("Attic"), "no floor 'Attic' in the database .it has 'Ground', 'Roof'"),
        (lambda floors, act: floors.by_name("x" * 10_000), "no floor 'xxx"),
        (lambda floors, act: floors.by_name("'; DROP TABLE floors; --"), "no floor"),
        (lambda floors, act: floors.correct("Attic", 1, act), "no floor 'Attic'"),
        (lambda floors, act: floors.correct("Roof", 3, act), "'Roof' is 3; it must be a whole number from 0 to 2"),
        (lambda floors, act: floors.correct("Roof", -1, act), "is -1"),
        (lambda floors, act: floors.correct("Roof", True, act), "is True"),
        (lambda floors, act: floors.update("Roof", act, total_slots=-1), "total_slots is -1; it must be"),
        (lambda floors, act: floors.update("Roof", act, new_name="Ground"), "'Ground' has that name"),
        (lambda floors, act: floors.update("Roof", act, new_name="a\nb"), "control characters"),
        (lambda floors, act: floors.update("Roof", act, description="d" * 1001), "1001 characters"),
        (lambda floors, act: floors.create("x" * 10_000, 1, act), "10000 characters; it must have 1 to 200"),
        (lambda floors, act: floors.create("", 1, act), "0 characters"),
        (lambda floors, act: floors.create("--", 1, act), "neither letter nor digit"),
        (lambda floors, act: floors.create("ROOF!", 1, act), "'Roof' has that name, or a name with the same topic"),
        (lambda floors, act: floors.create("New", -1, act), "total_slots is -1"),
        (lambda floors, act: floors.create("New", 5, act, opening_vehicles=6), "opening_vehicles is 6; .* 0 to 5"),
        (lambda floors, act: floors.update_vehicle_count("Roof", 10**9, act), "the change is 1000000000"),
        (lambda floors, act: floors.correct("Roof", 1, replace(act, note="n" * 1001)), "the note has 1001"),
        (lambda floors, act: floors.correct("Roof", 1, replace(act, actor="")), "the actor has 0 characters"),
        (
            lambda floors, act: floors.correct("Roof", 1, replace(act, at=datetime(2026, 1, 1))),  # noqa: DTZ001
            "no time zone",
        ),
    ],
)
def test_bad_input_is_one_clear_sentence_and_changes_nothing(
    db: Database, act: Attribution, call: Callable[..., Any], reason: str
) -> None:
    """Each is refused with what is wrong, and no table differs afterwards."""
    before = everything(db)
    with pytest.raises(RefusedError, match=reason) as caught:
        call(Floors(db), act)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    assert everything(db) == before


def test_a_name_that_is_sql_is_a_name(db: Database, act: Attribution) -> None:
    """It is stored, found and shown as it is."""
    name = "'; DROP TABLE floors; --"
    Floors(db).create(name, 3, act)
    assert Floors(db).correct(name, 2, act).name == name
    assert len(Floors(db).all()) == 3

"""Tests of ``smartpark floors``, which lists and changes floors and records who did it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge.host.instance_lock import InstanceLock
from edge.store.counts.audit import Attribution
from edge.store.counts.configured_floors import apply_configuration
from edge.store.schema.connect import open_database

if TYPE_CHECKING:
    from pathlib import Path


def test_floors_alone_lists_the_floors(seeded: Any) -> None:
    """`smartpark floors`, with options or without, is `floors list`; an unknown command is wrong usage."""
    assert seeded("floors").stdout == seeded("floors", "list").stdout
    assert [floor["name"] for floor in seeded.json("floors")] == [
        *("Ground Floor", "First Floor", "Second Floor"),
        "Basement Level 1",
    ]
    assert len(seeded.json("floors", "list", "--active")) == 3
    assert "No such command 'fly'" in seeded("floors", "fly", code=2).stderr


def test_a_reset_has_its_own_reason_in_the_ledger(seeded: Any) -> None:
    """The count is set to 0 or to a number, and ledger and audit log have `reset` instead of `correction`."""
    before = seeded.floors()["Ground Floor"]["current_vehicles"]
    assert seeded.json("floors", "reset", "Ground Floor")["current_vehicles"] == 0
    assert seeded.json("floors", "reset", "Ground Floor", "3", "--note", "the night's guests")["current_vehicles"] == 3
    adjustments = seeded.json("floors", "show", "Ground Floor")["adjustments"]
    assert [(entry["delta"], entry["reason"]) for entry in adjustments] == [(3, "reset"), (-before, "reset")]
    assert [line["action"] for line in seeded.json("db", "audit")[:2]] == ["reset", "reset"]
    assert seeded("floors", "reset", "Ground Floor", "999", code=1).stderr
    seeded("db", "verify")


def test_a_correction_records_the_user_and_the_note(seeded: Any) -> None:
    """The floor has the new count, ledger and audit log have the user behind sudo, and verify finds no fault."""
    before = seeded.floors()["Ground Floor"]["current_vehicles"]
    floor = seeded.json("floors", "correct", "Ground Floor", "17", "--note", "walked it")
    assert floor["current_vehicles"] == 17
    shown = seeded.json("floors", "show", "Ground Floor")
    assert shown["ledger"]["count"] == 17
    [entry] = shown["adjustments"]
    assert (entry["delta"], entry["reason"], entry["actor"], entry["note"]) == (
        *(17 - before, "correction", "anna"),
        "walked it",
    )
    line = seeded.json("db", "audit")[0]
    assert (line["actor"], line["action"], line["subject"], line["note"]) == (
        *("anna", "correction", "floor Ground Floor"),
        "walked it",
    )
    assert (line["before"], line["after"]) == ({"current_vehicles": before}, {"current_vehicles": 17})
    assert "adjusted = 17" in seeded("floors", "show", "Ground Floor").stdout
    assert seeded.json("floors", "show", f"#{shown['id']}")["name"] == "Ground Floor"
    seeded("db", "verify")


def test_floors_are_made_changed_deleted_and_restored(seeded: Any) -> None:
    """Each of create, update, adjust, deactivate, activate, delete and restore has its effect and its audit line."""
    made = seeded.json("floors", "create", "Roof", "--slots", "3", "--description", "windy", "--vehicles", "1")
    assert (made["total_slots"], made["available_slots"], made["opening_vehicles"]) == (3, 2, 1)
    assert seeded.json("floors", "update", "Roof", "--name", "Top", "--slots", "4")["total_slots"] == 4
    assert seeded.json("floors", "adjust", "Top", "--by", "-3")["current_vehicles"] == 0
    assert [e["reason"] for e in seeded.json("floors", "show", "Top")["adjustments"]] == ["underflow", "change"]
    assert seeded.json("floors", "deactivate", "Top")["is_active"] is False
    assert seeded.json("floors", "activate", "Top")["is_active"] is True
    seeded("floors", "delete", "Top")
    assert "Top" not in [floor["name"] for floor in seeded.json("floors")]
    assert "deleted" in seeded("floors", "list", "--all").stdout
    assert seeded.json("floors", "restore", "Top")["deleted_at"] is None
    actions = [line["action"] for line in seeded.json("db", "audit", "--limit", "7")]
    assert actions == ["restore", "delete", "activate", "deactivate", "change", "update", "create"]
    seeded("db", "verify")


def test_the_recommended_floor_is_shown(seeded: Any) -> None:
    """It is the active floor with most free places; without one, the message says why and the exit code is 1."""
    best = seeded.json("floors", "recommended")
    assert best["name"] == "Ground Floor"
    assert "Ground Floor: " in seeded("floors", "recommended").stdout
    for name, floor in seeded.floors().items():
        seeded("floors", "correct", name, str(floor["total_slots"]))
    assert "every active floor is full" in seeded("floors", "recommended", code=1).stderr
    assert "none: every active floor is full" in seeded("status", code=3).stdout
    for name in seeded.floors():
        seeded("floors", "deactivate", name)
    assert "no floor is active" in seeded("floors", "recommended", code=1).stderr
    assert "none: no floor is active" in seeded("status", code=3).stdout


def test_deleting_for_good_asks_for_confirmation(seeded: Any) -> None:
    """Every answer but yes changes nothing; yes deletes the floor with its events."""
    before = seeded.content()
    for answer in ("n\n", "\n", ""):
        seeded("floors", "delete", "First Floor", "--hard", code=1, answer=answer)
    assert seeded.content() == before
    assert "for good?" in seeded("floors", "delete", "First Floor", "--hard", answer="y\n").stderr
    assert "First Floor" not in seeded.floors()
    assert seeded.json("floors", "delete", "Second Floor", "--hard", "--yes")["events"] == 5
    assert len(seeded.json("events", "--limit", "100")) == 5
    seeded("db", "verify")


def test_a_configured_floor_cannot_be_deleted_while_the_daemon_runs(seeded: Any, tmp_path: Path) -> None:
    """Its hard deletion is refused until the daemon has stopped; another change says that the file will undo it."""
    from edge.config.load import load_config

    config = load_config(tmp_path / "smartpark.toml", {})
    db = open_database(seeded.path, busy_timeout=5.0)
    apply_configuration(db, config.floors, Attribution("configuration", seeded_time(db)))
    db.close()
    assert "a start or reload sets it to the file's values" in seeded("floors", "deactivate", "Ground Floor").stderr
    daemon = InstanceLock(seeded.path)
    assert daemon.acquire()
    before = seeded.content()
    error = seeded("floors", "delete", "Ground Floor", "--hard", "--yes", code=1).stderr
    assert "remove it from the file and reload the daemon first" in error
    assert seeded.content() == before
    # Other commands work while a daemon runs.
    seeded("floors", "correct", "Ground Floor", "3")
    daemon.release()
    seeded("floors", "delete", "Ground Floor", "--hard", "--yes")


def seeded_time(db: Any) -> Any:
    """The time at which the floors were made."""
    from edge.store.counts.floors import Floors

    return Floors(db).all()[0].as_of


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["floors", "correct", "Attic", "3"], 1, "there is no floor 'Attic' in the database (it has 'Ground Floor'"),
        (
            ["floors", "correct", "Ground Floor", "51"],
            1,
            "'Ground Floor' is 51; it must be a whole number",
        ),
        (["floors", "correct", "Ground Floor", "-1"], 2, "-1"),
        (["floors", "correct", "Ground Floor", "many"], 2, "'many' is not a valid integer range"),
        (["floors", "create", "New", "--slots", "-1"], 2, "-1 is not in the range"),
        (["floors", "create", "New"], 2, "Missing option '--slots'"),
        (["floors", "create", "x" * 10_000, "--slots", "1"], 1, "has 10000 characters; it must have 1 to 200"),
        (["floors", "create", "ground-floor", "--slots", "1"], 1, "a name with the same topic"),
        (["floors", "create", "a\nb", "--slots", "1"], 1, "control characters"),
        (["floors", "update", "Ground Floor"], 2, "nothing to change"),
        (["floors", "update", "Ground Floor", "--slots", "-5"], 2, "-5 is not in the range"),
        (["floors", "show", "'; DROP TABLE floors; --"], 1, "there is no floor"),
        (["floors", "show", "y" * 10_000], 1, "there is no floor 'yyy"),
        (["floors", "delete", "Attic", "--hard", "--yes"], 1, "there is no floor 'Attic'"),
        (["floors", "restore", "Attic"], 1, "there is no floor 'Attic'"),
        (["floors", "correct", "Ground Floor", "3", "--note", "n" * 10_000], 1, "the note has 10000 characters"),
    ],
)
def test_bad_input_changes_nothing(seeded: Any, arguments: list[str], code: int, message: str) -> None:
    """The exit code is 1 for a refusal and 2 for wrong usage, with a short message and no traceback."""
    before = seeded.content()
    error = seeded(*arguments, code=code).stderr
    assert message in error
    assert "Traceback" not in error
    assert len(error) < 600
    assert seeded.content() == before


def test_a_name_that_looks_like_sql_is_stored_as_it_is(seeded: Any) -> None:
    """The floor is found by it, and no table is harmed."""
    name = "Robert'); DROP TABLE floors;--"
    assert seeded.json("floors", "create", name, "--slots", "2")["name"] == name
    assert seeded.json("floors", "correct", name, "1")["current_vehicles"] == 1
    assert len(seeded.floors()) == 5


def test_a_command_makes_no_database(shell: Any) -> None:
    """A command on a path without a database is refused, and makes no file there."""
    assert "use `smartpark db create`" in shell("floors", "correct", "Ground Floor", "3", code=1).stderr
    assert not shell.path.exists()

"""Tests of ``smartpark db``, which makes, checks, queries, repairs, upgrades and removes the database."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge.host.instance_lock import InstanceLock

FIRST_RELEASE = Path(__file__).parent.parent / "store" / "schema" / "v1.sql"


def test_create_makes_the_tables_once(shell: Any) -> None:
    """The second call finds them, and check and describe list them."""
    assert "made the tables" in shell("db", "create").stdout
    assert shell.json("db", "create") == {"database": str(shell.path), "created": False, "version": 3}
    assert all(shell.json("db", "check")["tables"].values())
    assert "all 9 tables exist" in shell("db", "check").stdout
    tables = shell.json("db", "describe")
    assert {column["name"] for column in tables["floors"]["columns"]} >= {"name", "total_slots", "deleted_at"}
    assert {"name": "floor_name", "unique": True, "columns": ["name"]} in tables["floors"]["indexes"]
    assert "confidence >= 0 AND confidence <= 1" in tables["events"]["checks"]
    text = shell("db", "describe").stdout
    assert "current_vehicles >= 0 AND current_vehicles <= total_slots" in text
    assert "event_floor_id_timestamp (floor_id, timestamp)" in text


def test_check_reports_a_missing_table(seeded: Any) -> None:
    """The exit code is 1, and the error names the table."""
    with closing(sqlite3.connect(seeded.path)) as connection:
        connection.executescript("DROP VIEW v_hourly; DROP TABLE event_hourly")
    assert "lacks the table event_hourly" in seeded("db", "check", code=1).stderr


def test_statistics_have_rows_and_sizes(seeded: Any) -> None:
    """They have the rows of each table, the pages of the file, and the write-ahead log."""
    found = seeded.json("db", "stats")
    assert {name: found["tables"][name]["rows"] for name in ("floors", "events", "outbox")} == {
        "floors": 4,
        "events": 15,
        "outbox": 15,
    }
    assert found["file_bytes"] == found["page_size"] * found["page_count"] == seeded.path.stat().st_size
    assert (found["version"], found["journal_mode"]) == (3, "wal")
    assert "events" in seeded("db", "stats").stdout


def test_seeding_twice_changes_nothing_more(shell: Any) -> None:
    """The first call makes four floors and 15 events of several types, in both directions, within the last day."""
    first = shell.json("db", "seed")
    assert [(f["name"], f["total_slots"], f["is_active"]) for f in first["floors"]] == [
        ("Ground Floor", 50, True),
        ("First Floor", 45, True),
        ("Second Floor", 40, True),
        ("Basement Level 1", 60, False),
    ]
    assert shell.json("events") == []
    assert shell.json("db", "seed", "--sample")["events_added"] == 15
    before = shell.content()
    again = shell.json("db", "seed", "--sample")
    assert (again["floors_added"], again["events_added"]) == ([], 0)
    assert shell.content() == before
    events = shell.json("events", "--since", "24h")
    assert len(events) == 15
    assert len({event["vehicle_type"] for event in events}) >= 3
    assert {event["direction"] for event in events} == {"entry", "exit"}
    assert shell.json("db", "query", "SELECT count(*) AS n FROM adjustments") == [{"n": 0}]
    assert "Basement Level 1" in shell("db", "seed").stdout


def test_a_query_cannot_write(seeded: Any) -> None:
    """SQLite refuses every statement that writes; table, CSV and JSON show the same rows."""
    sql = "SELECT id, name, deleted_at FROM floors ORDER BY id LIMIT 2"
    assert seeded.json("db", "query", sql) == [
        {"id": 1, "name": "Ground Floor", "deleted_at": None},
        {"id": 2, "name": "First Floor", "deleted_at": None},
    ]
    assert json.loads(seeded("db", "query", sql, "--format", "json").stdout) == seeded.json("db", "query", sql)
    rows = list(csv.reader(io.StringIO(seeded("db", "query", sql, "--format", "csv").stdout)))
    assert rows == [["id", "name", "deleted_at"], ["1", "Ground Floor", ""], ["2", "First Floor", ""]]
    assert "Ground Floor" in seeded("db", "query", sql).stdout
    before = seeded.content()
    for statement in (
        "DELETE FROM events",
        "WITH x AS (SELECT 1) UPDATE floors SET name = 'x'",
        "DROP TABLE floors",
        "PRAGMA user_version = 9",
        "VACUUM",
    ):
        assert "it would write" in seeded("db", "query", statement, code=1).stderr, statement
    for statement, message in (
        ("SELECT * FROM nowhere", "no such table: nowhere"),
        ("SELECT 1; DELETE FROM events", "one statement at a time"),
        ("SELEKT", "syntax error"),
        ("", "Missing"),
    ):
        done = seeded("db", "query", statement, code=0 if not statement else 1)
        assert not statement or message in done.stderr
    assert seeded.content() == before


def test_a_query_cannot_make_the_connection_writable(seeded: Any) -> None:
    """The connection stays read-only when query_only is switched off."""
    seeded("db", "query", "PRAGMA query_only = 0")
    assert "it would write" in seeded("db", "query", "DELETE FROM events", code=1).stderr


def test_verify_finds_and_repairs(seeded: Any) -> None:
    """A count that differs from its ledger has exit code 1; --repair corrects the ledger by an audited adjustment."""
    assert "The database is sound" in seeded("db", "verify").stdout
    with closing(sqlite3.connect(seeded.path)) as connection:
        connection.execute("UPDATE floors SET current_vehicles = 9 WHERE name = 'First Floor'")
        connection.commit()
    assert "'First Floor' (id 2) has 9 vehicles, its ledger says 3" in seeded("db", "verify", code=1).stdout
    done = seeded.json("db", "verify", "--repair", "--note", "after the flood")
    assert done == {
        "problems": [],
        "repaired": ["Floor 'First Floor': with an adjustment of +6 the ledger gives 9, which is the count."],
    }
    seeded("db", "verify")
    line = seeded.json("db", "audit")[0]
    assert (line["action"], line["actor"], line["note"]) == ("repair", "anna", "after the flood")
    assert seeded.floors()["First Floor"]["current_vehicles"] == 9


def test_drop_reinit_and_reset_ask_for_confirmation(seeded: Any) -> None:
    """The answer no changes nothing, and --yes answers the question."""
    before = seeded.content()
    for command in (["drop"], ["reinit"], ["reset"], ["reset", "--sample"]):
        seeded("db", *command, code=1, answer="n\n")
    assert seeded.content() == before
    seeded("floors", "correct", "Ground Floor", "40")
    assert len(seeded.json("db", "reset", "--sample", "--yes")["floors"]) == 4
    assert seeded.floors()["Ground Floor"]["current_vehicles"] == 1
    assert len(seeded.json("events")) == 15
    seeded("db", "reinit", answer="y\n")
    assert seeded.json("floors") == seeded.json("events") == []
    assert [line["action"] for line in seeded.json("db", "audit")] == ["begin anew"]
    seeded("db", "drop", "--yes")
    assert "has no tables yet" in seeded("db", "check", code=1).stderr
    error = seeded("floors", "create", "A", "--slots", "1", code=1).stderr
    assert "has no tables yet; use `smartpark db create`" in error
    seeded("db", "create")
    assert seeded.json("floors") == []


def test_removing_or_upgrading_tables_is_refused_while_a_daemon_runs(seeded: Any) -> None:
    """The commands drop, reinit, reset and migrate say to stop the daemon, and change nothing."""
    daemon = InstanceLock(seeded.path)
    assert daemon.acquire()
    before = seeded.content()
    for command in (["drop", "--yes"], ["reinit", "--yes"], ["reset", "--yes"], ["migrate"]):
        assert "a daemon is using it; stop the daemon first" in seeded("db", *command, code=1).stderr
    assert seeded.content() == before
    daemon.release()


def test_an_old_database_is_upgraded_on_request(shell: Any) -> None:
    """Other commands name the command; a dry run changes nothing; the upgrade keeps a copy and is in the audit log."""
    with closing(sqlite3.connect(shell.path)) as connection:
        connection.executescript(FIRST_RELEASE.read_text())
        connection.execute("PRAGMA journal_mode = WAL")
    digest = hashlib.sha256(shell.path.read_bytes()).hexdigest()
    for command in (["floors"], ["floors", "correct", "Ground Floor", "1"], ["db", "verify"], ["db", "seed"]):
        assert "`smartpark db migrate`" in shell(*command, code=1).stderr
    dry = shell.json("db", "migrate", "--dry-run")
    assert (dry["from"], dry["to"], len(dry["steps"]), dry["copy"]) == (1, 3, 2, None)
    assert hashlib.sha256(shell.path.read_bytes()).hexdigest() == digest
    assert "applied 2: " in shell("db", "migrate", "--note", "visit").stdout
    [copy] = shell.path.parent.glob("smartpark.db.before-v2-*")
    line = shell.json("db", "audit")[0]
    assert (line["action"], line["actor"], line["note"]) == ("migrate", "anna", "visit")
    assert line["after"] == {"version": 3, "copy": str(copy)}
    assert shell.json("db", "migrate")["steps"] == []
    shell("db", "verify")


def test_a_newer_database_is_refused(seeded: Any) -> None:
    """Every command refuses it and says what to do, and not a byte of the file changes."""
    with closing(sqlite3.connect(seeded.path)) as connection:
        connection.execute("PRAGMA user_version = 4")
    digest = hashlib.sha256(seeded.path.read_bytes()).hexdigest()
    for command in (["floors"], ["db", "migrate"], ["db", "create"], ["db", "drop", "--yes"]):
        assert "install the newer program" in seeded(*command, code=1).stderr
    assert hashlib.sha256(seeded.path.read_bytes()).hexdigest() == digest


@pytest.mark.parametrize(
    "command",
    [
        *(["floors", "list"], ["floors", "show", "Ground Floor"], ["floors", "recommended"]),
        *(["events", "list"], ["events", "stats"], ["events", "occupancy", "Ground Floor"], ["status"]),
        *(["db", "check"], ["db", "describe"], ["db", "stats"], ["db", "audit"], ["db", "verify"]),
        *(["db", "query", "SELECT 1 AS number"], ["db", "migrate"], ["db", "create"], ["db", "seed"]),
    ],
    ids=" ".join,
)
def test_every_command_prints_json(seeded: Any, command: list[str]) -> None:
    """With --json a command prints one document on stdout and nothing else."""
    code = 3 if command == ["status"] else 0  # no daemon runs
    assert seeded.json(*command, code=code) is not None
    assert seeded(*command, code=code).stdout


def test_a_database_that_stays_locked_is_reported(seeded: Any, tmp_path: Path) -> None:
    """A command that cannot write says that another program has the lock, with exit code 1 and no traceback."""
    file = tmp_path / "smartpark.toml"
    file.write_text(file.read_text().replace("[database]", "[database]\nbusy_timeout_seconds = 0.1"))
    with closing(sqlite3.connect(seeded.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        error = seeded("floors", "correct", "Ground Floor", "3", code=1).stderr
        other.execute("ROLLBACK")
    assert "database is locked; another program holds it" in error
    assert "Traceback" not in error

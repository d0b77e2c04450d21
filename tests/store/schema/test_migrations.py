"""Tests of migrations: an older database is upgraded completely, after a copy; a newer one is left alone."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edge.config.schema import FloorConfig
from edge.core.errors import StoreError
from edge.core.events import ClockState
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.ledger import Ledger
from edge.store.counts.outbox import Outbox
from edge.store.schema import migrations
from edge.store.schema.connect import open_database
from edge.store.schema.migrations import _MIGRATIONS, Migration, migrate, pending_migrations
from edge.store.schema.versions import SCHEMA_VERSION, create_tables, schema_version
from edge.store.store import open_store
from edge.store.upkeep.verify import verify
from edge.store.writing.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.events import Event

# Databases of older versions, as the programs of those times filled them.
OLDER = {version: Path(__file__).parent / f"v{version}.sql" for version in (1, 2)}
MOMENT = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)


def load(path: Path, version: int) -> Path:
    """Make a database of an older version."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLDER[version].read_text())
        connection.execute("PRAGMA journal_mode = WAL")
    return path


@pytest.fixture
def old(path: Path) -> Path:
    """A database of the first release: floors, events, adjustments, and six events in the outbox."""
    return load(path, 1)


@pytest.fixture(params=sorted(OLDER))
def older(request: pytest.FixtureRequest, path: Path) -> Path:
    """A database of each older version; all have six events in the outbox."""
    return load(path, request.param)


def version_of(path: Path) -> int:
    """The version of a database's tables."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def content(path: Path, columns: dict[str, str]) -> dict[str, list[Any]]:
    """The rows of some columns of some tables."""
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT {names} FROM {table} ORDER BY 1").fetchall()
            for table, names in columns.items()
        }


EVENT = "id, event_id, camera_id, gate_id, floor_id, track_id, vehicle_type, direction, confidence, timestamp"
KEPT = {
    "floors": "id, name, description, total_slots, current_vehicles, opening_vehicles, is_active, seq, updated_at",
    "events": f"{EVENT}, created_at",
    "adjustments": 'id, floor_id, delta, reason, event_id, note, before, "after"',
    "outbox": "id, event_id, created_at",
}


def shape(path: Path) -> dict[str, Any]:
    """What SQLite reports of the tables, whatever statements created them."""
    with closing(sqlite3.connect(path)) as connection:

        def ask(query: str) -> list[Any]:
            return connection.execute(query).fetchall()

        names = [name for (name,) in ask("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        checks = {
            name: sorted(re.findall(r"CHECK \((.*?)\)(?=,|\)$| )", sql.replace('"', "")))
            for name, sql in ask("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        }
        return {
            "version": ask("PRAGMA user_version"),
            "columns": {name: ask(f"PRAGMA table_xinfo('{name}')") for name in names},
            "keys": {name: ask(f"PRAGMA foreign_key_list('{name}')") for name in names},
            "checks": checks,
            "without rowid": ask("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' ORDER BY name"),
            "indexes": [
                (table, name, unique, ask(f"SELECT name FROM pragma_index_info('{name}')"))
                for table in names
                for _, name, unique, *_ in sorted(ask(f"PRAGMA index_list('{table}')"), key=lambda row: str(row[1]))
            ],
            "views": ask("SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name"),
        }


def test_an_older_database_is_upgraded_with_its_rows(older: Path, make_event: Callable[..., Event]) -> None:
    """Rows stay, the ledger adds up, the hourly totals exist, and a copy of the old file is kept."""
    old, version = older, version_of(older)
    missing = list(range(version + 1, SCHEMA_VERSION + 1))
    before = content(old, KEPT)
    with closing(open_database(old, busy_timeout=1.0)) as db:
        assert [step.version for step in pending_migrations(db)] == missing
        done = migrate(db, MOMENT)
        assert [step.version for step in done.applied] == missing
        assert verify(db) == []
        assert content(old, KEPT) == before
        assert Outbox(db).count() == 6
        kept = "SELECT count(*), sum(entries + exits - removed_entries - removed_exits) FROM event_hourly"
        [(hours, counted)] = db.execute_sql(kept).fetchall()
        assert (hours > 10, counted) == (True, len(before["events"]))
        ledger = db.execute_sql("SELECT version, name, applied_at FROM schema_migrations ORDER BY version").fetchall()
        assert [row[0] for row in ledger] == [version, *missing]
        assert ledger[-1][2] == int(MOMENT.timestamp() * 1e6)
        assert Events(db).record(make_event(1, floor="Ground Floor"), MOMENT).inserted
        stored = Events(db).newest(1)[0].event
        assert not Events(db).record(stored, MOMENT).inserted
        assert verify(db) == []
        assert migrate(db, MOMENT).applied == ()
    assert done.copy == old.with_name(f"smartpark.db.before-v{version + 1}-20260601T123000Z")
    assert content(done.copy, KEPT) == before
    assert version_of(done.copy) == version
    assert sorted(entry.name for entry in old.parent.iterdir()) == ["smartpark.db", done.copy.name]


def test_an_upgraded_database_has_the_tables_of_a_new_one(older: Path, tmp_path: Path) -> None:
    """Columns, keys, checks, indexes and views are the same."""
    with closing(open_database(older, busy_timeout=1.0)) as db:
        migrate(db, MOMENT)
    fresh = tmp_path / "fresh.db"
    with closing(open_database(fresh, busy_timeout=1.0)) as db:
        create_tables(db)
        assert schema_version(db) == SCHEMA_VERSION == _MIGRATIONS[-1].version
    assert shape(older) == shape(fresh)


def test_the_new_value_of_a_changed_rule_is_accepted_at_once(older: Path, make_event: Callable[..., Event]) -> None:
    """The rule about clock states is that of the new version: for the handle that migrated, and for one beside it."""
    event = make_event(1, floor="Ground Floor", clock_state=ClockState.STEPPED)
    with closing(open_database(older, busy_timeout=1.0)) as db, closing(sqlite3.connect(older)) as beside:
        beside.execute("SELECT count(*) FROM events").fetchone()
        migrate(db, MOMENT)
        assert Events(db).record(event, MOMENT).inserted
        assert beside.execute("UPDATE events SET clock_state = 'stepped'").rowcount > 1
        with pytest.raises(sqlite3.IntegrityError, match="clock_state IN"):
            beside.execute("UPDATE events SET clock_state = 'wrong'")


def test_a_clamp_has_the_time_of_its_event(old: Path) -> None:
    """The migration changes the times of the ledger's clamps."""
    with closing(open_database(old, busy_timeout=1.0)) as db:
        migrate(db, MOMENT)
        times = {event.event_id: event.timestamp for event in Events(db).newest(1000)}
        clamps = Ledger(db).adjustments(limit=1000)
        assert len(clamps) == 50
        assert all(times[clamp.event_id] == clamp.at for clamp in clamps if clamp.event_id)


def test_a_writer_upgrades_at_its_start(old: Path, make_event: Callable[..., Event]) -> None:
    """The daemon upgrades its database; a program beside another one does not."""

    def writer(*, may_migrate: bool) -> Writer:
        writer = Writer(lambda: open_store(old, any_version=True), lambda _: None, lambda _: None)
        writer.may_migrate = may_migrate
        return writer

    guest = writer(may_migrate=False)
    with pytest.raises(StoreError, match=r"has schema version 1, .* needs 3; start `smartpark run`"):
        guest.start()
    owner = writer(may_migrate=True)
    owner.start()
    owner.create_missing_floors([FloorConfig(name="Ground", total_slots=9)])
    owner.submit([make_event(1)])
    assert owner.close(20.0)
    with closing(open_database(old, busy_timeout=1.0, read_only=True)) as db:
        assert verify(db) == []
        assert Floors(db).by_name("Ground").total_slots == 9


def test_a_reader_of_an_older_database_is_refused(old: Path) -> None:
    """It cannot upgrade the tables, and names the command that does."""
    with pytest.raises(StoreError, match=r"schema version 1, this program needs 3; .*`smartpark db migrate`"):
        open_database(old, busy_timeout=1.0, read_only=True)


def test_a_dry_run_changes_nothing(old: Path) -> None:
    """The migrations are applied and rolled back, without a copy; also those that write the tables' definitions."""
    before = shape(old)
    with closing(open_database(old, busy_timeout=1.0)) as db:
        assert [step.version for step in migrate(db, MOMENT, dry_run=True).applied] == [2, 3]
    assert shape(old) == before
    assert [entry.name for entry in old.parent.iterdir()] == ["smartpark.db"]


def test_a_failing_migration_leaves_the_version_before(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its transaction is rolled back with the row of its version; earlier migrations and the copy stay."""
    bad = Migration(4, "broken", ("CREATE TABLE half (x)", "ALTER TABLE nowhere ADD COLUMN y"))
    monkeypatch.setattr(migrations, "_MIGRATIONS", (*_MIGRATIONS, bad))
    with closing(open_database(old, busy_timeout=1.0)) as db:
        with pytest.raises(StoreError, match="no such table: nowhere"):
            migrate(db, MOMENT)
        assert schema_version(db) == 3
        assert "half" not in db.get_tables()
        assert db.execute_sql("SELECT max(version) FROM schema_migrations").fetchone() == (3,)
        assert verify(db) == []
    assert old.with_name("smartpark.db.before-v2-20260601T123000Z").exists()


def test_without_a_copy_nothing_is_migrated(old: Path) -> None:
    """If the copy cannot be made, the database stays as it is, and no unfinished file is left."""
    taken = old.with_name("smartpark.db.before-v2-20260601T123000Z")
    taken.write_text("not ours")
    with closing(open_database(old, busy_timeout=1.0)) as db:
        with pytest.raises(StoreError, match="exists already; move it away"):
            migrate(db, MOMENT)
        assert schema_version(db) == 1
    assert taken.read_text() == "not ours"
    assert sorted(entry.name for entry in old.parent.iterdir()) == ["smartpark.db", taken.name]

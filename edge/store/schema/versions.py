"""Recognises a database of this program and its version, creates the tables, and drops them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peewee import Database, SchemaManager, SqliteDatabase, fn

from edge import __version__
from edge.core.errors import StoreError
from edge.store.schema.models import MODELS, MigrationRow, table_name
from edge.store.schema.views import create_views, drop_views
from edge.store.sql.errors import name_of, translated_errors
from edge.store.sql.query import execute, execute_sql, fetch_rows, pragma, table_names, write_transaction
from edge.store.sql.times import utc_now

if TYPE_CHECKING:
    from datetime import datetime

    from peewee import Context

# "SPKE", in SQLite's header: by it `file` and this program recognise our databases. Never change it.
APPLICATION_ID = 0x53504B45
SCHEMA_VERSION = 3
# The tables that a database of each older version must have.
_OLDER_TABLES = {
    1: frozenset({"floors", "events", "adjustments", "outbox"}),
    2: frozenset(
        {"floors", "events", "adjustments", "outbox", "event_hourly", "audit_log", "schema_migrations"},
    ),
}
_TABLES = frozenset(table_name(model) for model in MODELS)


class _TableCreator(SchemaManager):
    def _create_table(self, safe: bool = True, **options: Any) -> Context:
        statement: Context = super()._create_table(safe, **options)  # type: ignore[misc]  # Peewee's stub leaves it out
        # The rows are stored in the order of a key of several columns, without an index: a page less for each event.
        if isinstance(self.database, SqliteDatabase) and self.model._meta.composite_key:
            statement.literal(" WITHOUT ROWID")
        return statement


def create_tables(db: Database) -> bool:
    """Creates the tables in an empty database; True if it did. All or nothing, and safe to repeat.

    A database of an older version stays as it is: see ``migrations``. StoreError for a database of another program,
    of a newer version, or without one of our tables.
    """
    with write_transaction(db):
        if has_tables(db):
            return False
        with translated_errors(db):
            for model in MODELS:
                _TableCreator(model, db).create_all(safe=False)
        create_views(db)
        if isinstance(db, SqliteDatabase):
            pragma(db, "application_id", APPLICATION_ID)
        record_version(db, SCHEMA_VERSION, "created", utc_now())
        return True


def drop_tables(db: Database) -> None:
    """Removes our tables and all that is in them, in one transaction. Other tables stay."""
    with write_transaction(db):
        drop_views(db)
        with translated_errors(db):
            for model in reversed(MODELS):
                SchemaManager(model, db).drop_table(safe=True)
        if isinstance(db, SqliteDatabase):
            pragma(db, "user_version", 0)


def record_version(db: Database, version: int, name: str, now: datetime) -> None:
    """Record that the tables have this version from now on. Inside the transaction that changes the tables."""
    values = {
        MigrationRow.version: version,
        MigrationRow.name: name,
        MigrationRow.applied_at: now,
        MigrationRow.program_version: __version__,
    }
    execute(db, MigrationRow.insert(values))
    if isinstance(db, SqliteDatabase):
        pragma(db, "user_version", version)


def schema_version(db: Database) -> int:
    """The version of the tables; 0 where there are none."""
    if isinstance(db, SqliteDatabase):
        return int(pragma(db, "user_version"))
    if table_name(MigrationRow) not in table_names(db):
        return 0
    [(version,)] = fetch_rows(db, MigrationRow.select(fn.MAX(MigrationRow.version)))
    return int(version or 0)


def has_tables(db: Database) -> bool:
    """True for a database of ours, also of an older version; False for an empty one.

    StoreError for a database of another program, of a newer version, or without one of our tables. Nothing is written.
    """
    name = name_of(db)
    tables = table_names(db) - {"sqlite_sequence", "sqlite_stat1", "sqlite_stat4"}
    version = schema_version(db)
    if isinstance(db, SqliteDatabase):
        owner = int(pragma(db, "application_id"))
        if not tables and owner in (0, APPLICATION_ID) and version == 0:
            return False
        if owner != APPLICATION_ID:
            raise StoreError(
                f"{name}: is a database of another program (application id {owner:#010x}, not"
                f" {APPLICATION_ID:#010x}); set [database] path to another file"
            )
    elif not tables & _TABLES:
        return False
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{name}: has schema version {version}, this program knows up to {SCHEMA_VERSION};"
            " install the newer program, or set [database] path to another file"
        )
    missing = sorted(_OLDER_TABLES.get(version, _TABLES) - tables)
    if missing:
        raise StoreError(
            f"{name}: lacks the table{'s' if len(missing) > 1 else ''} {', '.join(missing)};"
            " it is damaged: put a backup in its place, or move it away to begin anew"
        )
    return True


def require_current_version(db: Database) -> None:
    """StoreError, with the remedy, for a database of ours that has an older version than this program's."""
    version = schema_version(db)
    if version < SCHEMA_VERSION:
        raise StoreError(
            f"{name_of(db)}: has schema version {version}, this program needs {SCHEMA_VERSION};"
            " start `smartpark run`, or use `smartpark db migrate`"
        )


def own_tables(db: Database) -> dict[str, bool]:
    """The names of our tables, and whether the database has each."""
    present = table_names(db)
    return {table_name(model): table_name(model) in present for model in MODELS}


def view_names(db: Database) -> list[str]:
    """The names of the views, in order. Only of SQLite."""
    return [name for (name,) in execute_sql(db, "SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")]

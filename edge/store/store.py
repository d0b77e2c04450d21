"""This module is the database as other rooms and other programs use it: ``open_store`` and ``Store``."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TextIO

from peewee import SqliteDatabase

from edge.config.schema import DatabaseConfig
from edge.core.errors import RefusedError, StoreError
from edge.store.counts.audit import Audit
from edge.store.counts.configured_floors import apply_configuration
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.ledger import Ledger
from edge.store.counts.outbox import Outbox
from edge.store.quality.blind_intervals import BlindIntervals
from edge.store.quality.clock_changes import ClockChanges
from edge.store.quality.floor_quality import floor_qualities
from edge.store.reports.export import export_events
from edge.store.reports.file_description import describe_tables, file_statistics
from edge.store.reports.occupancy_series import occupancy_over_time
from edge.store.reports.query import run_query
from edge.store.reports.statistics import event_statistics
from edge.store.schema.connect import open_database
from edge.store.schema.migrations import migrate, pending_migrations
from edge.store.schema.versions import (
    create_tables,
    drop_tables,
    has_tables,
    own_tables,
    require_current_version,
    schema_version,
    view_names,
)
from edge.store.sql.errors import name_of, translated_errors
from edge.store.sql.query import pragma, write_transaction
from edge.store.upkeep.cleanup import remove_floor, remove_old_events
from edge.store.upkeep.repair import repair_ledger
from edge.store.upkeep.salvage import salvage, uncorrected_recovery
from edge.store.upkeep.seed import seed_database
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, tzinfo

    from peewee import Database

    from edge.config.schema import FloorConfig
    from edge.core.occupancy import FloorQuality
    from edge.store.counts.audit import Attribution, AuditRecord
    from edge.store.quality.blind_intervals import BlindInterval
    from edge.store.reports.file_description import FileStatistics, TableDescription
    from edge.store.reports.occupancy_series import OccupancyPoint
    from edge.store.reports.statistics import EventStatistics
    from edge.store.schema.migrations import Migrated, Migration
    from edge.store.sql.query import SqlRow
    from edge.store.upkeep.backup import Backups, NewBackup
    from edge.store.upkeep.cleanup import Cleaned
    from edge.store.upkeep.replace_file import Replacement
    from edge.store.upkeep.salvage import Salvaged
    from edge.store.upkeep.seed import Seeded


def open_store(
    path: str | Path,
    *,
    read_only: bool = False,
    create: bool = True,
    any_version: bool = False,
    busy_timeout: float | None = None,
) -> Store:
    """Open the database file ``path``: with ``create`` it and its tables are created if they are missing.

    Tables of an older program are never changed here: only the daemon's start and ``smartpark db migrate`` do that,
    after a copy. With ``any_version`` the tables are left and accepted as they are: missing, or older. A ``read_only``
    store changes nothing and never blocks a writer. A statement waits ``busy_timeout`` seconds for another program's
    lock, by default as long as the daemon does.

    A store that writes works only in the thread that opened it; of a read-only one each thread gets a connection of its
    own. StoreError, with the path and the remedy, for a file that cannot be opened, is not ours, or has another
    version.
    """
    path = Path(path)
    if busy_timeout is None:
        busy_timeout = DatabaseConfig.model_fields["busy_timeout_seconds"].default
    if not (create or read_only or path.exists()):
        raise StoreError(f"{path}: there is no database; use `smartpark db create`, or correct [database] path")
    store = Store(open_database(path, busy_timeout=busy_timeout, read_only=read_only))
    if read_only or any_version:
        return store
    try:
        if not has_tables(store.db):
            if not create:
                raise RefusedError(f"{path}: has no tables yet; use `smartpark db create`")
            store.create_tables()
        require_current_version(store.db)
    except BaseException:
        store.close()
        raise
    return store


class Store:
    """A database: its floors, events, outbox, ledger and audit log, and what can be done with the whole of it.

    Close it, or use it in a ``with`` block. Every error is one of ``edge.core.errors``: a RefusedError for what is not
    possible, a StoreError for a database that cannot be used; nothing is changed then. Methods with ``by`` write an
    entry of the audit log: by default the account that runs the program makes the change, now.
    """

    def __init__(self, db: Database) -> None:
        """``db`` is a handle of SQLite or PostgreSQL; ``open_store`` makes that of a file."""
        self.db = db
        self.floors = Floors(db)
        self.events = Events(db)
        self.outbox = Outbox(db)
        self.ledger = Ledger(db)
        self.audit = Audit(db)
        self.blind = BlindIntervals(db)
        self.clock = ClockChanges(db)

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the connection of this thread."""
        with translated_errors(self.db):
            self.db.close()

    @property
    def name(self) -> str:
        """The file, or the address of the server without a password."""
        return name_of(self.db)

    def transaction(self) -> AbstractContextManager[None]:
        """A transaction that writes: all changes in the block are stored, or none."""
        return write_transaction(self.db)

    def data_version(self) -> int:
        """A number that changes whenever another connection commits; it reads the file's header only.

        It is comparable only with the numbers of the same store: SQLite's ``PRAGMA data_version``.
        """
        return int(pragma(self._sqlite, "data_version"))

    # -- reports ---------------------------------------------------------------------------------------------------

    def statistics(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        floor: str | None = None,
        *,
        zone: tzinfo | None = None,
    ) -> EventStatistics:
        """The statistics of a window of time, by default of the last 24 hours: see ``event_statistics``."""
        return event_statistics(self.db, since, until, floor, zone=zone)

    def occupancy_over_time(
        self, floor: str, since: datetime, until: datetime, step: timedelta = timedelta(hours=1)
    ) -> list[OccupancyPoint]:
        """A floor's count at ``since`` and then every ``step`` up to and including ``until``."""
        return occupancy_over_time(self.db, floor, since, until, step)

    def export_events(
        self,
        out: TextIO,
        form: Literal["csv", "jsonl"] = "csv",
        *,
        floor: str | None = None,
        camera: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Write the events of a range to ``out``, the oldest first; how many there were."""
        return export_events(self.db, out, form, floor=floor, camera=camera, since=since, until=until)

    def query(self, sql: str) -> tuple[list[str], Iterator[SqlRow]]:
        """The names of the columns and the rows of any statement that reads. On a read-only store only."""
        return run_query(self._sqlite, sql)

    def describe_tables(self) -> list[TableDescription]:
        """Our tables with their columns, indexes and checks."""
        return describe_tables(self._sqlite)

    def file_statistics(self) -> FileStatistics:
        """The file's sizes and numbers of rows. Counts every row."""
        return file_statistics(self._sqlite)

    def floor_qualities(
        self, cameras: Mapping[str, Sequence[str]], now: datetime, blind: Sequence[BlindInterval] | None = None
    ) -> dict[str, FloorQuality]:
        """How far each floor's count can be trusted, by its name: see ``floor_qualities`` of the room ``quality``."""
        return floor_qualities(self.db, cameras, now, blind)

    # -- upkeep ----------------------------------------------------------------------------------------------------

    def seed(self, by: Attribution | None = None, *, sample: bool = False) -> Seeded:
        """Create four floors to try the program with and, with ``sample``, 15 events of the last day."""
        return seed_database(self.db, by, sample=sample)

    def apply_configuration(self, floors: Sequence[FloorConfig], by: Attribution) -> list[str]:
        """Make the floors follow the configuration, except their counts; a sentence for each change."""
        return apply_configuration(self.db, floors, by)

    def clean_up(
        self, days: int, by: Attribution | None = None, *, pause: Callable[[float], None] = time.sleep
    ) -> Cleaned:
        """Remove events older than so many days; statistics and counts stay: see ``remove_old_events``."""
        return remove_old_events(self.db, days, by, pause)

    def remove_floor(
        self, name: str, by: Attribution | None = None, *, pause: Callable[[float], None] = time.sleep
    ) -> Cleaned:
        """Delete a floor for good, with all of its events; ``floors.delete`` only hides it."""
        return remove_floor(self.db, name, by, pause)

    def verify(self) -> list[str]:
        """A sentence for every inconsistency of the database; empty if there is none. Reads every event."""
        return verify(self.db)

    def repair_ledger(self, by: Attribution | None = None) -> list[str]:
        """Make the ledger agree with the counts, by adjustments; a sentence for each."""
        return repair_ledger(self.db, by)

    def back_up(self, backups: Backups, now: datetime) -> NewBackup:
        """Write a verified copy of the database to the folder of ``backups``, while others go on using it."""
        return backups.make(self._sqlite, now)

    def salvage(self, replacement: Replacement, by: Attribution) -> Salvaged:
        """Carry over what can be read of a damaged database that was replaced, and audit the replacement."""
        return salvage(self.db, replacement, by)

    def uncorrected_recovery(self) -> AuditRecord | None:
        """The audit entry of the last recovery, if no person has corrected a floor's count since; else None."""
        return uncorrected_recovery(self.db)

    # -- tables ----------------------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """The version of the tables; 0 where there are none."""
        return schema_version(self.db)

    def tables(self) -> dict[str, bool]:
        """The names of our tables, and whether the database has each."""
        return own_tables(self.db)

    def views(self) -> list[str]:
        """The names of the views."""
        return view_names(self._sqlite)

    def create_tables(self) -> bool:
        """Create the tables in an empty database; True if it was empty."""
        return create_tables(self.db)

    def drop_tables(self) -> None:
        """Remove our tables and all that is in them."""
        drop_tables(self.db)

    def pending_migrations(self) -> tuple[Migration, ...]:
        """The migrations that the tables still need, in their order."""
        return pending_migrations(self.db)

    def migrate(self, now: datetime | None = None, *, dry_run: bool = False) -> Migrated:
        """Apply the pending migrations after a copy of the database; with ``dry_run`` they are rolled back again."""
        return migrate(self.db, now, dry_run=dry_run)

    @property
    def _sqlite(self) -> SqliteDatabase:
        if not isinstance(self.db, SqliteDatabase):
            raise RefusedError(f"{self.name}: this is possible only with a database file of SQLite")
        return self.db

"""This room keeps the database: floors, events, ledger, outbox, blind intervals, audit log, and their upkeep.

This module has every name that other rooms and other programs use; the modules inside the room are not imported from
outside of it. A name is imported when it is first used, so that ``import edge.store`` alone costs nothing.

    from edge.store import open_store

    with open_store("parking.db") as store:
        print(store.floors.recommended())

``Store`` also takes a handle on a PostgreSQL server, ``peewee.PostgresqlDatabase("postgresql://...")`` with the extra
``[postgresql]``; the daemon's writer, migrations, backups, views, and what describes or queries a file are SQLite's
only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.core.errors import RefusedError, StoreError
    from edge.core.events import Direction, Event, StoredEvent, VehicleType
    from edge.core.occupancy import FloorQuality, Quality
    from edge.store.counts.audit import Attribution, AuditRecord
    from edge.store.counts.events import Cursor
    from edge.store.counts.stored_event import Recorded
    from edge.store.counts.stored_floor import StoredFloor
    from edge.store.quality.blind_intervals import NOT_RUNNING, BlindInterval, blind_fields
    from edge.store.quality.clock_changes import ClockChange
    from edge.store.reports.export import event_fields
    from edge.store.reports.statistics import EventStatistics
    from edge.store.schema.models import AdjustmentReason
    from edge.store.schema.quality_models import ClockChangeKind
    from edge.store.schema.versions import SCHEMA_VERSION
    from edge.store.sql.errors import is_damage
    from edge.store.sql.query import SqlRow
    from edge.store.sql.times import iso, utc_now
    from edge.store.store import Store, open_store
    from edge.store.upkeep.backup import Backup, Backups
    from edge.store.upkeep.cleanup import MOST_DAYS, Cleaned
    from edge.store.upkeep.recovery import recover, request_full_check
    from edge.store.upkeep.replace_file import Replacement, finish_replacement
    from edge.store.upkeep.restore import Restored, restore_backup
    from edge.store.upkeep.seed import Seeded
    from edge.store.writing.latency import LatencyStatus
    from edge.store.writing.status import WriterStatus
    from edge.store.writing.writer import Writer

# Where each name is defined.
_MODULES = {
    "AdjustmentReason": "edge.store.schema.models",
    "Attribution": "edge.store.counts.audit",
    "AuditRecord": "edge.store.counts.audit",
    "Backup": "edge.store.upkeep.backup",
    "Backups": "edge.store.upkeep.backup",
    "BlindInterval": "edge.store.quality.blind_intervals",
    "Cleaned": "edge.store.upkeep.cleanup",
    "ClockChange": "edge.store.quality.clock_changes",
    "ClockChangeKind": "edge.store.schema.quality_models",
    "Cursor": "edge.store.counts.events",
    "Direction": "edge.core.events",
    "Event": "edge.core.events",
    "EventStatistics": "edge.store.reports.statistics",
    "FloorQuality": "edge.core.occupancy",
    "LatencyStatus": "edge.store.writing.latency",
    "MOST_DAYS": "edge.store.upkeep.cleanup",
    "NOT_RUNNING": "edge.store.quality.blind_intervals",
    "Quality": "edge.core.occupancy",
    "Recorded": "edge.store.counts.stored_event",
    "RefusedError": "edge.core.errors",
    "Replacement": "edge.store.upkeep.replace_file",
    "Restored": "edge.store.upkeep.restore",
    "SCHEMA_VERSION": "edge.store.schema.versions",
    "Seeded": "edge.store.upkeep.seed",
    "SqlRow": "edge.store.sql.query",
    "Store": "edge.store.store",
    "StoreError": "edge.core.errors",
    "StoredEvent": "edge.core.events",
    "StoredFloor": "edge.store.counts.stored_floor",
    "VehicleType": "edge.core.events",
    "Writer": "edge.store.writing.writer",
    "WriterStatus": "edge.store.writing.status",
    "blind_fields": "edge.store.quality.blind_intervals",
    "event_fields": "edge.store.reports.export",
    "finish_replacement": "edge.store.upkeep.replace_file",
    "is_damage": "edge.store.sql.errors",
    "iso": "edge.store.sql.times",
    "open_store": "edge.store.store",
    "recover": "edge.store.upkeep.recovery",
    "request_full_check": "edge.store.upkeep.recovery",
    "restore_backup": "edge.store.upkeep.restore",
    "utc_now": "edge.store.sql.times",
}

__all__ = [
    "MOST_DAYS",
    "NOT_RUNNING",
    "SCHEMA_VERSION",
    "AdjustmentReason",
    "Attribution",
    "AuditRecord",
    "Backup",
    "Backups",
    "BlindInterval",
    "Cleaned",
    "ClockChange",
    "ClockChangeKind",
    "Cursor",
    "Direction",
    "Event",
    "EventStatistics",
    "FloorQuality",
    "LatencyStatus",
    "Quality",
    "Recorded",
    "RefusedError",
    "Replacement",
    "Restored",
    "Seeded",
    "SqlRow",
    "Store",
    "StoreError",
    "StoredEvent",
    "StoredFloor",
    "VehicleType",
    "Writer",
    "WriterStatus",
    "blind_fields",
    "event_fields",
    "finish_replacement",
    "is_damage",
    "iso",
    "open_store",
    "recover",
    "request_full_check",
    "restore_backup",
    "utc_now",
]

if not TYPE_CHECKING:  # type checkers see the imports above

    def __getattr__(name: str) -> object:
        """Import a name from its module at its first use."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_MODULES[name]), name)
        return value

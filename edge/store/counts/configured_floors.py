"""Makes the floors follow the configuration: slots, description and activity. It never sets a count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.store.counts.audit import Audit
from edge.store.counts.floor_changes import change_floor
from edge.store.counts.floors import Floors
from edge.store.counts.validation import checked_text
from edge.store.sql.query import write_transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peewee import Database

    from edge.config.schema import FloorConfig
    from edge.store.counts.audit import Attribution


def apply_configuration(db: Database, configured: Sequence[FloorConfig], by: Attribution) -> list[str]:
    """Make the database's floors those of the configuration, in one transaction; a sentence for each change.

    A missing floor is created with its opening count; a deleted floor is restored. A floor that is no longer in the
    configuration is deactivated, and keeps its events; one that never was in it (created from the shell) stays as it
    is. If a floor loses slots that are taken, its count is clamped to the slots that are left, and the ledger has the
    difference as ``overflow``. RefusedError for a name that cannot be stored.
    """
    for config in configured:
        checked_text("the floor's name", config.name)
    changes: list[str] = []
    floors = Floors(db)
    with write_transaction(db):
        stored = {floor.name: floor for floor in floors.all(deleted=True)}
        for config in configured:
            floor = stored.get(config.name)
            if floor is None:
                floors.create_missing([config], by.at)
                created = floors.by_name(config.name)
                Audit(db).write(by, "create", f"floor {config.name}", None, created.audited_values())
                changes.append(f"floor {config.name!r} is created")
                continue
            values: dict[str, object] = {
                "total_slots": config.total_slots,
                "description": config.description,
                "is_active": config.is_active,
                "is_configured": True,
                "deleted_at": None,
            }
            before = floor.audited_values()
            after = change_floor(db, floor, by, "configure", values).audited_values()
            changes += [
                f"floor {config.name!r}: {name} is {after[name]!r}, was {before[name]!r}"
                for name in before
                if before[name] != after[name]
            ]
        names = {config.name for config in configured}
        for floor in stored.values():
            if floor.is_configured and floor.name not in names:
                left = {"is_active": False, "is_configured": False}
                change_floor(db, floor, by, "leave configuration", {**left})
                changes.append(
                    f"floor {floor.name!r} is no longer in the configuration and is deactivated; its events stay"
                )
    return changes

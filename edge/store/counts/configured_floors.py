"""Floors follow the configuration: slots, description and activity. Counts are never set by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.store.counts.audit import Audit
from edge.store.counts.floors import Floors
from edge.store.counts.validation import checked_text
from edge.store.sql.query import write_transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peewee import Database

    from edge.config.schema import FloorConfig
    from edge.store.counts.audit import Act

# Who changed a floor because the file said so, in the audit log and the ledger.
ACTOR = "configuration"


def apply_configuration(db: Database, floors: Sequence[FloorConfig], act: Act) -> list[str]:
    """Make the database's floors those of the configuration, in one transaction; a sentence for each change.

    A floor that is missing is created with its opening count; one that was deleted is restored. One that has left the
    configuration since it was last applied is deactivated, and keeps its events; one that never stood there (made
    from the shell) is left alone. If a floor loses slots that are taken, its count is clamped to the slots that are
    left, and the ledger holds the difference as ``overflow``. RefusedError for a name that cannot be stored.
    """
    for floor in floors:
        checked_text("the floor's name", floor.name)
    told: list[str] = []
    room = Floors(db)
    with write_transaction(db):
        there = {floor.name: floor for floor in room.stored()}
        for floor in floors:
            old = there.get(floor.name)
            if old is None:
                room.ensure([floor], act.at)
                Audit(db).write(act, "create", f"floor {floor.name}", None, room.find(floor.name).values())
                told.append(f"floor {floor.name!r} is created")
                continue
            values: dict[str, object] = {
                "total_slots": floor.total_slots,
                "description": floor.description,
                "is_active": floor.is_active,
                "is_configured": True,
                "deleted_at": None,
            }
            new = room.change(old, act, "configure", values)
            before, after = old.values(), new.values()
            told += [
                f"floor {floor.name!r}: {key} is {after[key]!r}, was {before[key]!r}"
                for key in before
                if before[key] != after[key]
            ]
        named = {floor.name for floor in floors}
        for old in there.values():
            if old.is_configured and old.name not in named:
                room.change(old, act, "leave configuration", {"is_active": False, "is_configured": False})
                told.append(f"floor {old.name!r} has left the configuration and is deactivated; its events stay")
    return told

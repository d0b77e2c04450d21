"""Writes a floor's row together with its entries of the ledger and of the audit log.

Every function runs inside the transaction of its caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.store.counts.audit import Audit
from edge.store.counts.ledger import write_adjustment
from edge.store.counts.stored_floor import FLOOR_COLUMNS, floor_from_row
from edge.store.schema.models import AdjustmentReason, FloorRow
from edge.store.sql.query import execute, fetch_rows

if TYPE_CHECKING:
    from datetime import datetime

    from peewee import Database

    from edge.store.counts.audit import Attribution
    from edge.store.counts.stored_floor import StoredFloor


def insert_floor(
    db: Database,
    now: datetime,
    *,
    name: str,
    total_slots: int,
    description: str,
    opening_vehicles: int,
    is_active: bool,
    is_configured: bool,
) -> None:
    """Write the row of a new floor; its count is the opening count."""
    values = {
        FloorRow.name: name,
        FloorRow.description: description,
        FloorRow.total_slots: total_slots,
        FloorRow.current_vehicles: opening_vehicles,
        FloorRow.opening_vehicles: opening_vehicles,
        FloorRow.is_active: is_active,
        FloorRow.is_configured: is_configured,
        FloorRow.seq: 1,
        FloorRow.created_at: now,
        FloorRow.updated_at: now,
    }
    execute(db, FloorRow.insert(values))


def change_floor(
    db: Database,
    floor: StoredFloor,
    by: Attribution,
    action: str,
    values: dict[str, object],
    *,
    always_audit: bool = False,
) -> StoredFloor:
    """Write the values that differ, and the entry of the audit log; the floor after the change.

    A count above the new ``total_slots`` is clamped. With ``always_audit`` the entry is written even if nothing
    differs: a person counted, and the count was right.
    """
    slots = values.get("total_slots")
    if isinstance(slots, int) and slots < floor.current_vehicles:
        note = f"{slots} slots left"
        adjust_count(db, floor, by, AdjustmentReason.OVERFLOW, floor.current_vehicles, slots, note)
        values = {**values, "current_vehicles": slots}
    old_values = {**floor.audited_values(), "deleted_at": floor.deleted_at}
    # What is not among the old values, as when a person counted, is written in any case.
    changes = {
        getattr(FloorRow, name): value
        for name, value in values.items()
        if name not in old_values or old_values[name] != value
    }
    changed = floor
    if changes:
        changes |= {FloorRow.seq: floor.seq + 1, FloorRow.updated_at: by.at}
        row = FloorRow.id == floor.floor_id
        execute(db, FloorRow.update(changes).where(row))
        changed = floor_from_row(fetch_rows(db, FloorRow.select(*FLOOR_COLUMNS).where(row))[0])
    if changes or always_audit:
        before, after = floor.audited_values(), changed.audited_values()
        names = [name for name in before if before[name] != after[name]] or ["current_vehicles"]
        Audit(db).write(
            by,
            action,
            f"floor {floor.name}",
            {name: before[name] for name in names},
            {name: after[name] for name in names},
        )
    return changed


def adjust_count(
    db: Database,
    floor: StoredFloor,
    by: Attribution,
    reason: AdjustmentReason,
    before: int,
    after: int,
    note: str = "",
) -> None:
    """Write the adjustment of a floor's count into the ledger; ``note`` stands for an attribution without one."""
    write_adjustment(
        db, floor.floor_id, reason, before=before, after=after, at=by.at, actor=by.actor, note=by.note or note
    )

"""Makes the ledger agree with the counts again, by adjustments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.store.counts.audit import Attribution, Audit
from edge.store.counts.ledger import Ledger, write_adjustment
from edge.store.schema.models import AdjustmentReason
from edge.store.sql.query import write_transaction

if TYPE_CHECKING:
    from peewee import Database


def repair_ledger(db: Database, by: Attribution | None = None) -> list[str]:
    """For each floor whose ledger gives another count, an adjustment of the difference; a sentence for each.

    The count itself stays: it is what boards show and what people have corrected. All in one transaction. Nothing else
    that ``verify`` finds is changed: a damaged file needs a backup.
    """
    by = by or Attribution()
    repairs = []
    with write_transaction(db):
        for floor in Ledger(db).balances():
            if floor.ledger == floor.current:
                continue
            write_adjustment(
                db,
                floor.floor_id,
                AdjustmentReason.REPAIR,
                before=floor.ledger,
                after=floor.current,
                at=by.at,
                actor=by.actor,
                note=by.note,
            )
            Audit(db).write(
                by, "repair", f"floor {floor.name}", {"ledger": floor.ledger}, {"current_vehicles": floor.current}
            )
            repairs.append(
                f"Floor {floor.name!r}: with an adjustment of {floor.current - floor.ledger:+d} the ledger gives"
                f" {floor.current}, which is the count."
            )
    return repairs

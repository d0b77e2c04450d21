"""Making the ledger agree with the counts again, and saying so in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.store.counts.audit import Audit
from edge.store.counts.ledger import Ledger, note_adjustment
from edge.store.schema.models import AdjustmentReason
from edge.store.sql.query import write_transaction

if TYPE_CHECKING:
    from peewee import Database

    from edge.store.counts.audit import Act


def repair(db: Database, act: Act) -> list[str]:
    """For each floor whose ledger gives another count, an adjustment of the difference; a sentence for each.

    The count itself stays: it is what boards show and what people have corrected. All in one transaction. Nothing else
    that ``verify`` finds is touched: a damaged file needs a backup, not a guess.
    """
    done = []
    with write_transaction(db):
        for floor in Ledger(db).balances():
            if floor.ledger == floor.current:
                continue
            note_adjustment(
                db,
                floor.floor_id,
                AdjustmentReason.REPAIR,
                before=floor.ledger,
                after=floor.current,
                at=act.at,
                actor=act.actor,
                note=act.note,
            )
            Audit(db).write(
                act, "repair", f"floor {floor.name}", {"ledger": floor.ledger}, {"current_vehicles": floor.current}
            )
            done.append(
                f"Floor {floor.name!r}: an adjustment of {floor.current - floor.ledger:+d} makes the ledger say"
                f" {floor.current}, as the count does."
            )
    return done

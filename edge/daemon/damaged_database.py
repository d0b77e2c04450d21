"""A damaged database at the start of the daemon: the backup takes its place, and it is said."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.store.counts.audit import Act
from edge.store.upkeep.backup import Backups
from edge.store.upkeep.recovery import recover
from edge.store.upkeep.replace_file import finish
from edge.store.upkeep.salvage import take_over, uncounted_recovery

if TYPE_CHECKING:
    from peewee import Database

    from edge.config.schema import Config
    from edge.host.problems import Health
    from edge.store.upkeep.replace_file import Replacement
    from edge.store.writing.writer import Writer

log = logging.getLogger(__name__)

PROBLEM = "database_restored"
# Recording a day of events anew on a slow card.
SALVAGE_SECONDS = 600.0


def put_right(config: Config) -> Replacement | None:
    """See that there is a sound database, or none; what was done for that. Only for who holds the instance lock."""
    path = config.database.path.absolute()
    return recover(path, Backups(config.backup_folder, path), datetime.now(UTC))


def settle(writer: Writer, config: Config, replacement: Replacement) -> None:
    """Carry over what the replaced database still tells, and write all of it into the audit log."""
    act = Act(replacement.actor, datetime.now(UTC), replacement.note)
    writer.call(lambda db: take_over(db, replacement, act), "the restored database", SALVAGE_SECONDS)
    finish(config.database.path.absolute())
    if not replacement.damage:
        log.warning("the database was replaced by %s; the old one is %s", replacement.source, replacement.set_aside)


def tell_of_loss(db: Database, health: Health) -> None:
    """The problem ``database_restored``, from a recovery on until a person has counted a floor."""
    loss = uncounted_recovery(db)
    if loss is None:
        health.clear(PROBLEM)
        return
    told, kept = loss.after or {}, (loss.before or {}).get("kept_as")
    health.set(
        PROBLEM,
        f"the database was damaged; restored from {told.get('from')} on {loss.at:%Y-%m-%d %H:%M} UTC, and"
        f" {told.get('events_saved')} newer events were saved: count the floors and use `smartpark floors correct`;"
        f" the damaged file is {kept}",
    )

"""A damaged database at the start of the daemon: the backup takes its place, and it is said."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.store.audit import Act
from edge.store.backup import Backups
from edge.store.recovery import recover
from edge.store.replacement import finish
from edge.store.salvage import take_over

if TYPE_CHECKING:
    from edge.config import Config
    from edge.store.replacement import Replacement
    from edge.store.writer import Writer

log = logging.getLogger(__name__)

# Recording a day of events anew on a slow card.
SALVAGE_SECONDS = 600.0


def put_right(config: Config) -> Replacement | None:
    """See that there is a sound database, or none; what was done for that. Only for who holds the instance lock."""
    path = config.database.path.absolute()
    return recover(path, Backups(config.backup_folder, path), datetime.now(UTC))


def settle(writer: Writer, config: Config, replacement: Replacement) -> str:
    """Carry over what the replaced database still tells, and audit it; what people must know, empty for nothing."""
    act = Act(replacement.actor, datetime.now(UTC), replacement.note)
    done = writer.call(lambda db: take_over(db, replacement, act), "the restored database", SALVAGE_SECONDS)
    finish(config.database.path.absolute())
    if not replacement.damage:
        log.warning("the database was replaced by %s; the old one is %s", replacement.source, replacement.set_aside)
        return ""
    source = f"restored from {replacement.source}" if replacement.source else "begun anew, there was no sound backup"
    text = (
        f"the database was damaged and is {source}; {done.events} newer events and the counts of {len(done.floors)}"
        f" floors were saved from the damaged file, kept as {replacement.set_aside};"
        " count the floors and use `smartpark floors correct`"
    )
    log.error("%s", text)
    return text

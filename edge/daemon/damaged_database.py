"""This module replaces a damaged database by its backup at the start of the daemon, and reports that it did."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edge.core.errors import StoreError
from edge.store import Attribution, Backups, finish_replacement, recover, utc_now

if TYPE_CHECKING:
    from edge.config.schema import Config
    from edge.daemon.database_access import DatabaseAccess
    from edge.host.problem_list import ProblemList
    from edge.store import Replacement, Writer

log = logging.getLogger(__name__)

RESTORED_PROBLEM = "database_restored"
# How long it may take to record the events of a day again, on a slow card.
_SALVAGE_SECONDS = 600.0


def restore_if_damaged(config: Config) -> Replacement | None:
    """Replace a damaged database by its newest intact backup; what was replaced, None when nothing was.

    The caller must hold the instance lock.
    """
    path = config.database.path.absolute()
    return recover(path, Backups(config.backup_folder, path), utc_now())


def complete_restore(writer: Writer, config: Config, replacement: Replacement) -> None:
    """Record the readable newer events of the replaced database, and write the restore into the audit log."""
    by = Attribution(replacement.actor, note=replacement.note)
    writer.call(lambda store: store.salvage(replacement, by), "the restored database", _SALVAGE_SECONDS)
    finish_replacement(config.database.path.absolute())
    if not replacement.damage:
        log.warning("the database was replaced by %s; the old one is %s", replacement.source, replacement.set_aside)


def report_uncounted_restore(access: DatabaseAccess, problems: ProblemList) -> None:
    """Report the problem ``database_restored`` after a restore, until a person has corrected the count of a floor."""
    try:
        with access.open_to_read() as store:
            restore = store.uncorrected_recovery()
    except StoreError as error:
        log.warning("the audit log cannot be read: %s", error)
        return
    if restore is None:
        problems.clear(RESTORED_PROBLEM)
        return
    done, damaged_file = restore.after or {}, (restore.before or {}).get("kept_as")
    problems.report(
        RESTORED_PROBLEM,
        f"the database was damaged; restored from {done.get('from')} on {restore.at:%Y-%m-%d %H:%M} UTC, and"
        f" {done.get('events_saved')} newer events were saved: count the floors and use `smartpark floors correct`;"
        f" the damaged file is {damaged_file}",
    )

"""This module brings the floors of the configuration into the database, at the start and at HUP."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edge.core.errors import ConfigError, SmartParkError
from edge.store import Attribution

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.config.schema import Config, FloorConfig
    from edge.store import Writer

log = logging.getLogger(__name__)

# The actor of these changes in the audit log and the ledger.
_ACTOR = "configuration"


def apply_floors(writer: Writer, floors: Sequence[FloorConfig]) -> None:
    """Set slots, description and activity to the configured values, but no count. Changes are logged and audited."""
    by = Attribution(_ACTOR)
    for change in writer.call(lambda store: store.apply_configuration(floors, by), "the floors"):
        log.info("configuration: %s", change)


def reload_floors(writer: Writer, config: Config, read: Callable[[], Config]) -> Config:
    """Apply the floors of the configuration that ``read`` returns; returns ``config`` with these floors.

    All other sections are applied at the next start, and those that differ are logged. A wrong file changes nothing.
    """
    try:
        new = read()
        apply_floors(writer, new.floors)
    except ConfigError as error:
        for problem in error.problems:
            log.error("HUP received; the configuration is wrong, nothing was changed: %s", problem)
        return config
    except SmartParkError as error:
        log.error("HUP received; the floors could not be changed: %s", error)
        return config
    running, read_anew = config.model_dump(), new.model_dump()
    changed = [section for section in running if section != "floors" and running[section] != read_anew[section]]
    log.info("HUP received; the floors are up to date; a restart is needed for: %s", ", ".join(changed) or "nothing")
    return config.model_copy(update={"floors": new.floors})

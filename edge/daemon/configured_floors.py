"""The configuration's floors into the database, at the start and when HUP asks for it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.core.errors import ConfigError, SmartParkError
from edge.store.counts.audit import Act
from edge.store.counts.configured_floors import ACTOR, apply_configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.config.schema import Config, FloorConfig
    from edge.store.writing.writer import Writer

log = logging.getLogger(__name__)


def apply_floors(writer: Writer, floors: Sequence[FloorConfig]) -> None:
    """Slots, description and activity follow the configuration, counts do not; every change is logged and audited."""
    act = Act(ACTOR, datetime.now(UTC))
    for change in writer.call(lambda db: apply_configuration(db, floors, act), "the floors"):
        log.info("configuration: %s", change)


def reload_floors(writer: Writer, config: Config, read: Callable[[], Config]) -> Config:
    """Apply the floors of the configuration that ``read`` gives; ``config`` with those floors.

    Everything else is read at the next start; what differs is logged. A wrong file changes nothing.
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
    now, then = config.model_dump(), new.model_dump()
    waiting = [section for section in now if section != "floors" and now[section] != then[section]]
    log.info("HUP received; the floors are up to date; a restart is needed for: %s", ", ".join(waiting) or "nothing")
    return config.model_copy(update={"floors": new.floors})

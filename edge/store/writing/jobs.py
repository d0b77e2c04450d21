"""What the writer can be asked to do, and the doing of it: one piece of work, one transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge.core.errors import RefusedError, SmartParkError
from edge.store.counts.events import Events
from edge.store.counts.outbox import Outbox
from edge.store.counts.validation import event_key
from edge.store.schema.models import Floor
from edge.store.sql.query import rows, write_transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import datetime

    from peewee import Database

    from edge.core.events import Event
    from edge.store.counts.stored_event import Recorded

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Record:
    """Events that are stored together or not at all."""

    events: tuple[Event, ...]


@dataclass(eq=False, slots=True)
class Call:
    """Something else to do with the writer's handle, for a caller that waits."""

    function: Callable[[Database], Any]
    future: Future[Any]


@dataclass(eq=False, slots=True)
class Work:
    """One of the three, or none of them for a sign of life."""

    records: list[Record] = field(default_factory=list)
    call: Call | None = None
    acknowledged: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a piece of work: events recorded, and jobs that were refused with the reason."""

    recorded: list[Recorded] = field(default_factory=list)
    refused: list[tuple[Record, RefusedError]] = field(default_factory=list)

    def tell(self) -> int:
        """Log it, each event with its key; how many events were refused."""
        for job, why in self.refused:
            for refused in job.events:
                log.error("refused, not recorded: %s: %s", event_key(refused), why)
        for item in self.recorded:
            event = item.event
            log.debug(
                "%s event=%s camera=%s track=%s floor=%r vehicles=%d",
                *("recorded" if item.inserted else "known already", event.event_id, event.camera_id, event.track_id),
                *(event.floor, item.occupancy.current_vehicles),
            )
            if item.clamp is not None:
                log.warning(
                    "the count of floor %r is off: %s by event=%s camera=%s track=%s, kept at %d of %d",
                    *(event.floor, item.clamp, event.event_id, event.camera_id, event.track_id),
                    *(item.occupancy.current_vehicles, item.occupancy.total_slots),
                )
        return sum(len(job.events) for job, _ in self.refused)


def perform(db: Database, work: Work, now: datetime) -> Outcome:
    """Do it in one transaction. When the database raises, nothing was changed, and it can be done again."""
    if work.acknowledged:
        Outbox(db).acknowledge(work.acknowledged)
    elif work.call is not None:
        _answer(db, work.call)
    elif work.records:
        return _record(db, work.records, now)
    else:
        rows(db, Floor.select(Floor.id).limit(1))
    return Outcome()


def _record(db: Database, jobs: list[Record], now: datetime) -> Outcome:
    outcome = Outcome()
    with write_transaction(db):
        for job in jobs:
            try:
                # Inside this transaction it is a savepoint: a refused job takes no other with it.
                outcome.recorded.extend(Events(db).record_all(job.events, now))
            except RefusedError as error:
                outcome.refused.append((job, error))
    return outcome


def _answer(db: Database, call: Call) -> None:
    try:
        result = call.function(db)
    except SmartParkError as error:
        call.future.set_exception(error)
    else:
        call.future.set_result(result)

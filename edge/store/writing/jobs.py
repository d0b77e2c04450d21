"""Does the writer's work: one piece of work is one transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge.core.errors import RefusedError, SmartParkError
from edge.core.events import Event
from edge.store.counts.validation import event_key
from edge.store.schema.models import FloorRow
from edge.store.sql.errors import AccessError
from edge.store.sql.query import fetch_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import datetime

    from edge.store.counts.stored_event import Recorded
    from edge.store.store import Store

log = logging.getLogger(__name__)

# Events that are recorded together or not at all.
EventGroup = tuple[Event, ...]


@dataclass(eq=False, slots=True)
class Call:
    """A function to be called with the writer's store.

    The caller waits for the future; of a call that is ``posted`` nobody does: ``what`` names it in the log.
    """

    function: Callable[[Store], Any]
    future: Future[Any]
    what: str = ""
    posted: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """What one transaction does: it records groups, calls a function, or removes acknowledged events from the outbox.

    Without any of them it only checks that the database answers.
    """

    groups: list[EventGroup] = field(default_factory=list)
    call: Call | None = None
    acknowledged: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class WorkResult:
    """The events that were recorded, and the groups that were refused, each with the reason."""

    recorded: list[Recorded] = field(default_factory=list)
    refused: list[tuple[EventGroup, RefusedError]] = field(default_factory=list)

    def committed_of(self, work: Work) -> list[EventGroup]:
        """The groups of the work that were not refused."""
        refused = {id(group) for group, _ in self.refused}
        return [group for group in work.groups if id(group) not in refused]

    @property
    def refused_events(self) -> int:
        """How many events were refused."""
        return sum(len(group) for group, _ in self.refused)


def do_work(store: Store, work: Work, now: datetime) -> WorkResult:
    """Do the work in one transaction. If the database raises an AccessError, nothing was changed."""
    if work.acknowledged:
        store.outbox.acknowledge(work.acknowledged)
    elif work.call is not None:
        _call(store, work.call)
    elif work.groups:
        return _record(store, work.groups, now)
    else:
        fetch_rows(store.db, FloorRow.select(FloorRow.id).limit(1))
    return WorkResult()


def log_result(result: WorkResult) -> None:
    """Log each event with its key."""
    for group, reason in result.refused:
        for event in group:
            log.error("refused, not recorded: %s: %s", event_key(event), reason)
    for recorded in result.recorded:
        stored, floor = recorded.event, recorded.occupancy
        log.debug(
            "%s event=%s camera=%s track=%s floor=%r vehicles=%d",
            *("recorded" if recorded.inserted else "stored already", stored.event_id, stored.camera_id),
            *(stored.track_id, stored.floor, floor.current_vehicles),
        )
        if recorded.clamp is not None:
            log.warning(
                "the count of floor %r is wrong: %s by event=%s camera=%s track=%s, kept at %d of %d",
                *(stored.floor, recorded.clamp, stored.event_id, stored.camera_id, stored.track_id),
                *(floor.current_vehicles, floor.total_slots),
            )


def _record(store: Store, groups: list[EventGroup], now: datetime) -> WorkResult:
    result = WorkResult()
    with store.transaction():
        for group in groups:
            try:
                # Inside this transaction it is a savepoint: a refused group does not undo the others.
                result.recorded.extend(store.events.record_all(group, now))
            except RefusedError as error:
                result.refused.append((group, error))
    return result


def _call(store: Store, call: Call) -> None:
    try:
        answer = call.function(store)
    except AccessError:  # the writer decides whether to try again
        raise
    except SmartParkError as error:
        if call.posted:
            log.error("not recorded: %s: %s", call.what, error)
        call.future.set_exception(error)
    else:
        call.future.set_result(answer)

"""The events: recorded once, read by floor, camera and time."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import peewee

from edge.core.errors import RefusedError
from edge.store.counts.record_event import record_event
from edge.store.counts.stored_event import (
    EVENT_COLUMNS,
    PAGE_COLUMNS,
    Recorded,
    stored_event,
    stored_events,
)
from edge.store.counts.validation import checked_event, event_key, is_text
from edge.store.schema.columns import to_utc
from edge.store.schema.models import Event, Floor
from edge.store.sql.errors import one_line
from edge.store.sql.prepared import Prepared, slot
from edge.store.sql.query import first, read_transaction, rows, write_transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from edge.core.events import Event as EventRecord
    from edge.core.events import StoredEvent

# So many events at a time are read for a stream: little memory, and no read that holds up the write-ahead log.
_CHUNK = 1000


class Cursor(NamedTuple):
    """A place in the order of events: after this one in the direction of reading. Times may be equal, ids are not."""

    timestamp: datetime
    id: int


class Events:
    """The events of one database. Used in the thread that opened the handle."""

    def __init__(self, db: peewee.Database) -> None:
        self._db = db

    def record(self, event: EventRecord, now: datetime) -> Recorded:
        """``record_all`` of one event."""
        return self.record_all([event], now)[0]

    def record_all(self, events: Sequence[EventRecord], now: datetime) -> list[Recorded]:
        """Record all of them in one transaction, or none; ``now`` (aware) becomes their ``created_at``.

        An event that is there already (same camera, track, direction and timestamp) changes nothing. A floor that is
        inactive or deleted goes on counting. RefusedError for an event that cannot be recorded: an unknown floor, a
        value out of its bounds, a naive timestamp.
        """
        checked = [checked_event(event) for event in events]
        now = to_utc(now)
        if not checked:
            return []
        try:
            with write_transaction(self._db):
                return [record_event(self._db, event, now) for event in checked]
        except peewee.IntegrityError as error:
            raise RefusedError(
                f"the database refuses {'; '.join(event_key(event) for event in checked)}: {one_line(error)}"
            ) from error

    def newest(
        self,
        limit: int,
        floor: str | None = None,
        camera: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        before: Cursor | None = None,
    ) -> list[StoredEvent]:
        """The newest ``limit`` events by their timestamp, newest first; of one floor or camera if named.

        ``since`` is in the range, ``until`` is not. ``before`` goes on after the last event of an earlier call, at
        ``Cursor(last.timestamp, last.id)``. Empty for a floor or camera that is unknown. RefusedError for a limit
        below 1 or a naive time.
        """
        return self._page(limit, floor, camera, since, until, before, newest=True)

    def oldest(
        self,
        limit: int,
        floor: str | None = None,
        camera: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: Cursor | None = None,
    ) -> list[StoredEvent]:
        """As ``newest``, from the other end: the oldest first."""
        return self._page(limit, floor, camera, since, until, after, newest=False)

    def stream(
        self,
        floor: str | None = None,
        camera: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[StoredEvent]:
        """All events of the range, the oldest first, in constant memory.

        Read piece by piece, so that however long it takes the write-ahead log is not held up: events that come in
        behind the place that was reached are not seen.
        """
        after = None
        while chunk := self.oldest(_CHUNK, floor, camera, since=since, until=until, after=after):
            yield from chunk
            after = Cursor(chunk[-1].timestamp, chunk[-1].id)

    def get(self, row_id: int) -> StoredEvent | None:
        """The event of that row id, or None."""
        query = Event.select(*EVENT_COLUMNS).join(Floor).where(Event.id == row_id)
        row = first(self._db, query)
        return stored_event(row) if row else None

    def count(self) -> int:
        """How many events there are, not counting those that were cleaned up. Reads an index to its end."""
        [(number,)] = rows(self._db, Event.select(peewee.fn.COUNT(Event.id)))
        return int(number)

    def _page(
        self,
        limit: int,
        floor: str | None,
        camera: str | None,
        since: datetime | None,
        until: datetime | None,
        cursor: Cursor | None,
        *,
        newest: bool,
    ) -> list[StoredEvent]:
        if limit < 1:
            raise RefusedError(f"the limit is {limit}; it must be 1 or more")
        if not is_text((floor or "") + (camera or "")):
            return []
        given: dict[str, object] = {"camera": camera, "since": since, "until": until}
        if floor is not None:
            row = _FLOOR_ID.first(self._db, name=floor)
            if row is None:
                return []
            given["floor"] = floor_id = int(row[0])
        if cursor is not None:
            given |= {"moment": cursor.timestamp, "id": cursor.id}
        given = {name: value for name, value in given.items() if value is not None}
        page = _page(newest, frozenset(given))
        if floor is not None:
            return stored_events(page.raw(self._db, limit=limit, **given), {floor_id: floor})
        with read_transaction(self._db):
            return stored_events(page.raw(self._db, limit=limit, **given), dict(_FLOOR_NAMES.raw(self._db)))


_FLOOR_NAMES = Prepared(Floor.select(Floor.id, Floor.name))
_FLOOR_ID = Prepared(Floor.select(Floor.id).where(Floor.name == slot("name")))


@cache
def _page(newest: bool, given: frozenset[str]) -> Prepared:
    """The query with a condition for each name that is given: prepared once, they are asked for all day."""
    query = Event.select(*PAGE_COLUMNS)
    moment, row_id = slot("moment", Event.timestamp), slot("id")
    conditions = {
        "floor": Event.floor == slot("floor"),
        "camera": Event.camera_id == slot("camera"),
        "since": Event.timestamp >= slot("since", Event.timestamp),
        "until": Event.timestamp < slot("until", Event.timestamp),
        # The first part says nothing that the second does not, but it is the one that an index understands.
        "moment": (
            (Event.timestamp <= moment) & ((Event.timestamp < moment) | (Event.id < row_id))
            if newest
            else (Event.timestamp >= moment) & ((Event.timestamp > moment) | (Event.id > row_id))
        ),
    }
    for name, condition in conditions.items():
        if name in given:
            query = query.where(condition)
    order = (Event.timestamp.desc(), Event.id.desc()) if newest else (Event.timestamp, Event.id)
    return Prepared(query.order_by(*order).limit(slot("limit")))

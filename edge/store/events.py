"""The events: recorded once, read by floor, camera and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import peewee

from edge.errors import RefusedError
from edge.store.checks import checked_event, event_key, is_text
from edge.store.fields import to_utc
from edge.store.models import Event, Floor
from edge.store.recording import record_event
from edge.store.stored import EVENT_COLUMNS, Recorded, StoredEvent, stored_event
from edge.store.transaction import first, rows, write_transaction
from edge.store.trouble import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from edge.records import Event as EventRecord

__all__ = ["Cursor", "Events", "Recorded", "StoredEvent"]

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
        query = self._query(limit, floor, camera, since, until)
        if query is None:
            return []
        if before is not None:
            query = query.where(
                Event.timestamp <= before.timestamp, (Event.timestamp < before.timestamp) | (Event.id < before.id)
            )
        ordered = query.order_by(Event.timestamp.desc(), Event.id.desc())
        return [stored_event(row) for row in rows(self._db, ordered)]

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
        query = self._query(limit, floor, camera, since, until)
        if query is None:
            return []
        if after is not None:
            query = query.where(
                Event.timestamp >= after.timestamp, (Event.timestamp > after.timestamp) | (Event.id > after.id)
            )
        ordered = query.order_by(Event.timestamp, Event.id)
        return [stored_event(row) for row in rows(self._db, ordered)]

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

    def _query(
        self, limit: int, floor: str | None, camera: str | None, since: datetime | None, until: datetime | None
    ) -> peewee.ModelSelect[Event] | None:
        if limit < 1:
            raise RefusedError(f"the limit is {limit}; it must be 1 or more")
        if not is_text((floor or "") + (camera or "")):
            return None
        query = Event.select(*EVENT_COLUMNS).join(Floor).limit(limit)
        if floor is not None:
            query = query.where(Event.floor == self._floor_id(floor))
        if camera is not None:
            query = query.where(Event.camera_id == camera)
        if since is not None:
            query = query.where(Event.timestamp >= since)
        if until is not None:
            query = query.where(Event.timestamp < until)
        return query

    def _floor_id(self, name: str) -> int:
        row = first(self._db, Floor.select(Floor.id).where(Floor.name == name))
        return int(row[0]) if row else 0

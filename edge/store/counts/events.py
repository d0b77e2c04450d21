"""Records events, each once, and reads them by floor, camera and time."""

from __future__ import annotations

from functools import cache
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from peewee import fn

from edge.core.errors import RefusedError
from edge.store.counts.record_event import record_event
from edge.store.counts.stored_event import EVENT_COLUMNS, PAGE_COLUMNS, event_from_row, events_from_raw_rows
from edge.store.counts.validation import checked_event, checked_number, event_key, is_text
from edge.store.schema.models import EventRow, FloorRow
from edge.store.sql.errors import ConstraintError, description
from edge.store.sql.prepared import Prepared, slot
from edge.store.sql.query import fetch_rows, first_row, read_transaction, write_transaction
from edge.store.sql.times import from_micros, to_utc, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from peewee import Database

    from edge.core.events import Event, StoredEvent
    from edge.store.counts.stored_event import Recorded
    from edge.store.sql.query import SqlRow

# A stream reads this many events at a time: they need little memory, and no read is so long that the write-ahead log
# grows.
_CHUNK = 1000
_MOST_EVENTS = 1_000_000_000
_TIMESTAMP, _ORDER_AT = ([column.name for column in PAGE_COLUMNS].index(name) for name in ("timestamp", "order_at"))


class Cursor(NamedTuple):
    """The position of an event in the order of reading: its ``listed_at`` and ``id``. Times may be equal, ids not."""

    timestamp: datetime
    id: int


class Events:
    """The events of one database. Used in the thread that opened the handle."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(self, event: Event, now: datetime | None = None) -> Recorded:
        """``record_all`` of one event."""
        return self.record_all([event], now)[0]

    def record_all(self, events: Sequence[Event], now: datetime | None = None) -> list[Recorded]:
        """Record all of them in one transaction, or none; ``now`` (aware) becomes their ``created_at``.

        An event that is stored already (same camera, track, direction and timestamp) changes nothing. An inactive or
        deleted floor counts too. RefusedError for an event that cannot be recorded: an unknown floor, a value out of
        its bounds, a naive timestamp.
        """
        checked = [checked_event(event) for event in events]
        now = utc_now() if now is None else to_utc(now)
        if not checked:
            return []
        try:
            with write_transaction(self._db):
                return [record_event(self._db, event, now) for event in checked]
        except ConstraintError as error:
            raise RefusedError(
                f"the database refuses {'; '.join(event_key(event) for event in checked)}: {description(error)}"
            ) from error

    def newest(
        self,
        limit: int = 50,
        *,
        floor: str | None = None,
        camera: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: Cursor | None = None,
    ) -> list[StoredEvent]:
        """The newest ``limit`` events by their timestamp, newest first; of one floor or camera if named.

        Events that were recorded after the clock was set back stand behind those before it, by their ids. ``since`` is
        in the range of timestamps, ``until`` is not. ``before`` continues after the last event of an earlier call, at
        ``Cursor(last.listed_at, last.id)``. Empty for a floor or camera that is unknown. RefusedError for a limit
        below 1 or a naive time.
        """
        return self._page(limit, floor, camera, since, until, before, newest=True)

    def oldest(
        self,
        limit: int = 50,
        *,
        floor: str | None = None,
        camera: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: Cursor | None = None,
    ) -> list[StoredEvent]:
        """As ``newest``, from the other end: the oldest first."""
        return self._page(limit, floor, camera, since, until, after, newest=False)

    def stream(
        self,
        *,
        floor: str | None = None,
        camera: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[StoredEvent]:
        """All events of the range, the oldest first, in constant memory.

        They are read in pieces, so that the write-ahead log does not grow however long the caller takes. An event that
        is recorded meanwhile with a timestamp before the last one that was read is left out.
        """
        for rows, floor_names in self.raw_pages(floor=floor, camera=camera, since=since, until=until):
            yield from events_from_raw_rows(rows, floor_names)

    def raw_pages(
        self,
        *,
        floor: str | None = None,
        camera: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[tuple[list[SqlRow], Mapping[int, str]]]:
        """``stream`` as raw rows of ``PAGE_COLUMNS``, with the names of floors by their ids: for this room alone."""
        after = None
        while True:
            rows, floor_names = self._raw_page(_CHUNK, floor, camera, since, until, after, newest=False)
            if not rows:
                return
            yield rows, floor_names
            position, row_id = _position(rows[-1])
            after = Cursor(from_micros(position), row_id)

    def by_id(self, row_id: int) -> StoredEvent:
        """The event of that row id. RefusedError if there is none."""
        query = EventRow.select(*EVENT_COLUMNS).join(FloorRow).where(EventRow.id == row_id)
        row = first_row(self._db, query)
        if row is None:
            raise RefusedError(f"there is no event with the id {row_id}")
        return event_from_row(row)

    def count(self) -> int:
        """How many events there are, without those that were removed. Reads an index to its end."""
        [(number,)] = fetch_rows(self._db, EventRow.select(fn.COUNT(EventRow.id)))
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
        return events_from_raw_rows(*self._raw_page(limit, floor, camera, since, until, cursor, newest=newest))

    def _raw_page(
        self,
        limit: int,
        floor: str | None,
        camera: str | None,
        since: datetime | None,
        until: datetime | None,
        cursor: Cursor | None,
        *,
        newest: bool,
    ) -> tuple[list[SqlRow], Mapping[int, str]]:
        checked_number("the limit", limit, least=1, most=_MOST_EVENTS)
        if not is_text((floor or "") + (camera or "")):
            return [], {}
        values: dict[str, object] = {"camera": camera, "since": since, "until": until}
        if floor is not None:
            row = _FLOOR_ID.first(self._db, name=floor)
            if row is None:
                return [], {}
            values["floor"] = floor_id = int(row[0])
        if cursor is not None:
            values |= {"cursor_time": cursor.timestamp, "cursor_id": cursor.id}
        values = {name: value for name, value in values.items() if value is not None}
        if floor is not None:
            return self._ordered_rows(limit, values, newest=newest), {floor_id: floor}
        with read_transaction(self._db):
            return self._ordered_rows(limit, values, newest=newest), dict(_FLOOR_NAMES.raw_rows(self._db))

    def _ordered_rows(self, limit: int, values: Mapping[str, object], *, newest: bool) -> list[SqlRow]:
        """The rows in the order of lists: those with an ``order_at``, which are few or none, among the others."""
        by_time = dict(values)
        if "cursor_time" in values:
            # SQLite searches the index with one limit only: with the range's it would read all earlier pages again.
            cursor_time, until, since = (values.get(name) for name in ("cursor_time", "until", "since"))
            if newest and until is not None and cursor_time < until:  # type: ignore[operator]  # both are times
                del by_time["until"]
            elif not newest and since is not None and cursor_time >= since:  # type: ignore[operator]
                del by_time["since"]
        page = _page_query(newest, frozenset(by_time))
        if not _ANY_ORDERED.raw_rows(self._db):
            return page.raw_rows(self._db, limit=limit, **by_time)
        with read_transaction(self._db):
            rows = page.raw_rows(self._db, limit=limit, **by_time)
            ordered = _page_query(newest, frozenset(values), ordered=True).raw_rows(self._db, limit=limit, **values)
        return list(islice(merge(rows, ordered, key=_position, reverse=newest), limit))


def _position(row: SqlRow) -> tuple[int, int]:
    """The time by which a raw row is listed, and its id."""
    order_at = row[_ORDER_AT]
    return row[_TIMESTAMP] if order_at is None else order_at, row[0]


_FLOOR_NAMES = Prepared(FloorRow.select(FloorRow.id, FloorRow.name))
_FLOOR_ID = Prepared(FloorRow.select(FloorRow.id).where(FloorRow.name == slot("name")))


_ANY_ORDERED = Prepared(EventRow.select(EventRow.id).where(EventRow.order_at.is_null(False)).limit(1))


@cache
def _page_query(newest: bool, names: frozenset[str], *, ordered: bool = False) -> Prepared:
    """The query with a condition for each value of ``names``, prepared at its first use.

    ``ordered`` asks for the events that have an ``order_at``, else for those that have none.
    """
    query = EventRow.select(*PAGE_COLUMNS).where(EventRow.order_at.is_null(not ordered))
    position = EventRow.order_at if ordered else EventRow.timestamp
    time, row_id = slot("cursor_time", EventRow.timestamp), slot("cursor_id")
    conditions = {
        "floor": EventRow.floor == slot("floor"),
        "camera": EventRow.camera_id == slot("camera"),
        "since": EventRow.timestamp >= slot("since", EventRow.timestamp),
        "until": EventRow.timestamp < slot("until", EventRow.timestamp),
        # The first part follows from the second; it is there because SQLite can use an index for it.
        "cursor_time": (
            (position <= time) & ((position < time) | (EventRow.id < row_id))
            if newest
            else (position >= time) & ((position > time) | (EventRow.id > row_id))
        ),
    }
    for name, condition in conditions.items():
        if name in names:
            query = query.where(condition)
    order = (position.desc(), EventRow.id.desc()) if newest else (position, EventRow.id)
    return Prepared(query.order_by(*order).limit(slot("limit")))

"""Writes events as CSV or JSON Lines for other programs, however many there are.

The rows are written as the database returns them: a ``StoredEvent`` for each would take several times as long.
"""

from __future__ import annotations

import csv
import json
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Literal, TextIO

from edge.store.counts.events import Events
from edge.store.sql.times import from_micros, iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from peewee import Database

    from edge.core.events import StoredEvent
    from edge.store.sql.query import SqlRow

EXPORT_COLUMNS = (
    *("id", "event_id", "camera_id", "gate_id", "floor_id", "floor", "track_id", "vehicle_type", "direction"),
    *("confidence", "timestamp", "clock_state", "created_at"),
)
_DAY_MICROS = 86_400_000_000


def event_fields(stored: StoredEvent) -> dict[str, object]:
    """The event's values by the names of ``EXPORT_COLUMNS``, as JSON takes them."""
    return {
        "id": stored.id,
        "event_id": str(stored.event_id),
        "camera_id": stored.camera_id,
        "gate_id": stored.gate_id,
        "floor_id": stored.floor_id,
        "floor": stored.floor,
        "track_id": stored.track_id,
        "vehicle_type": stored.vehicle_type.value,
        "direction": stored.direction.value,
        "confidence": stored.confidence,
        "timestamp": iso(stored.timestamp),
        "clock_state": stored.clock_state.value,
        "created_at": iso(stored.created_at),
    }


def export_events(
    db: Database,
    out: TextIO,
    form: Literal["csv", "jsonl"] = "csv",
    *,
    floor: str | None = None,
    camera: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Write the events of the range to ``out``, the oldest first; how many there were.

    The form is CSV with a header line, or one JSON object a line; the columns are ``EXPORT_COLUMNS``.
    """
    pages = Events(db).raw_pages(floor=floor, camera=camera, since=since, until=until)
    return _write_csv(pages, out) if form == "csv" else _write_json_lines(pages, out)


def _write_csv(pages: Iterable[tuple[list[SqlRow], Mapping[int, str]]], out: TextIO) -> int:
    written = 0
    table = csv.writer(out, lineterminator="\n")
    table.writerow(EXPORT_COLUMNS)
    for rows, floor_names in pages:
        table.writerows(_values(rows, floor_names))
        written += len(rows)
    return written


def _write_json_lines(pages: Iterable[tuple[list[SqlRow], Mapping[int, str]]], out: TextIO) -> int:
    written = 0
    encode = json.JSONEncoder(ensure_ascii=False).encode
    for rows, floor_names in pages:
        lines = (encode(dict(zip(EXPORT_COLUMNS, row, strict=True))) for row in _values(rows, floor_names))
        out.writelines(chain.from_iterable((line, "\n") for line in lines))
        written += len(rows)
    return written


def _values(rows: Iterable[SqlRow], floor_names: Mapping[int, str]) -> Iterator[tuple[object, ...]]:
    """The values of ``EXPORT_COLUMNS`` of raw rows of ``PAGE_COLUMNS``."""
    for row_id, event_id, camera, gate, floor_id, track, vehicle, direction, confidence, at, created, clock in rows:
        yield (
            *(row_id, event_id, camera, gate, floor_id, floor_names[floor_id], track, vehicle, direction, confidence),
            *(_iso_of_micros(at), clock, _iso_of_micros(created)),
        )


def _iso_of_micros(micros: int) -> str:
    """``iso`` of a moment in microseconds. The date is computed once a day of events, which takes most of the time."""
    day, rest = divmod(micros, _DAY_MICROS)
    seconds, micros = divmod(rest, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    return f"{_date(day)}T{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{micros:06}Z"


@lru_cache(maxsize=1000)
def _date(day: int) -> str:
    return from_micros(day * _DAY_MICROS).date().isoformat()

"""Writes events as CSV or JSON Lines for other programs, however many there are.

Each line is composed from the row as the database returns it: with a ``StoredEvent`` for each row, and the modules
``csv`` and ``json``, it would take several times as long.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from io import StringIO
from json.encoder import encode_basestring as _json_text
from typing import TYPE_CHECKING, Literal, TextIO

from edge.store.counts.events import Events
from edge.store.sql.times import from_micros, iso

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from peewee import Database

    from edge.core.events import StoredEvent
    from edge.store.sql.query import SqlRow

EXPORT_COLUMNS = (
    *("id", "event_id", "camera_id", "gate_id", "floor_id", "floor", "track_id", "vehicle_type", "direction"),
    *("confidence", "timestamp", "clock_state", "created_at", "correction_seconds"),
)
# Whether a text consists of characters that CSV never quotes.
_PLAIN = re.compile(r"[0-9A-Za-z_.:/-]+").fullmatch
_SECOND_MICROS = 1_000_000
_MINUTE_MICROS = 60 * _SECOND_MICROS
_DAY_MICROS = 24 * 60 * _MINUTE_MICROS
# The parts of a time of day in ISO 8601: by the minute of the day, and by the second of the minute.
_MINUTES = [f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(24 * 60)]
_SECONDS = [f"{second:02}." for second in range(60)]


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
        "correction_seconds": stored.correction.total_seconds(),
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
    written = 0
    line = _csv_line if form == "csv" else _json_line
    if form == "csv":
        out.write(",".join(EXPORT_COLUMNS) + "\n")
    for rows, floors in Events(db).raw_pages(floor=floor, camera=camera, since=since, until=until):
        out.write("".join([line(row, floors) for row in rows]))
        written += len(rows)
    return written


def _csv_line(row: SqlRow, floors: Mapping[int, str]) -> str:
    """The line that ``csv.writer`` makes of the values. The texts that are not quoted never need it."""
    row_id, event_id, camera, gate, floor_id, track, vehicle, direction, confidence, at, created, clock, _, added = row
    return (
        f"{row_id},{event_id},{_csv_text(camera)},{_csv_text(gate)},{floor_id},{_csv_text(floors[floor_id])},"
        f"{track if _PLAIN(track) else _csv_text(track)},{vehicle},{direction},{confidence!r},{_iso_of_micros(at)},"
        f"{clock},{_iso_of_micros(created)},{added / _SECOND_MICROS}\n"
    )


def _json_line(row: SqlRow, floors: Mapping[int, str]) -> str:
    """The line that ``json.dumps`` makes of ``event_fields``. The texts that are not quoted never need it."""
    row_id, event_id, camera, gate, floor_id, track, vehicle, direction, confidence, at, created, clock, _, added = row
    return (
        f'{{"id": {row_id}, "event_id": "{event_id}", "camera_id": {_json_text(camera)}, "gate_id": {_json_text(gate)},'
        f' "floor_id": {floor_id}, "floor": {_json_text(floors[floor_id])}, "track_id": {_json_text(track)},'
        f' "vehicle_type": "{vehicle}", "direction": "{direction}", "confidence": {confidence!r},'
        f' "timestamp": "{_iso_of_micros(at)}", "clock_state": "{clock}", "created_at": "{_iso_of_micros(created)}",'
        f' "correction_seconds": {added / _SECOND_MICROS}}}\n'
    )


@lru_cache(maxsize=1000)
def _csv_text(text: str) -> str:
    """A text as ``csv.writer`` writes it, quoted where necessary. Names come again and again."""
    field = StringIO()
    csv.writer(field, lineterminator="\n").writerow(("", text))
    return field.getvalue()[1:-1]


def _iso_of_micros(micros: int) -> str:
    """``iso`` of a moment in microseconds, from parts that are computed once: a third of the time."""
    day, rest = divmod(micros, _DAY_MICROS)
    minute, rest = divmod(rest, _MINUTE_MICROS)
    second, rest = divmod(rest, _SECOND_MICROS)
    return f"{_date(day)}{_MINUTES[minute]}{_SECONDS[second]}{rest:06}Z"


@lru_cache(maxsize=1000)
def _date(day: int) -> str:
    return from_micros(day * _DAY_MICROS).date().isoformat()

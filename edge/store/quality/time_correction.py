"""Corrects the times of events and blind intervals from before the first synchronisation of the clock."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from edge.core.events import ClockState, VehicleType
from edge.store.counts.audit import Audit
from edge.store.counts.hourly_totals import HOUR_MICROS
from edge.store.schema.quality_models import ClockChangeRow
from edge.store.sql.query import execute_sql, fetch_rows, with_placeholders
from edge.store.sql.times import to_micros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peewee import Database

    from edge.store.counts.audit import Attribution
    from edge.store.sql.query import SqlRow

# Only the times of live events are those of this machine's clock; a replay or a person gives others.
_WRONG = (
    f"id > ? AND id <= ? AND clock_state IN ('{ClockState.UNSYNCHRONISED}', '{ClockState.STEPPED}') AND correction = 0"
)
_COUNTED = ("entries", "exits", *VehicleType, "confidence_sum")


def _hour(time: str) -> str:
    # The rest of a division keeps the sign of the dividend, which is negative before 1970.
    return f"({time} - (({time} % {HOUR_MICROS}) + {HOUR_MICROS}) % {HOUR_MICROS})"


_HOURS = f"""
    SELECT {_hour("timestamp")}, {_hour("corrected")}, floor_id,
           sum(CASE direction WHEN 'entry' THEN 1 ELSE 0 END), sum(CASE direction WHEN 'exit' THEN 1 ELSE 0 END),
           {", ".join(f"sum(CASE vehicle_type WHEN '{kind}' THEN 1 ELSE 0 END)" for kind in VehicleType)},
           sum(confidence)
    FROM (SELECT *, timestamp + CAST(? AS BIGINT) AS corrected FROM events WHERE {_WRONG}) AS wrong GROUP BY 1, 2, 3"""
_SUBTRACT = f"""
    UPDATE event_hourly SET {", ".join(f"{name} = {name} - ?" for name in _COUNTED)} WHERE hour = ? AND floor_id = ?"""
_ADD = f"""
    INSERT INTO event_hourly (hour, floor_id, {", ".join(_COUNTED)}, removed_entries, removed_exits)
    VALUES (?, ?, {", ".join("?" for _ in _COUNTED)}, 0, 0)
    ON CONFLICT (hour, floor_id)
    DO UPDATE SET {", ".join(f"{name} = event_hourly.{name} + excluded.{name}" for name in _COUNTED)}"""
_REMOVE_EMPTY = "DELETE FROM event_hourly WHERE hour = ? AND floor_id = ? AND entries + exits = 0"
# A clamp has the time of its event.
_CLAMPS = f"""
    UPDATE adjustments SET at = at + ? WHERE event_id IN (SELECT events.event_id FROM events WHERE {_WRONG})"""
_OUTBOX = f"""
    INSERT INTO outbox (event_id, created_at) SELECT id, CAST(? AS BIGINT) FROM events
    WHERE {_WRONG} AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.event_id = events.id) ORDER BY id"""
_EVENTS = f"""
    UPDATE events SET timestamp = timestamp + ?, created_at = created_at + ?, correction = ?, order_at = NULL,
           clock_state = '{ClockState.SYNCHRONISED}' WHERE {_WRONG}"""
_RIGHT_EVENTS = f"UPDATE events SET order_at = NULL, clock_state = '{ClockState.SYNCHRONISED}' WHERE {_WRONG}"
_BEGINNINGS = "UPDATE blind_intervals SET began_at = began_at + ?, began_clock = ? WHERE began_clock = ?"
_ENDS = "UPDATE blind_intervals SET ended_at = ended_at + ?, ended_clock = ? WHERE ended_clock = ?"


def correct_times(db: Database, boot: str, by: Attribution) -> int:
    """Correct the times of a boot by the offset of its last clock change; how many events were corrected.

    Inside the transaction that records the change. The events get the clock state ``synchronised``, keep their ids and
    wait in the outbox again; the hours of the statistics follow them. What was corrected is in the audit log.
    """
    columns = (ClockChangeRow.id, ClockChangeRow.offset_micros, ClockChangeRow.last_event)
    changes = fetch_rows(db, ClockChangeRow.select(*columns).where(ClockChangeRow.boot_id == boot).order_by(columns[0]))
    corrected, last_id = 0, int(changes[-1][0])
    for row_id, micros, first, last in _segments(changes):
        if micros:
            for statement, values in ((_BEGINNINGS, (micros, last_id, row_id)), (_ENDS, (micros, last_id, row_id))):
                execute_sql(db, with_placeholders(db, statement), values)
        events = _correct_events(db, micros, first, last, to_micros(by.at))
        if events:
            after = {"events": events, "seconds": micros / 1e6, "after_event": first, "until_event": last}
            Audit(db).write(by, "correct times", "events before the clock was synchronised", None, after)
        corrected += events
    return corrected


def _segments(changes: list[SqlRow]) -> Iterator[tuple[int, int, int, int]]:
    """For each change but the last: its id, how wrong its times were, and the last event before it and the next."""
    right = int(changes[-1][1])
    for (row_id, offset, first), (_, _, last) in pairwise(changes):
        yield int(row_id), right - int(offset), int(first), int(last)


def _correct_events(db: Database, micros: int, first: int, last: int, now: int) -> int:
    def run(statement: str, *values: int) -> list[SqlRow]:
        return execute_sql(db, with_placeholders(db, statement), values)

    hours = run(_HOURS, micros, first, last)
    if not hours:
        return 0
    if not micros:
        run(_RIGHT_EVENTS, first, last)
        return 0
    for old, new, floor_id, *sums in hours:
        if old == new:
            continue
        run(_SUBTRACT, *sums, old, floor_id)
        run(_ADD, new, floor_id, *sums)
        run(_REMOVE_EMPTY, old, floor_id)
    run(_CLAMPS, micros, first, last)
    run(_OUTBOX, now, first, last)
    run(_EVENTS, micros, micros, micros, first, last)
    return sum(int(row[3]) + int(row[4]) for row in hours)

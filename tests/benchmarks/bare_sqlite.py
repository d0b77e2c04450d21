"""Does the work of the store in plain ``sqlite3``, as fast as we can: what ``bench_store.py`` compares the store with.

File, tables, indexes and durability are the same. Times stay integers, rows become dicts, and nothing is validated or
logged. The values come prepared, as the database takes them.
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any

from edge.store.schema.connect import WAL_BYTES
from edge.store.upkeep import cleanup as product

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.events import Event

Row = dict[str, Any]

HOUR = 3_600_000_000
TYPES = ("car", "motorcycle", "bus", "truck", "bicycle", "other")
_EVENT = (
    *("id", "event_id", "camera_id", "gate_id", "floor_id", "floor", "track_id", "vehicle_type", "direction"),
    *("confidence", "timestamp", "created_at", "clock_state"),
)
_COLUMNS = ", ".join("f.name" if name == "floor" else f"e.{name}" for name in _EVENT)
_SELECT = f"SELECT {_COLUMNS} FROM events e JOIN floors f ON f.id = e.floor_id"
_FLOOR = ("id", "name", "description", "total_slots", "current_vehicles", "is_active", "updated_at", "seq")
_FLOORS = f"SELECT {', '.join(_FLOOR)} FROM floors"
_RECOMMENDED = (
    f"{_FLOORS} WHERE is_active = 1 AND deleted_at IS NULL AND current_vehicles < total_slots"
    " ORDER BY total_slots - current_vehicles DESC, name LIMIT 1"
)
_FIND = f"{_SELECT} WHERE e.camera_id = ? AND e.track_id = ? AND e.direction = ? AND e.timestamp = ?"
_INSERT = """
    INSERT INTO events (event_id, camera_id, gate_id, floor_id, track_id, vehicle_type, direction, confidence,
                        timestamp, created_at, clock_state)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_COUNT = {
    (way, kind): f"""
    INSERT INTO event_hourly (hour, floor_id, entries, exits, car, motorcycle, bus, truck, bicycle, other,
                              confidence_sum, removed_entries, removed_exits)
    VALUES (?, ?, {int(way == "entry")}, {int(way == "exit")}, {", ".join(str(int(k == kind)) for k in TYPES)}, ?, 0, 0)
    ON CONFLICT (hour, floor_id) DO UPDATE SET {"entries" if way == "entry" else "exits"} =
    {"entries" if way == "entry" else "exits"} + 1, {kind} = {kind} + 1,
    confidence_sum = confidence_sum + excluded.confidence_sum"""
    for way in ("entry", "exit")
    for kind in TYPES
}
_CLAMP = """
    INSERT INTO adjustments (floor_id, delta, reason, event_id, note, "before", "after", at, actor)
    VALUES (?, ?, ?, ?, '', ?, ?, ?, '')"""
_SUMS = ("entries", "exits", "confidence_sum", *TYPES)
_OUTER = f"SELECT (hour / {HOUR}) % 24, {', '.join(f'sum({name})' for name in _SUMS)}"
_YEAR = (
    f"{_OUTER} FROM (SELECT hour, {', '.join(f'sum({name}) AS {name}' for name in _SUMS)} FROM event_hourly"
    " WHERE hour >= ? AND hour < ? GROUP BY hour) GROUP BY 1"
)
_YEAR_OF_FLOOR = f"{_OUTER} FROM event_hourly WHERE hour >= ? AND hour < ? AND floor_id = ? GROUP BY 1"
_PIECE = (
    "SELECT count(CASE WHEN direction = 'entry' THEN 1 END), count(CASE WHEN direction = 'exit' THEN 1 END),"
    f" sum(confidence), {', '.join(f'''count(CASE WHEN vehicle_type = '{kind}' THEN 1 END)''' for kind in TYPES)}"
    " FROM events WHERE timestamp >= ? AND timestamp < ?"
)
_CLEANED = "SELECT 1 FROM event_hourly WHERE hour = ? AND removed_entries + removed_exits > 0 LIMIT 1"
_OLDEST = """
    SELECT id, timestamp FROM events WHERE timestamp >= ? AND timestamp < ?
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.event_id = events.id) ORDER BY timestamp LIMIT ?"""
_REMOVED = """
    SELECT timestamp - timestamp % 3600000000, floor_id, count(CASE WHEN direction = 'entry' THEN 1 END),
           count(CASE WHEN direction = 'exit' THEN 1 END)
    FROM events WHERE id IN ({ids}) GROUP BY 1, 2"""
_MARK = """
    UPDATE event_hourly SET removed_entries = removed_entries + ?, removed_exits = removed_exits + ?
    WHERE hour = ? AND floor_id = ?"""


class Bare:
    """One connection, and the measured operations as functions of it."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}", uri=True, isolation_level=None, timeout=5
        )
        self._run = self.db.execute
        # A writer's as the product sets them, so that both are as durable and copy the log back as often.
        writers = ("synchronous = FULL", "foreign_keys = 1", f"journal_size_limit = {WAL_BYTES}")
        for pragma in ("query_only = 1",) if read_only else writers:
            self._run(f"PRAGMA {pragma}").fetchall()
        [page_bytes] = self._run("PRAGMA page_size").fetchone()
        self._run(f"PRAGMA wal_autocheckpoint = {WAL_BYTES // page_bytes}").fetchall()

    def recommended(self) -> Row:
        """The floor to send the next vehicle to."""
        return dict(zip(_FLOOR, self._run(_RECOMMENDED).fetchone(), strict=True))

    def record(self, event: Event, timestamp: int, now: int) -> tuple[Row, bool]:
        """Write event, count, hour and outbox row in one durable transaction; a known event is returned as it is."""
        run = self._run
        run("BEGIN IMMEDIATE")
        way, kind = event.direction.value, event.vehicle_type.value
        there = run(_FIND, (event.camera_id, event.track_id, way, timestamp)).fetchone()
        if there is not None:
            floor = run(f"{_FLOORS} WHERE id = ?", (there[4],)).fetchone()
            run("COMMIT")
            return {**dict(zip(_EVENT, there, strict=True)), **dict(zip(_FLOOR, floor, strict=True))}, False
        floor_id, *_, slots, before, _, _, seq = run(f"{_FLOORS} WHERE name = ?", (event.floor,)).fetchone()
        event_id = str(event.event_id)
        values = (
            *(event_id, event.camera_id, event.gate_id, floor_id, event.track_id, kind, way, event.confidence),
            *(timestamp, now, event.clock_state.value),
        )
        row_id = run(_INSERT, values).lastrowid
        run(_COUNT[way, kind], (timestamp - timestamp % HOUR, floor_id, event.confidence))
        run("INSERT INTO outbox (event_id, created_at) VALUES (?, ?)", (row_id, now))
        counted = before + (1 if way == "entry" else -1)
        after = min(max(counted, 0), slots)
        if after != counted:
            reason = "underflow" if counted < 0 else "overflow"
            run(_CLAMP, (floor_id, after - counted, reason, event_id, counted, after, timestamp))
        run(
            "UPDATE floors SET current_vehicles = ?, seq = ?, updated_at = ? WHERE id = ?",
            (after, seq + 1, now, floor_id),
        )
        run("COMMIT")
        return {"id": row_id, "current_vehicles": after, "seq": seq + 1}, True

    def newest(self, floor: str) -> list[Row]:
        """The newest 50 of a floor."""
        [floor_id] = self._run("SELECT id FROM floors WHERE name = ?", (floor,)).fetchone()
        found = self._run(f"{_SELECT} WHERE e.floor_id = ? ORDER BY e.timestamp DESC, e.id DESC LIMIT 50", (floor_id,))
        return [dict(zip(_EVENT, row, strict=True)) for row in found.fetchall()]

    def between(self, floor: str, since: int, until: int) -> list[Row]:
        """A floor's events of a range of time."""
        [floor_id] = self._run("SELECT id FROM floors WHERE name = ?", (floor,)).fetchone()
        found = self._run(
            f"{_SELECT} WHERE e.floor_id = ? AND e.timestamp >= ? AND e.timestamp < ?"
            " ORDER BY e.timestamp DESC, e.id DESC",
            (floor_id, since, until),
        )
        return [dict(zip(_EVENT, row, strict=True)) for row in found.fetchall()]

    def statistics(self, since: int, until: int, floor: str | None) -> Row:
        """Totals, types, mean confidence and hours of the day: whole hours from the totals, the ends from events."""
        run = self._run
        floor_id = None
        run("BEGIN")
        if floor is not None:
            [floor_id] = run("SELECT id FROM floors WHERE name = ?", (floor,)).fetchone()
        for end in (since, until):
            run(_CLEANED, (end - end % HOUR,)).fetchone()
        first, last = since + -since % HOUR, until - until % HOUR
        query, more = (_YEAR, ()) if floor_id is None else (_YEAR_OF_FLOOR, (floor_id,))
        found = run(query, (first, last, *more)).fetchall()
        piece = _PIECE if floor_id is None else f"{_PIECE} AND floor_id = ?"
        for begin, end in ((since, first), (last, until)):
            if begin < end:
                found.append((begin // HOUR % 24, *run(piece, (begin, end, *more)).fetchone()))
        run("COMMIT")
        # One offset for the whole window is less work than the product's, which follows the change to summer time.
        offset = time.localtime(since // 1_000_000).tm_gmtoff // 3600
        hours = [[0, 0] for _ in range(24)]
        totals = [0.0] * len(_SUMS)
        for hour, *sums in found:
            if sums[2] is None:
                continue
            hours[(hour + offset) % 24][0] += sums[0]
            hours[(hour + offset) % 24][1] += sums[1]
            totals = [total + number for total, number in zip(totals, sums, strict=True)]
        return {**dict(zip(_SUMS, totals, strict=True)), "by_hour": hours}

    def clean(self, before: int) -> int:
        """Remove older events, in batches and with pauses of the product's lengths; the number removed."""
        run, size, removed, batches, after = self._run, product.SMALLEST_BATCH, 0, 0, -(2**62)
        run("PRAGMA wal_autocheckpoint = 0").fetchall()
        while True:
            run("BEGIN IMMEDIATE")
            began = time.monotonic()
            chosen = run(_OLDEST, (after, before, size)).fetchall()
            ids = ", ".join(str(row_id) for row_id, _ in chosen)
            for hour, floor, entries, exits in run(_REMOVED.format(ids=ids)).fetchall():
                run(_MARK, (entries, exits, hour, floor))
            run(f"DELETE FROM events WHERE id IN ({ids})")
            run("COMMIT")
            locked = time.monotonic() - began
            if not chosen:
                return removed
            removed, after = removed + len(chosen), chosen[-1][1]
            size = max(1, min(int(size * min(product.BATCH_SECONDS / max(locked, 1e-6), 1.5)), product.LARGEST_BATCH))
            batches += 1
            if batches % product.BATCHES_PER_CHECKPOINT == 0:
                run("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                run("PRAGMA wal_checkpoint(RESTART)").fetchall()
            time.sleep(product.PAUSE_SECONDS)

    def close(self) -> None:
        """End the connection."""
        self.db.close()

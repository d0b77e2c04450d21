"""Measures each operation of the store beside the same work in bare ``sqlite3``, for ``bench_store.py``."""

from __future__ import annotations

import os
import random
import struct
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.bare_sqlite import Bare
from benchmarks.store_data import DAYS, END, FLOORS, new_event

from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.reports.statistics import event_statistics
from edge.store.schema.connect import WAL_BYTES, open_database
from edge.store.sql.times import to_micros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from peewee import SqliteDatabase

Timed = tuple["Callable[[], object]", "Callable[[], object]"]
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Consecutive operations of the product on the shared file, then as many of bare ``sqlite3``, and so on.
BLOCK = 20
# Bytes of the headers of SQLite's write-ahead log.
_LOG_HEADER, _FRAME_HEADER = 32, 24
BLOCK_BYTES = 4096  # of a disk, which writes no less


@dataclass(frozen=True)
class Operation:
    """A line of the table; aims in milliseconds, None where there is none."""

    title: str
    median: float | None
    p99: float | None
    rounds: int
    make: Callable[[Size, random.Random], Timed]
    # Whether it reads all events of a window of time: then sizes are compared by a database whose hours are as full.
    dense: bool = False


@dataclass
class Size:
    """A database of so many days to read from, with a handle of the product and one of bare ``sqlite3``."""

    name: str
    handle: SqliteDatabase
    bare: Bare
    days: int


def _recommended(size: Size, _: random.Random) -> Timed:
    return Floors(size.handle).recommended, size.bare.recommended


def _newest(size: Size, chance: random.Random) -> Timed:
    floor, events = chance.choice(FLOORS).name, Events(size.handle)
    return lambda: events.newest(50, floor=floor), lambda: size.bare.newest(floor)


def _one_hour(size: Size, chance: random.Random) -> Timed:
    floor, events = chance.choice(FLOORS).name, Events(size.handle)
    since = END - HOUR - chance.random() * min(300, size.days - 1) * DAY
    until = since + HOUR
    begin, end = to_micros(since), to_micros(until)
    return (
        lambda: events.newest(1_000_000, floor=floor, since=since, until=until),
        lambda: size.bare.between(floor, begin, end),
    )


def _window(size: Size, until: datetime, length: timedelta, floor: str | None) -> Timed:
    since = until - length
    begin, end = to_micros(since), to_micros(until)
    return lambda: event_statistics(size.handle, since, until, floor), lambda: size.bare.statistics(begin, end, floor)


def _day(size: Size, chance: random.Random, floor: str | None = None) -> Timed:
    return _window(size, END - chance.random() * min(300, size.days - 2) * DAY, DAY, floor)


def _day_of_floor(size: Size, chance: random.Random) -> Timed:
    return _day(size, chance, chance.choice(FLOORS).name)


def _year(size: Size, chance: random.Random, floor: str | None = None) -> Timed:
    return _window(size, END - chance.random() * (DAYS - 370) * DAY, 365 * DAY, floor)


def _year_of_floor(size: Size, chance: random.Random) -> Timed:
    return _year(size, chance, chance.choice(FLOORS).name)


READS = (
    Operation("recommended floor", 0.2, 1, 500, _recommended),
    Operation("newest 50 of a floor", 1, 5, 300, _newest),
    Operation("one hour's range of a floor", 3, 10, 300, _one_hour, dense=True),
    Operation("statistics of 24 h, all floors", 10, 30, 300, _day, dense=True),
    Operation("statistics of 24 h, one floor", 10, 30, 300, _day_of_floor, dense=True),
    Operation("statistics of 1 year, all floors", 100, None, 25, _year),
    Operation("statistics of 1 year, one floor", 100, None, 25, _year_of_floor),
)


def measure_reads(
    sizes: list[Size], share: float, show_progress: Callable[[str], None]
) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of every reading operation, by title and then by ``"ours 100000"``.

    Product and bare ``sqlite3``, and the sizes, take turns, so that changes of the machine's speed meet all of them.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for operation in READS:
        show_progress(operation.title)
        rounds = max(5, round(operation.rounds * share))
        series: dict[str, list[float]] = {}
        chances = [random.Random(operation.title) for _ in sizes]
        # The first rounds are not counted, because a database that was just opened is slower.
        for number in range(-3, rounds):
            for size, chance in zip(sizes, chances, strict=True):
                if (size.days < DAYS) > operation.dense:
                    continue
                work = dict(zip(("ours", "bare"), operation.make(size, chance), strict=True))
                for who in ("ours", "bare") if number % 2 else ("bare", "ours"):
                    began = time.perf_counter()
                    work[who]()
                    if number >= 0:
                        series.setdefault(f"{who} {size.name}", []).append(1000 * (time.perf_counter() - began))
        found[operation.title] = series
    return found


class Recorder:
    """Records new events in a copy, by the product or by bare ``sqlite3``, one durable transaction each."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self.events_handle = stack.enter_context(closing(open_database(path, busy_timeout=5.0)))
        self.outbox_handle = stack.enter_context(closing(open_database(path, busy_timeout=5.0)))
        self.events, self.outbox = Events(self.events_handle), Outbox(self.outbox_handle)
        self.bare = stack.enter_context(closing(Bare(path)))
        self.number = 0

    def prepared(self, who: str, number: int) -> Callable[[], object]:
        """A function that records the event of that number."""
        moment = END + timedelta(milliseconds=700 * number)
        event, now = new_event(number, moment), moment + timedelta(milliseconds=150)
        if who == "ours":
            return lambda: self.events.record(event, now)
        micros, at = to_micros(moment), to_micros(now)
        return lambda: self.bare.record(event, micros, at)

    def block(self, who: str, *, again: bool) -> Iterator[float]:
        """Milliseconds of each event but the first, which reads pages that the other connection wrote."""
        first = self.number - BLOCK if again else self.number
        for number in range(first, first + BLOCK):
            work = self.prepared(who, number)
            began = time.perf_counter()
            work()
            if number > first:
                yield 1000 * (time.perf_counter() - began)
        self.number = first + BLOCK

    def written(self, who: str, number: int, *, acknowledge: bool) -> float:
        """Bytes that each of ``number`` events writes to the disk; see ``logged_bytes``."""
        connections = (self.bare.db, self.events_handle.connection(), self.outbox_handle.connection())
        for connection in connections:
            connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
        self.bare.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        for event in range(self.number, self.number + number):
            self.prepared(who, event)()
            if acknowledge:
                self.outbox.acknowledge([item.id for item in self.outbox.pending(100)])
        self.number += number
        total = logged_bytes(self.path)
        self.bare.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return total / number


def measure_records(copies: dict[int, Path], share: float, show_progress: Callable[[str], None]) -> dict[str, Any]:
    """Milliseconds of recording events and recording them again, at both sizes, and bytes written for an event."""
    new: dict[str, list[float]] = {}
    again: dict[str, list[float]] = {}
    bytes_each: dict[str, float] = {}
    blocks, number = max(2, round(20 * share)), max(300, round(1000 * share))
    with ExitStack() as stack:
        recorders = {size: Recorder(path, stack) for size, path in copies.items()}
        show_progress("record an event")
        for turn in range(-2, blocks):
            for size, recorder in recorders.items():
                for who in ("ours", "bare") if turn % 2 else ("bare", "ours"):
                    for series, known in ((new, False), (again, True)):
                        times = list(recorder.block(who, again=known))
                        if turn >= 0:
                            series.setdefault(f"{who} {size}", []).extend(times)
        show_progress("bytes written")
        for size, recorder in recorders.items():
            for who in ("ours", "bare"):
                bytes_each[f"{who} {size}"] = recorder.written(who, number, acknowledge=False)
            bytes_each[f"acknowledged {size}"] = recorder.written("ours", number, acknowledge=True)
    return {"new": new, "again": again, "bytes": bytes_each}


def logged_bytes(path: Path) -> int:
    """Bytes that the disk writes for the present log, in whole blocks of 4 KiB.

    They are the blocks of the log that each commit touches, and for each ``WAL_BYTES`` of the log the blocks of the
    database that a checkpoint then writes. The file system's own blocks are not counted.
    """
    total, end, checkpointed, changed = 0, _LOG_HEADER, 0, set()
    with path.with_name(path.name + "-wal").open("rb") as log:
        page_bytes = struct.unpack(">8xI20x", log.read(_LOG_HEADER))[0]
        begin = end
        while frame := log.read(_FRAME_HEADER + page_bytes):
            page, commits = struct.unpack_from(">II", frame)
            changed.add((page - 1) * page_bytes // BLOCK_BYTES)
            end += len(frame)
            if not commits:
                continue
            total += ((end - 1) // BLOCK_BYTES - begin // BLOCK_BYTES + 1) * BLOCK_BYTES
            begin = end
            if end - checkpointed >= WAL_BYTES:
                total += len(changed) * BLOCK_BYTES
                checkpointed, changed = end, set()
    return total + len(changed) * BLOCK_BYTES


def measure_fsync(folder: Path, rounds: int = 200) -> list[float]:
    """Milliseconds that the disk needs to append and sync as many bytes as an event takes in the log."""
    path = folder / "fsync"
    found = []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        for _ in range(rounds):
            began = time.perf_counter()
            os.write(descriptor, bytes(12 * 4096))
            os.fdatasync(descriptor)
            found.append(1000 * (time.perf_counter() - began))
    finally:
        os.close(descriptor)
        path.unlink()
    return found

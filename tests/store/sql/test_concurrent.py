"""Tests of several connections at once, on each kind of database: nothing is counted twice, lost, or seen by half."""

from __future__ import annotations

import random
import threading
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from edge.core.events import Direction
from edge.store.counts.configured_floors import apply_configuration
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.sql.query import execute_sql, with_placeholders
from edge.store.upkeep.cleanup import remove_old_events
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from peewee import Database

    from edge.config.schema import FloorConfig
    from edge.core.events import Event
    from edge.store.counts.audit import Attribution
    from edge.store.counts.stored_event import Recorded


# The pause between two rounds of a background thread: SQLite lets a waiting thread try only every few hundredths of a
# second.
PAUSE = 0.03


class Threads:
    """Threads with a connection each that start together; an error of one of them is raised at the end.

    ``over`` is set when all have ended that are not in the background, or one has failed.
    """

    def __init__(self, db: Database, beside: Callable[[Database], Database]) -> None:
        self.over = threading.Event()
        self._db = db
        self._beside = beside
        self._works: list[Callable[[Database], None]] = []
        self._errors: list[BaseException] = []
        self._busy = 0
        self._lock = threading.Lock()

    def add(self, work: Callable[[Database], None]) -> None:
        """Add a thread, which is not started."""
        self._works.append(work)

    def run(self, *background: Callable[[Database], None]) -> None:
        """Start all threads and wait for their end; those in the background run until ``over`` is set."""
        works = [(work, 1) for work in self._works] + [(work, 0) for work in background]
        self._busy = len(self._works)
        together = threading.Barrier(len(works), timeout=120)

        def thread_of(work: Callable[[Database], None], counts: int) -> None:
            try:
                with closing(self._beside(self._db)) as handle:
                    handle.connect(reuse_if_open=True)
                    together.wait()
                    work(handle)
            except BaseException as error:
                self._errors.append(error)
                self.over.set()
            with self._lock:
                self._busy -= counts
                if not self._busy:
                    self.over.set()

        threads = [threading.Thread(target=thread_of, args=each) for each in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in self._errors:
            raise error


def test_threads_that_record_the_same_events_at_once_get_the_same_rows(
    db: Database, beside: Callable[[Database], Database], make_event: Callable[..., Event], now: datetime
) -> None:
    """Six connections record the same events in different orders: each is stored once, and all get the same row."""
    results: list[list[Recorded]] = []

    def recorder(seed: int) -> Callable[[Database], None]:
        events = [make_event(n, floor="Roof" if n % 3 else "Ground") for n in range(30)]
        random.Random(seed).shuffle(events)
        return lambda handle: results.append([Events(handle).record(event, now) for event in events])

    threads = Threads(db, beside)
    for seed in range(6):
        threads.add(recorder(seed))
    threads.run()
    rows = {event.event_id: event for event in Events(db).newest(100)}
    assert len(rows) == Outbox(db).count() == 30
    for result in results:
        assert len(result) == 30
        assert all(rows[item.event.event_id] == item.event for item in result)
    assert sum(item.inserted for result in results for item in result) == 30
    assert sum(floor.seq - 1 for floor in Floors(db).all()) == 30
    assert verify(db) == []


def test_writers_of_every_kind_beside_readers(
    db: Database,
    beside: Callable[[Database], Database],
    make_event: Callable[..., Event],
    floors: tuple[FloorConfig, ...],
    by: Attribution,
) -> None:
    """Recorders, a technician, a configuration and a clean-up run at once: every reading is consistent, and none raises
    an error.

    A reader of the outbox that remembers how far it came is given every event, also when two of them were recorded at
    the same time.
    """
    recorders = 3
    each = 20
    sent: list[int] = []
    threads = Threads(db, beside)

    def recorder(index: int) -> Callable[[Database], None]:
        def record(handle: Database) -> None:
            names = ["Ground", "Roof"][:: 1 if index % 2 else -1]
            for n in range(each):
                way = Direction.ENTRY if n % 2 else Direction.EXIT
                pair = [
                    make_event(n, floor=names[0], direction=way, camera_id=f"cam {index}"),
                    make_event(n, floor=names[1], direction=way.opposite, camera_id=f"cam {index}"),
                ]
                Events(handle).record_all(pair, by.at)

        return record

    def technician(handle: Database) -> None:
        n = 0
        while not threads.over.wait(PAUSE) or n < 5:
            Floors(handle).correct("Ground", n % 50, by)
            Floors(handle).update_vehicle_count("Roof", n % 3 - 1, by)
            apply_configuration(handle, floors[: 1 + n % 2], by)
            n += 1

    def cleaner(handle: Database) -> None:
        while not threads.over.wait(PAUSE):
            remove_old_events(handle, 1, by, lambda _: None)

    def relay(handle: Database) -> None:
        last = 0
        while True:
            over = threads.over.is_set()
            query = with_placeholders(
                handle, "SELECT event_id FROM outbox WHERE event_id > ? ORDER BY event_id LIMIT 7"
            )
            if ids := [row_id for (row_id,) in execute_sql(handle, query, (last,))]:
                sent.extend(ids)
                last = ids[-1]
            elif over:
                return

    def reader(handle: Database) -> None:
        readings = 0
        while not threads.over.is_set() or readings < 3:
            assert verify(handle) == []
            readings += 1

    for n in range(100):
        Events(db).record(make_event(n, timestamp=by.at - timedelta(days=9, minutes=n)), by.at)
    Outbox(db).acknowledge(range(1, 1000))
    for index in range(recorders):
        threads.add(recorder(index))
    threads.run(technician, cleaner, relay, reader)
    assert verify(db) == []
    assert Events(db).count() == 2 * recorders * each
    assert sent == [stored.id for stored in Outbox(db).pending(10_000)]
    assert len(sent) == 2 * recorders * each

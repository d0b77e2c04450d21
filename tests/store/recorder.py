"""A process that records, for the tests that run several at once or kill one. Not a test itself.

recorder.py same DATABASE SEED          records 60 known events in its own order, prints how many it inserted
recorder.py endless PATH RUN            records new events for ever, prints the id of each one committed
"""

from __future__ import annotations

import itertools
import os
import random
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from peewee import PostgresqlDatabase

from edge.config.schema import FloorConfig
from edge.core.events import Direction, Event
from edge.store.counts.events import Events
from edge.store.counts.outbox import Outbox
from edge.store.schema.connect import open_database
from edge.store.store import open_store
from edge.store.writing.writer import Writer

if TYPE_CHECKING:
    from peewee import Database

    from edge.store.counts.stored_event import Recorded

BEGINNING = datetime(2026, 5, 4, tzinfo=UTC)
FLOORS = (FloorConfig(name="Ground", total_slots=20, opening_vehicles=10), FloorConfig(name="Roof", total_slots=5))


def event(run: str, n: int, gate: str, floor: str, direction: Direction) -> Event:
    """One of a run's events."""
    moment = BEGINNING + timedelta(milliseconds=n)
    return Event(
        camera_id="ramp", gate_id=gate, floor=floor, track_id=f"{run}-{n}", direction=direction, timestamp=moment
    )


def crossing(run: str, n: int, chance: random.Random) -> list[Event]:
    """A vehicle that comes or goes by the gate "outer" (one event), or changes the floor by "inner" (two)."""
    way = chance.choice(list(Direction))
    if chance.random() < 0.5:
        return [event(run, n, "outer", chance.choice(["Ground", "Roof"]), way)]
    return [event(run, n, "inner", "Ground", way), event(run, n, "inner", "Roof", way.opposite)]


def handle(database: str) -> Database:
    """A handle on a file, or on the database of a PostgreSQL server that the address names."""
    if database.startswith("postgresql://"):
        return PostgresqlDatabase(database, prefer_psycopg3=True)
    return open_database(Path(database), busy_timeout=60.0)


def same(database: str, seed: int) -> None:
    """Record the same crossings as every other process, each call of 1 or 2 events, in a shuffled order."""
    with closing(handle(database)) as db:
        chance = random.Random(0)
        crossings = [crossing("SAME", n, chance) for n in range(40)]
        random.Random(seed).shuffle(crossings)
        print("ready", flush=True)
        sys.stdin.readline()
        now = datetime.now(UTC)
        results = [item for events in crossings for item in Events(db).record_all(events, now)]
        print(sum(item.inserted for item in results), len(results), flush=True)


def endless(path: Path, run: str) -> None:
    """Three crossings in flight at a time, outbox rows acknowledged now and then, until somebody ends it."""

    def tell(recorded: list[Recorded]) -> None:
        os.write(1, "".join(f"{item.event.event_id}\n" for item in recorded).encode())

    def give_up(error: BaseException) -> None:
        os.write(2, repr(error).encode())
        os._exit(1)

    writer = Writer(lambda: open_store(path, any_version=True), tell, give_up)
    writer.start()
    writer.create_missing_floors(FLOORS)
    chance = random.Random(run)
    with closing(open_database(path, busy_timeout=5.0, read_only=True)) as reader:
        for n in itertools.count():
            writer.submit(crossing(run, n, chance))
            if n % 3 == 2:
                writer.flush(60.0)
            if n % 10 == 9:
                writer.acknowledge([item.id for item in Outbox(reader).pending(8)])


if __name__ == "__main__":
    kind, file, argument = sys.argv[1:]
    if kind == "same":
        same(file, int(argument))
    else:
        endless(Path(file), argument)

"""Sudden deaths of processes and of the machine. Run by test_kills.py; not a test itself.

kill_rounds.py kills PATH SEED ROUNDS   whoever writes is killed at any moment
kill_rounds.py cuts PATH SEED ROUNDS    the files are copied at any moment, as a power cut would leave them

Each prints what it saw as JSON, and ends with an error if anything was lost.

A process of its own, because it copies itself: that is quick, a round takes hundredths of a second, and safe only while
there is one thread.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import struct
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.config.schema import FloorConfig
from edge.core.events import Direction, Event
from edge.store.counts.audit import Attribution, Audit
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.reports.statistics import event_statistics
from edge.store.schema.connect import PAGE_BYTES, open_copy, open_database
from edge.store.schema.models import EventRow
from edge.store.schema.versions import create_tables
from edge.store.sql.query import fetch_rows
from edge.store.upkeep import cleanup
from edge.store.upkeep.backup import Backups
from edge.store.upkeep.cleanup import remove_old_events
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

LONGEST_ROUND_SECONDS = 0.06
NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD = NOW - timedelta(days=20)
# SQLite's file formats: where the index of the log says how far a checkpoint has begun to copy, and sizes.
CHECKPOINT_OFFSET = 128
LOG_HEADER = 32
FRAME_HEADER = 24
FLOORS = (FloorConfig(name="Ground", total_slots=30, opening_vehicles=15), FloorConfig(name="Roof", total_slots=4))
FORK = multiprocessing.get_context("fork")


def event(run: str, n: int, chance: random.Random, moment: datetime) -> Event:
    """One of a run's events."""
    floor, way = chance.choice(["Ground", "Roof"]), chance.choice(list(Direction))
    return Event(
        camera_id="ramp",
        floor=floor,
        track_id=f"{run}-{n}",
        direction=way,
        timestamp=moment + timedelta(microseconds=n),
    )


def breathe() -> None:
    """A moment for the others: SQLite's lock goes to whoever asks, not to whoever waits longest."""
    time.sleep(0.002)


def record(path: Path, run: str, told: Connection) -> None:
    """New events and old ones, until it is killed; tells the ids of the new ones once they are committed."""
    chance = random.Random(run)
    with closing(open_database(path, busy_timeout=10.0)) as db:
        events, outbox = Events(db), Outbox(db)
        for n in count():
            new = [event(run, 10 * n + i, chance, NOW) for i in range(chance.randint(1, 3))]
            old = [event(f"{run}-old", n, chance, OLD)]
            events.record_all([*new, *old], NOW)
            told.send([one.event_id for one in new])
            outbox.acknowledge([item.id for item in outbox.pending(5)])
            breathe()


def correct(path: Path, run: str, _: Connection) -> None:
    """Corrections of both floors, until it is killed."""
    chance = random.Random(run)
    with closing(open_database(path, busy_timeout=10.0)) as db:
        for n in count():
            Floors(db).correct("Ground", chance.randint(0, 30), Attribution("anna", NOW, f"{run} {n}"))
            Floors(db).update_vehicle_count("Roof", chance.randint(-3, 3), Attribution("anna", NOW))
            breathe()


def clean_up(path: Path, run: str, _: Connection) -> None:
    """Old events are removed, and one floor's slots change, until it is killed."""
    with closing(open_database(path, busy_timeout=10.0)) as db:
        for n in count():
            remove_old_events(db, 10, Attribution("anna", NOW, run), lambda _: breathe())
            Floors(db).update("Roof", Attribution("anna", NOW), total_slots=3 + n % 3)
            breathe()


def back_up(path: Path, run: str, _: Connection) -> None:
    """One backup after the other, until it is killed."""
    backups = Backups(path.parent / "backups", path)
    with closing(open_database(path, busy_timeout=10.0, read_only=True)) as db:
        for n in count():
            made = backups.make(db, NOW + timedelta(seconds=10_000 * int(run) + n))
            assert made.problems == []
            backups.prune(NOW + timedelta(days=1), 30, 3)
            breathe()


def read(path: Path, _run: str, told: Connection) -> None:
    """What a board and a technician read, over and over; says how often, and what went wrong."""
    stop = Stop()
    reads = 0
    try:
        while not stop.asked:
            with closing(open_database(path, busy_timeout=10.0, read_only=True)) as db:
                for _ in range(20):
                    floors = Floors(db).all()
                    assert all(0 <= floor.current_vehicles <= floor.total_slots for floor in floors)
                    Events(db).newest(20, floor="Ground")
                    event_statistics(db, NOW - timedelta(days=1), NOW + timedelta(days=1))
                    Outbox(db).pending(20)
                    reads += 1
    except BaseException as error:
        told.send(repr(error))
        raise
    told.send(reads)


class Stop:
    """Set by SIGTERM."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True


def start(work: Callable[[Path, str, Connection], None], path: Path, run: str) -> tuple[BaseProcess, Connection]:
    """The work in a process of its own; what it tells comes through the connection."""
    ours, theirs = FORK.Pipe(duplex=False)

    def child() -> None:
        ours.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work(path, run, theirs)

    process = FORK.Process(target=child, daemon=True)
    process.start()
    theirs.close()
    return process, ours


def told_by(connection: Connection) -> list[Any]:
    """All that came before the end of the process; a message that was cut off is none."""
    heard: list[Any] = []
    while connection.poll():
        try:
            heard.append(connection.recv())
        except (EOFError, OSError):  # the end, or the half of a message
            break
    return heard


def make(path: Path) -> None:
    """A database with the floors; the clean-up begins with batches that are small enough to be met in the middle."""
    cleanup.SMALLEST_BATCH = 2
    with closing(open_database(path, busy_timeout=10.0)) as db:
        create_tables(db)
        Floors(db).create_missing(FLOORS, NOW)


def events_of_whole(path: Path) -> set[object]:
    """The ids of the events of a database, which agrees with itself."""
    with closing(open_database(path, busy_timeout=10.0)) as db:
        assert (found := verify(db)) == [], found
        return {event_id for (event_id,) in fetch_rows(db, EventRow.select(EventRow.event_id))}


def kills(path: Path, seed: int, number_of_rounds: int) -> dict[str, int]:
    """Kill them so often and look after each time; what was seen. AssertionError if anything is not as it must be."""
    make(path)
    chance = random.Random(seed)
    reader, heard = start(read, path, "")
    acknowledged: set[object] = set()
    backups: set[Path] = set()
    for number in range(number_of_rounds):
        workers = [start(work, path, str(number)) for work in (record, correct, clean_up, back_up)]
        assert wait([workers[0][1]], timeout=20.0)  # an event is acknowledged: they are at work
        ended = wait([process.sentinel for process, _ in workers], timeout=chance.uniform(0.0, LONGEST_ROUND_SECONDS))
        for process, _ in chance.sample(workers, len(workers)):
            process.kill()
        for process, _ in workers:
            process.join(20.0)
        assert not ended, [process.exitcode for process, _ in workers]
        for ids in told_by(workers[0][1]):
            acknowledged.update(ids)
        for _, connection in workers:
            connection.close()
        there = events_of_whole(path)
        assert acknowledged <= there, acknowledged - there
        for backup in Backups(path.parent / "backups", path).newest_first():
            if backup.path not in backups:
                backups.add(backup.path)
                with open_copy(backup.path) as copy:
                    assert (found := verify(copy)) == [], found
    assert reader.pid is not None
    os.kill(reader.pid, signal.SIGTERM)
    reader.join(30.0)
    [reads] = told_by(heard)
    assert isinstance(reads, int), reads
    with closing(open_database(path, busy_timeout=10.0, read_only=True)) as db:
        cleaned = sum(line.action == "cleanup begins" for line in Audit(db).newest(1_000_000))
    return {"acknowledged": len(acknowledged), "backups": len(backups), "reads": reads, "cleanups": cleaned}


def cuts(path: Path, seed: int, number_of_cuts: int) -> dict[str, int]:
    """Copy the files so often at one moment of all writers, and open the copy; what was seen.

    Every second copy is also torn: of the write-ahead log's end, which SQLite had not asked the disk to keep yet or
    which stands behind the last event that was acknowledged, a part is missing or is noise.
    """
    make(path)
    chance = random.Random(seed)
    workers = [start(work, path, str(seed)) for work in (record, correct, clean_up)]
    acknowledged: set[object] = set()
    torn = in_checkpoint = 0
    copy = path.with_name("copy.db")
    for number in range(number_of_cuts):
        assert wait([workers[0][1]], timeout=20.0)
        ended = wait([process.sentinel for process, _ in workers], timeout=chance.uniform(0.0, LONGEST_ROUND_SECONDS))
        assert not ended
        for process, _ in workers:
            os.kill(process.pid or 0, signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid or 0, os.WSTOPPED | os.WNOWAIT)
        for ids in told_by(workers[0][1]):
            acknowledged.update(ids)
        content = path.read_bytes()
        log = bytearray(path.with_name(f"{path.name}-wal").read_bytes())
        index = path.with_name(f"{path.name}-shm").read_bytes()
        for process, _ in workers:
            os.kill(process.pid or 0, signal.SIGCONT)
        # Frames of the log that are being copied into the database: they were on the disk before that began.
        (copied,) = struct.unpack_from("=I", index, CHECKPOINT_OFFSET)
        in_checkpoint += copied > 0
        safe = LOG_HEADER + copied * (PAGE_BYTES + FRAME_HEADER)
        tear = number % 2 == 1 and safe < len(log)
        if tear:
            torn += 1
            begin = chance.randint(safe, len(log))
            if chance.random() < 0.5:
                del log[begin:]
            else:
                end = min(begin + chance.randint(1, 3 * PAGE_BYTES), len(log))
                log[begin:end] = chance.randbytes(end - begin)
        for suffix in ("-wal", "-shm"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)
        copy.write_bytes(content)
        copy.with_name(f"{copy.name}-wal").write_bytes(log)
        there = events_of_whole(copy)
        assert tear or acknowledged <= there, acknowledged - there
    for process, _ in workers:
        process.kill()
        process.join(20.0)
    return {"acknowledged": len(acknowledged), "torn": torn, "in_checkpoint": in_checkpoint}


if __name__ == "__main__":
    run = {"kills": kills, "cuts": cuts}[sys.argv[1]]
    print(json.dumps(run(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))

"""Runs processes that use one database and are killed, or record the same events; a program of its own, no test.

process_rounds.py kills PATH SEED ROUNDS        processes that write are killed at random moments
process_rounds.py cuts PATH SEED CUTS           the files are copied at random moments, as a power cut would leave them
process_rounds.py writer PATH SEED ROUNDS       a process with the daemon's writer is killed at random moments
process_rounds.py same DATABASE SEED PROCESSES  processes record the same events at the same time

Each prints the numbers of what happened as JSON, and ends with an error if anything was lost. It is a program of its
own because it forks, which takes hundredths of a second where a new interpreter takes a second, and is safe only while
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
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peewee import PostgresqlDatabase

from edge.config.schema import FloorConfig
from edge.core.events import ClockState, Direction, Event
from edge.store.counts.audit import Attribution, Audit
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.quality.blind_intervals import BlindIntervals
from edge.store.quality.clock_changes import ClockChange, ClockChanges
from edge.store.reports.statistics import event_statistics
from edge.store.schema.connect import PAGE_BYTES, open_copy, open_database
from edge.store.schema.models import EventRow
from edge.store.schema.quality_models import ClockChangeKind
from edge.store.schema.versions import create_tables
from edge.store.sql.query import fetch_rows
from edge.store.store import open_store
from edge.store.upkeep import cleanup
from edge.store.upkeep.backup import Backups
from edge.store.upkeep.cleanup import remove_old_events
from edge.store.upkeep.verify import verify
from edge.store.writing.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from peewee import Database

    from edge.store.counts.stored_event import Recorded

# A process is killed at most this long after the moment that the round waits for.
LONGEST_EXTRA_SECONDS = 0.06
# Longer than anything takes on a busy machine.
WAIT = 120.0
NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD = NOW - timedelta(days=20)
# SQLite's file formats: where the index of the log has the number of frames that a checkpoint has begun to copy, and
# sizes.
CHECKPOINT_OFFSET = 128
LOG_HEADER = 32
FRAME_HEADER = 24
FLOORS = (FloorConfig(name="Ground", total_slots=30, opening_vehicles=15), FloorConfig(name="Roof", total_slots=4))
FORK = multiprocessing.get_context("fork")


def make_event(run: str, n: int, chance: random.Random, moment: datetime) -> Event:
    """The nth event of a run, in a random direction on a random floor."""
    floor, direction = chance.choice(["Ground", "Roof"]), chance.choice(list(Direction))
    timestamp = moment + timedelta(microseconds=n)
    return Event(
        camera_id="ramp",
        floor=floor,
        track_id=f"{run}-{n}",
        direction=direction,
        timestamp=timestamp,
        clock_state=ClockState.UNSYNCHRONISED,
    )


def make_crossing(run: str, n: int, chance: random.Random) -> list[Event]:
    """A vehicle that crosses the gate ``outer`` (one event), or changes the floor by the gate ``inner`` (two)."""
    direction, timestamp = chance.choice(list(Direction)), NOW + timedelta(milliseconds=n)
    sides = [("outer", chance.choice(["Ground", "Roof"]), direction)]
    if chance.random() < 0.5:
        sides = [("inner", "Ground", direction), ("inner", "Roof", direction.opposite)]
    return [
        Event(camera_id="ramp", gate_id=gate, floor=floor, track_id=f"{run}-{n}", direction=way, timestamp=timestamp)
        for gate, floor, way in sides
    ]


def let_others_write() -> None:
    """Pause: SQLite gives its lock to the process that asks next, not to the one that has waited longest."""
    time.sleep(0.002)


# -- what the processes do until they are killed; each reports what it has finished
# -------------------------------------


def record(path: Path, run: str, report: Connection) -> None:
    """Record new and old events; reports the ids of the new ones once they are committed."""
    chance = random.Random(run)
    with closing(open_database(path, busy_timeout=WAIT)) as db:
        events, outbox = Events(db), Outbox(db)
        for n in count():
            new = [make_event(run, 10 * n + i, chance, NOW) for i in range(chance.randint(1, 3))]
            old = [make_event(f"{run}-old", n, chance, OLD)]
            events.record_all([*new, *old], NOW)
            report.send([event.event_id for event in new])
            outbox.acknowledge([stored.outbox_key for stored in outbox.pending(5)])
            let_others_write()


def correct(path: Path, run: str, report: Connection) -> None:
    """Correct both floors; reports each pair of corrections."""
    chance = random.Random(run)
    with closing(open_database(path, busy_timeout=WAIT)) as db:
        for n in count():
            Floors(db).correct("Ground", chance.randint(0, 30), Attribution("anna", NOW, f"{run} {n}"))
            Floors(db).update_vehicle_count("Roof", chance.randint(-3, 3), Attribution("anna", NOW))
            report.send(n)
            let_others_write()


def set_clock(path: Path, run: str, report: Connection) -> None:
    """Make a camera blind, synchronise the clock of one boot after another; reports each correction of times."""
    chance = random.Random(run)
    with closing(open_database(path, busy_timeout=WAIT)) as db:
        for n in count():
            changes, boot = ClockChanges(db), f"boot {run} {n}"
            changes.record(ClockChange(ClockChangeKind.START, NOW, boot, timedelta(0)))
            BlindIntervals(db).begin("ramp", NOW, f"{run} {n}")
            Events(db).record(make_event(f"{run}-clock", n, chance, NOW), NOW)
            let_others_write()
            corrected = changes.record(ClockChange(ClockChangeKind.SYNCHRONISED, NOW, boot, timedelta(hours=1)))
            BlindIntervals(db).end("ramp", NOW, NOW + timedelta(seconds=n), f"{run} {n}")
            report.send(corrected)
            let_others_write()


def clean_up(path: Path, run: str, report: Connection) -> None:
    """Remove old events and change a floor's slots; reports each clean-up that removed events."""
    with closing(open_database(path, busy_timeout=WAIT)) as db:
        for n in count():
            if remove_old_events(db, 10, Attribution("anna", NOW, run), lambda _: let_others_write()).removed:
                report.send(n)
            Floors(db).update("Roof", Attribution("anna", NOW), total_slots=3 + n % 3)
            let_others_write()


def back_up(path: Path, run: str, report: Connection) -> None:
    """Make backups; reports each."""
    backups = Backups(path.parent / "backups", path)
    with closing(open_database(path, busy_timeout=WAIT, read_only=True)) as db:
        for n in count():
            made = backups.make(db, NOW + timedelta(seconds=10_000 * int(run) + n))
            assert made.problems == []
            backups.prune(NOW + timedelta(days=1), 30, 3)
            report.send(n)
            let_others_write()


def read(path: Path, _run: str, report: Connection) -> None:
    """Read what a board and a technician read, until SIGTERM; reports how often, or the error."""
    stop = Stop()
    reads = 0
    try:
        while not stop.requested:
            with closing(open_database(path, busy_timeout=WAIT, read_only=True)) as db:
                for _ in range(20):
                    floors = Floors(db).all()
                    assert all(0 <= floor.current_vehicles <= floor.total_slots for floor in floors)
                    Events(db).newest(20, floor="Ground")
                    event_statistics(db, NOW - timedelta(days=1), NOW + timedelta(days=1))
                    Outbox(db).pending(20)
                    reads += 1
    except BaseException as error:
        report.send(repr(error))
        raise
    report.send(reads)


def write(path: Path, run: str, report: Connection) -> None:
    """Submit crossings to the daemon's writer, three at a time; reports the ids of each commit."""

    def report_ids(recorded: Sequence[Recorded]) -> None:
        report.send([item.event.event_id for item in recorded])

    def give_up(error: BaseException) -> None:
        os.write(2, repr(error).encode())
        os._exit(1)

    writer = Writer(lambda: open_store(path, any_version=True, busy_timeout=WAIT), report_ids, give_up)
    writer.start()
    writer.create_missing_floors(FLOORS, timeout=WAIT)
    chance = random.Random(run)
    with closing(open_database(path, busy_timeout=WAIT, read_only=True)) as reader:
        for n in count():
            writer.submit(make_crossing(run, n, chance))
            if n % 3 == 2:
                writer.flush(WAIT)
            if n % 10 == 9:
                writer.acknowledge([stored.outbox_key for stored in Outbox(reader).pending(8)])


class Stop:
    """``requested`` becomes True at SIGTERM."""

    def __init__(self) -> None:
        self.requested = False
        signal.signal(signal.SIGTERM, self._request)

    def _request(self, *_: object) -> None:
        self.requested = True


# -- starting and killing them -----------------------------------------------------------------------------------------


class Worker:
    """A forked process that works on the database, and its reports."""

    def __init__(self, work: Callable[[Path, str, Connection], None], path: Path, run: str) -> None:
        self.reports: list[Any] = []
        self.connection, theirs = FORK.Pipe(duplex=False)

        def child() -> None:
            self.connection.close()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            work(path, run, theirs)

        self.process: BaseProcess = FORK.Process(target=child, daemon=True)
        self.process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self.process.pid is not None
        return self.process.pid

    def wait_for_reports(self, number: int = 1) -> None:
        """Return when so many more reports have come."""
        wanted = len(self.reports) + number
        while len(self.reports) < wanted:
            assert wait([self.connection], timeout=WAIT), "no report came"
            self.reports.append(self.connection.recv())

    def kill(self) -> None:
        """End the process by SIGKILL, if it has not ended, and read its last reports."""
        self.process.kill()
        self.process.join(WAIT)
        self.read_reports()
        self.connection.close()

    def read_reports(self) -> None:
        """Read the reports that have come; one that the kill has cut off is none."""
        while self.connection.poll():
            try:
                self.reports.append(self.connection.recv())
            except (EOFError, OSError):
                return


def create_database(path: Path) -> None:
    """A database with the floors; a clean-up begins with small batches, so that it is often killed within one."""
    cleanup.SMALLEST_BATCH = 2
    with closing(open_database(path, busy_timeout=WAIT)) as db:
        create_tables(db)
        Floors(db).create_missing(FLOORS, NOW)


def verified_event_ids(path: Path) -> set[object]:
    """The ids of all events, after the database was verified."""
    with closing(open_database(path, busy_timeout=WAIT)) as db:
        problems = verify(db)
        assert problems == [], problems
        return {event_id for (event_id,) in fetch_rows(db, EventRow.select(EventRow.event_id))}


def run_kills(path: Path, seed: int, rounds: int) -> dict[str, int]:
    """Kill all processes in each round, after one of them, in turn, has finished something, and check what is left."""
    create_database(path)
    chance = random.Random(seed)
    reader = Worker(read, path, "")
    acknowledged: set[object] = set()
    checked: set[Path] = set()
    corrected = 0
    for number in range(rounds):
        workers = [Worker(work, path, str(number)) for work in (record, clean_up, back_up, correct, set_clock)]
        workers[number % len(workers)].wait_for_reports()
        ended = wait([worker.process.sentinel for worker in workers], timeout=chance.uniform(0, LONGEST_EXTRA_SECONDS))
        for worker in chance.sample(workers, len(workers)):
            worker.process.kill()
        for worker in workers:
            worker.kill()
        assert not ended, [worker.process.exitcode for worker in workers]
        for ids in workers[0].reports:
            acknowledged.update(ids)
        stored = verified_event_ids(path)
        assert acknowledged <= stored, acknowledged - stored
        corrected += sum(workers[4].reports)
        with closing(open_database(path, busy_timeout=WAIT, read_only=True)) as db:
            assert len(BlindIntervals(db).open()) <= 1
        for backup in Backups(path.parent / "backups", path).newest_first():
            if backup.path not in checked:
                checked.add(backup.path)
                with open_copy(backup.path) as copy:
                    problems = verify(copy)
                    assert problems == [], problems
    os.kill(reader.pid, signal.SIGTERM)
    reader.wait_for_reports()
    reader.kill()
    [reads] = reader.reports
    assert isinstance(reads, int), reads
    with closing(open_database(path, busy_timeout=WAIT, read_only=True)) as db:
        cleanups = sum(entry.action == "cleanup begins" for entry in Audit(db).newest(1_000_000))
    return {
        "acknowledged": len(acknowledged),
        "backups": len(checked),
        "reads": reads,
        "cleanups": cleanups,
        "corrected": corrected,
    }


def run_cuts(path: Path, seed: int, cuts: int) -> dict[str, int]:
    """Stop all processes, copy the files, let the processes go on, and check the copy.

    Every second copy is also torn: of the end of the write-ahead log, which SQLite had not written durably yet or which
    is behind the last acknowledged event, a part is missing or is noise.
    """
    create_database(path)
    chance = random.Random(seed)
    workers = [Worker(work, path, str(seed)) for work in (record, correct, clean_up)]
    torn = in_checkpoint = 0
    copy = path.with_name("copy.db")
    for number in range(cuts):
        workers[0].wait_for_reports()
        ended = wait([worker.process.sentinel for worker in workers], timeout=chance.uniform(0, LONGEST_EXTRA_SECONDS))
        assert not ended
        for worker in workers:
            os.kill(worker.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, worker.pid, os.WSTOPPED | os.WNOWAIT)
        workers[0].read_reports()
        acknowledged = {event_id for ids in workers[0].reports for event_id in ids}
        content = path.read_bytes()
        log = bytearray(path.with_name(f"{path.name}-wal").read_bytes())
        index = path.with_name(f"{path.name}-shm").read_bytes()
        for worker in workers:
            os.kill(worker.pid, signal.SIGCONT)
        # The frames of the log that are being copied into the database were on the disk before that began.
        (copied,) = struct.unpack_from("=I", index, CHECKPOINT_OFFSET)
        in_checkpoint += copied > 0
        durable = LOG_HEADER + copied * (PAGE_BYTES + FRAME_HEADER)
        tear = number % 2 == 1 and durable < len(log)
        if tear:
            torn += 1
            begin = chance.randint(durable, len(log))
            if chance.random() < 0.5:
                del log[begin:]
            else:
                end = min(begin + chance.randint(1, 3 * PAGE_BYTES), len(log))
                log[begin:end] = chance.randbytes(end - begin)
        for suffix in ("-wal", "-shm"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)
        copy.write_bytes(content)
        copy.with_name(f"{copy.name}-wal").write_bytes(log)
        stored = verified_event_ids(copy)
        assert tear or acknowledged <= stored, acknowledged - stored
    for worker in workers:
        worker.kill()
    return {"acknowledged": len(acknowledged), "torn": torn, "in_checkpoint": in_checkpoint}


def run_writer_kills(path: Path, seed: int, rounds: int) -> dict[str, int]:
    """Kill the process with the daemon's writer in each round, and check what it has stored."""
    chance = random.Random(seed)
    acknowledged: set[object] = set()
    for number in range(rounds):
        worker = Worker(write, path, f"RUN{number}")
        worker.wait_for_reports(chance.randint(1, 40))
        time.sleep(chance.uniform(0, 0.02))  # not a wait for a condition: the moments of the kills are to differ
        worker.kill()
        assert worker.process.exitcode == -signal.SIGKILL
        acknowledged.update(event_id for ids in worker.reports for event_id in ids)
        with closing(open_database(path, busy_timeout=WAIT, read_only=True)) as reader:
            assert verify(reader) == []
            stored = Events(reader).newest(1_000_000)
        assert acknowledged <= {event.event_id for event in stored}
        events_per_crossing = Counter(event.track_id for event in stored if event.gate_id == "inner")
        assert set(events_per_crossing.values()) <= {2}
    return {"acknowledged": len(acknowledged)}


def run_same(database: str, seed: int, processes: int) -> dict[str, list[int]]:
    """Let processes record the same crossings at the same time, each in an order of its own."""
    start = FORK.Event()

    def record_crossings(_: Path, run: str, report: Connection) -> None:
        with closing(open_handle(database)) as db:
            chance = random.Random(seed)
            crossings = [make_crossing("SAME", n, chance) for n in range(40)]
            random.Random(run).shuffle(crossings)
            report.send("ready")
            start.wait(WAIT)
            results = [recorded for events in crossings for recorded in Events(db).record_all(events, NOW)]
            report.send((sum(recorded.inserted for recorded in results), len(results)))

    workers = [Worker(record_crossings, Path(), str(number)) for number in range(processes)]
    for worker in workers:
        worker.wait_for_reports()
    start.set()
    for worker in workers:
        worker.wait_for_reports()
        worker.process.join(WAIT)
        assert worker.process.exitcode == 0
    return {
        "inserted": [worker.reports[1][0] for worker in workers],
        "recorded": [worker.reports[1][1] for worker in workers],
    }


def open_handle(database: str) -> Database:
    """A handle on a file, or on the database of a PostgreSQL server at the address."""
    if database.startswith("postgresql://"):
        return PostgresqlDatabase(database, prefer_psycopg3=True)
    return open_database(Path(database), busy_timeout=WAIT)


def main(mode: str, database: str, seed: int, number: int) -> None:
    """Run a mode and print its numbers."""
    if mode == "same":
        print(json.dumps(run_same(database, seed, number)))
        return
    run = {"kills": run_kills, "cuts": run_cuts, "writer": run_writer_kills}[mode]
    print(json.dumps(run(Path(database), seed, number)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

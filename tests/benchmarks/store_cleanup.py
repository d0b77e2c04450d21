"""Measures the clean-up of many events while another process records 20 events a second.

store_cleanup.py PATH ours|bare FIRST    records until its input ends, then prints the waits as JSON
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bare_sqlite import Bare
from benchmarks.store_data import END
from benchmarks.store_work import Recorder

from edge.store.counts.audit import Attribution
from edge.store.counts.hourly_totals import hour_of
from edge.store.schema.connect import open_database
from edge.store.sql.times import from_micros, to_micros
from edge.store.upkeep.cleanup import remove_old_events

A_SECOND = 20  # events that are recorded
ALONE_SECONDS = 5.0  # of recording before the clean-up begins


@dataclass(frozen=True)
class CleanedBeside:
    """A clean-up: events removed, seconds, the writer's milliseconds before and during it, the longest log's bytes."""

    removed: int
    seconds: float
    alone: list[float]
    beside: list[float]
    longest_wal: int


def clean_beside(path: Path, who: str, number: int, first: int) -> CleanedBeside:
    """Remove about ``number`` of the oldest events; ``first`` is the number of the first event that is recorded."""
    with closing(sqlite3.connect(path)) as db:
        [micros] = db.execute("SELECT timestamp FROM events ORDER BY timestamp LIMIT 1 OFFSET ?", (number,)).fetchone()
    days = (END - from_micros(micros)).days
    command = [sys.executable, "-m", "benchmarks.store_cleanup", str(path), who, str(first)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        with _LogWatch(path) as watch:
            writer.stdout.readline()
            time.sleep(ALONE_SECONDS)
            alone_until, began = time.time(), time.monotonic()
            if who == "ours":
                with closing(open_database(path, busy_timeout=5.0)) as handle:
                    removed = remove_old_events(handle, days, Attribution("bench", END)).removed
            else:
                with closing(Bare(path)) as bare:
                    removed = bare.clean(to_micros(hour_of(from_micros(to_micros(END) - days * 86_400_000_000))))
            seconds = time.monotonic() - began
        answer, _ = writer.communicate("", timeout=60)
    waits: list[tuple[float, float]] = json.loads(answer)
    return CleanedBeside(
        removed,
        seconds,
        [wait for at, wait in waits if at < alone_until],
        [wait for at, wait in waits if at >= alone_until],
        watch.longest,
    )


class _LogWatch:
    """Reads the size of the write-ahead log ten times a second, in a thread."""

    def __init__(self, path: Path) -> None:
        self._wal = path.with_name(path.name + "-wal")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.longest = 0

    def __enter__(self) -> _LogWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            if self._wal.exists():
                self.longest = max(self.longest, self._wal.stat().st_size)


def _wait_for_the_end_of_input(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def record_beside(path: Path, who: str, first: int) -> list[tuple[float, float]]:
    """The time and the milliseconds of each event recorded, 20 a second, until the input ends."""
    ended = threading.Event()
    threading.Thread(target=_wait_for_the_end_of_input, args=[ended], daemon=True).start()
    waits = []
    with ExitStack() as stack:
        recorder = Recorder(path, stack)
        for number in range(first, first + 10_000_000):
            work = recorder.prepared(who, number)
            at, began = time.time(), time.perf_counter()
            work()
            taken = time.perf_counter() - began
            waits.append((at, 1000 * taken))
            if number == first:
                print("ready", flush=True)
            if ended.wait(max(1 / A_SECOND - taken, 0)):
                break
    return waits


if __name__ == "__main__":
    print(json.dumps(record_beside(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))[1:]))

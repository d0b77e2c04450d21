"""Several processes at once, and processes that are killed: the count stays true."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.schema.connect import open_database
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from peewee import Database

RECORDER = Path(__file__).parent / "recorder.py"
PROJECT = RECORDER.parent.parent.parent
ROUNDS = 10


def start(*arguments: object) -> subprocess.Popen[str]:
    """The recorder as a process of its own."""
    return subprocess.Popen(
        [sys.executable, str(RECORDER), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])},
    )


def test_processes_that_record_the_same_events_at_once_record_each_once(db: Database) -> None:
    """Four processes let loose together on the same crossings insert each event exactly once between them."""
    processes = [start("same", db.database, seed) for seed in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    total = int(answers[0][1])
    assert total > 40
    assert [int(seen) for _, seen in answers] == [total] * 4
    assert sum(int(inserted) for inserted, _ in answers) == total
    assert Events(db).count() == Outbox(db).count() == total
    # Each floor's row changed once for each of its events, never for a duplicate.
    assert sum(floor.seq - 1 for floor in Floors(db).all()) == total
    assert verify(db) == []


def test_a_killed_recorder_leaves_a_true_count_and_every_event_that_it_told_of(path: Path) -> None:
    """Ten times SIGKILL at a random moment: verify is clean, each told event is there, no crossing is half stored."""
    chance = random.Random(4)
    told: set[str] = set()
    for number in range(ROUNDS):
        process = start("endless", path, f"RUN{number}")
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(chance.randint(1, 60))]
        time.sleep(chance.uniform(0.0, 0.02))  # not a wait for something: any moment will do, and they shall differ
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        # The last line may have been cut off by the kill.
        told.update(line for line in "".join([*lines, rest]).splitlines(keepends=True) if line.endswith("\n"))
        with closing(open_database(path, busy_timeout=5.0, read_only=True)) as reader:
            assert verify(reader) == []
            stored = Events(reader).newest(1_000_000)
            assert {line.strip() for line in told} <= {str(event.event_id) for event in stored}
            halves = Counter(event.track_id for event in stored if event.gate_id == "inner")
            assert set(halves.values()) <= {2}
    assert len(told) > 10 * ROUNDS

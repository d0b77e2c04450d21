"""Tests of several processes at once, of processes that are killed, and of power cuts: nothing acknowledged is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from peewee import Database

PROGRAM = Path(__file__).parent / "process_rounds.py"
PROJECT = PROGRAM.parent.parent.parent
PROCESSES = 4


def run(mode: str, database: object, seed: int, number: int) -> dict[str, Any]:
    """Run the program; the numbers of what happened."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), mode, str(database), str(seed), str(number)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_processes_that_record_the_same_events_record_each_once(db: Database) -> None:
    """Four processes that start together on the same crossings insert each event exactly once between them."""
    numbers = run("same", db.database, 0, PROCESSES)
    [total] = set(numbers["recorded"])
    assert total > 40
    assert sum(numbers["inserted"]) == total
    assert Events(db).count() == Outbox(db).count() == total
    # Each floor's row has changed once for each of its events, never for a duplicate.
    assert sum(floor.seq - 1 for floor in Floors(db).all()) == total
    assert verify(db) == []


def check_kills(path: Path, seed: int, rounds: int) -> None:
    """Run the kills and check that every kind of work was done."""
    numbers = run("kills", path, seed, rounds)
    assert numbers["acknowledged"] >= rounds // 4
    assert min(numbers["backups"], numbers["cleanups"]) >= rounds // 4
    assert min(numbers["reads"], numbers["corrected"]) > 0


def check_cuts(path: Path, cuts: int) -> dict[str, Any]:
    """Run the power cuts and check that copies were torn."""
    numbers = run("cuts", path, 1, cuts)
    assert numbers["acknowledged"] >= cuts
    assert numbers["torn"] >= cuts // 4
    return numbers


def test_kills_lose_nothing(path: Path) -> None:
    """Recording, correction, clean-up and backup are killed together at a random moment, again and again.

    After each time the database verifies and has every acknowledged event; finished backups are not damaged, and a
    reader beside them never meets an error.
    """
    check_kills(path, 0, 12)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(1, 6))
def test_five_hundred_kills_lose_nothing(path: Path, seed: int) -> None:
    """The same, a hundred times for each of five databases, so that the checks do not take longer and longer."""
    check_kills(path, seed, 100)


def test_a_power_cut_leaves_a_consistent_database(path: Path) -> None:
    """Whenever the files are copied, and however the log's end is torn, the copy verifies.

    Copies that are not torn have every event that was acknowledged by then.
    """
    check_cuts(path, 16)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_hundred_power_cuts_leave_a_consistent_database(path: Path) -> None:
    """The same, so often that some cuts fall into a checkpoint."""
    assert check_cuts(path, 200)["in_checkpoint"] > 0


def test_a_killed_writer_loses_no_event_that_it_reported(path: Path) -> None:
    """After each kill the database verifies, has every reported event, and no crossing is stored by half."""
    assert run("writer", path, 4, 4)["acknowledged"] > 4


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_hundred_kills_of_the_writer_lose_no_event_that_it_reported(path: Path) -> None:
    """The same, a hundred times."""
    assert run("writer", path, 5, 100)["acknowledged"] > 500

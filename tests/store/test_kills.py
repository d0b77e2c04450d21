"""Hundreds of sudden deaths: whoever writes is killed at any moment, and nothing that was acknowledged is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KILL_ROUNDS = Path(__file__).parent / "kill_rounds.py"
PROJECT = KILL_ROUNDS.parent.parent.parent
# Together 500, on databases of their own, so that the checks do not take ever longer.
DATABASES = 5
ROUNDS = 100
CUTS = 100


def run(kind: str, path: Path, seed: int, rounds: int) -> dict[str, int]:
    """Rounds of that kind in a process of their own; what it saw."""
    done = subprocess.run(
        [sys.executable, str(KILL_ROUNDS), kind, str(path), str(seed), str(rounds)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("seed", range(DATABASES))
def test_five_hundred_kills_lose_nothing(tmp_path: Path, seed: int) -> None:
    """Recording, correcting, clean-up and backup are killed together at a random moment, again and again.

    After each time the database verifies and every acknowledged event is there; finished backups are sound, and a
    reader that was at it all the time never met an error.
    """
    seen = run("kills", tmp_path / "smartpark.db", seed, ROUNDS)
    assert seen["acknowledged"] > ROUNDS
    assert seen["reads"] > ROUNDS
    assert min(seen["backups"], seen["cleanups"]) > 5


def test_a_power_cut_at_any_moment_leaves_a_whole_database(tmp_path: Path) -> None:
    """Whatever moment the files are copied at, and however torn the log's end, the copy verifies.

    Untorn copies hold every event that was acknowledged by then.
    """
    seen = run("cuts", tmp_path / "smartpark.db", 1, CUTS)
    assert seen["acknowledged"] > CUTS
    assert seen["torn"] > CUTS // 4
    assert seen["in_checkpoint"] > 0

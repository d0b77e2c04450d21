"""Measures the CPU time of commands: their start beside ``python -c pass``, and an export beside ``sqlite3 -csv``.

``make bench-cli``. Each command runs in a process of its own; the least of several runs counts. Aims in seconds are
those of a machine on which ``python -c pass`` takes about 0.01 s. The export is of a database of a million events; its
aim is a multiple of the time of SQLite's own shell, which selects the same columns.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.store_data import build

SMARTPARK = [sys.executable, "-m", "edge"]
# (name, command, the CPU seconds it may take at most)
COMMANDS: list[tuple[str, list[str], float | None]] = [
    ("python -c pass", [sys.executable, "-c", "pass"], None),
    ("smartpark --version", [*SMARTPARK, "--version"], 0.15),
    ("smartpark --help", [*SMARTPARK, "--help"], 0.15),
    ("smartpark status", [*SMARTPARK, "status"], 0.35),
    ("smartpark floors", [*SMARTPARK, "floors"], 0.35),
]
NO_DAEMON = 3  # exit code of `smartpark status` where no daemon runs
EXPORT_AIM = 5.0  # times the CPU of SQLite's shell
# The columns of an export; times stay the integers that the tables hold.
SAME_COLUMNS = """
SELECT events.id, event_id, camera_id, gate_id, floor_id, floors.name AS floor, track_id, vehicle_type, direction,
       confidence, timestamp, clock_state, events.created_at, correction
FROM events JOIN floors ON floors.id = events.floor_id ORDER BY timestamp, events.id
"""


def main() -> int:
    """Measure and print two tables; 1 when a command takes longer than its aim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="how often each quick command runs (default: 10)")
    parser.add_argument("--events", type=int, default=1_000_000, help="events of the export; 0: none (default: 1 M)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smartpark-bench-") as folder:
        late = measure_start(environment(Path(folder) / "smartpark.db"), options.runs)
        if options.events:
            late |= measure_export(Path(folder) / "export.db", options.events)
    return 1 if late else 0


def measure_start(environ: dict[str, str], runs: int) -> bool:
    """Print the CPU time of each quick command; whether one is above its aim."""
    late = False
    print(f"{'command':24}{'CPU, s':>8}{'aim':>8}")
    subprocess.run([*SMARTPARK, "db", "seed", "--sample"], env=environ, check=True, capture_output=True)
    for name, command, aim in COMMANDS:
        least = min(cpu_seconds(command, environ) for _ in range(runs))
        late |= aim is not None and least > aim
        print(f"{name:24}{least:8.3f}{'' if aim is None else f'{aim:8.2f}'}", flush=True)
    return late


def measure_export(path: Path, events: int) -> bool:
    """Print the CPU time of an export and of SQLite's shell; whether the export is above its aim."""
    shell = shutil.which("sqlite3")
    if shell is None:
        print("sqlite3 is not installed: the export is not measured")
        return False
    build(path, events)
    ours = min(cpu_seconds([*SMARTPARK, "events", "export"], environment(path)) for _ in range(2))
    bare = min(cpu_seconds([shell, "-readonly", "-csv", "-header", str(path), SAME_COLUMNS]) for _ in range(2))
    print(f"\nexport of {events:,} events{'CPU, s':>12}")
    print(f"{'sqlite3 -csv':24}{bare:8.2f}\n{'smartpark events export':24}{ours:8.2f}")
    print(f"ratio {ours / bare:.1f}, aim {EXPORT_AIM:.1f}")
    return ours / bare > EXPORT_AIM


def environment(database: Path) -> dict[str, str]:
    """The environment of the commands: a database, and compiled modules are kept, as on a device."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SMARTPARK_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "SMARTPARK_DATABASE_PATH": str(database)}


def cpu_seconds(command: list[str], environ: dict[str, str] | None = None) -> float:
    """User and system time of one run, with the processes that it started; its output is thrown away.

    Raises ``subprocess.CalledProcessError`` where the command fails; no daemon runs, which ``status`` says by its exit
    code.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environ, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != (NO_DAEMON if command[-1] == "status" else 0):
        raise subprocess.CalledProcessError(done.returncode, command, stderr=done.stderr)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())

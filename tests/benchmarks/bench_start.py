"""CPU time that quick commands need from start to end, beside ``python -c pass`` (``make bench-start``).

Each command runs in a process of its own on a database with the sample events; the least of several runs counts. The
aims are those of a machine on which ``python -c pass`` takes about 0.01 s.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

SMARTPARK = [sys.executable, "-m", "edge"]
# (name, command, the CPU seconds it may take at most)
COMMANDS: list[tuple[str, list[str], float | None]] = [
    ("python -c pass", [sys.executable, "-c", "pass"], None),
    ("smartpark --version", [*SMARTPARK, "--version"], 0.15),
    ("smartpark --help", [*SMARTPARK, "--help"], 0.15),
    ("smartpark status", [*SMARTPARK, "status"], 0.35),
    ("smartpark floors", [*SMARTPARK, "floors"], 0.35),
]


def main() -> int:
    """Measure and print a table; exit code 1 when a command takes longer than its aim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="how often each command runs")
    runs = parser.parse_args().runs
    missed = False
    print(f"{'command':24}{'CPU, s':>8}{'aim':>8}")
    with tempfile.TemporaryDirectory() as folder:
        environ = environment(Path(folder))
        subprocess.run([*SMARTPARK, "db", "seed", "--sample"], env=environ, check=True, capture_output=True)
        for name, command, aim in COMMANDS:
            least = min(cpu_seconds(command, environ) for _ in range(runs))
            missed |= aim is not None and least > aim
            print(f"{name:24}{least:8.3f}{'' if aim is None else f'{aim:8.2f}'}")
    return 1 if missed else 0


def environment(folder: Path) -> dict[str, str]:
    """The environment of the commands: a database in the folder, and compiled modules are kept, as on a device."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SMARTPARK_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "SMARTPARK_DATABASE_PATH": str(folder / "smartpark.db")}


def cpu_seconds(command: list[str], environ: dict[str, str]) -> float:
    """User and system time of one run, with the processes that it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environ, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())

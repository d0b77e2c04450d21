"""The program as its users run it: real processes, real files.

A command whose process is not what a test is about runs in the test's own process, which saves an interpreter's start:
``Program.json`` and ``Program.here``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from support.command_line import run_in_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Program:
    """Runs ``smartpark`` in a folder of its own."""

    folder: Path
    weights: Path | None = None
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the surroundings reaches the program but what it needs."""
        kept = {key: os.environ[key] for key in ("PATH", "PYTHONPATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        if self.weights is not None:
            kept["SMARTPARK_DETECTOR_MODELS_DIR"] = str(self.weights)
        return {**kept, "PYTHONUNBUFFERED": "1", **self.environ}

    def config(self, text: str, *, disk: Path | None = None) -> Path:
        """Writes a configuration; its database lies in the folder, or on ``disk``."""
        path = self.folder / "smartpark.toml"
        path.write_text(f'[database]\npath = "{(disk or self.folder) / "smartpark.db"}"\n{text}')
        self.environ["SMARTPARK_CONFIG"] = str(path)
        return path

    def __call__(self, *arguments: str, code: int | None = 0, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end and checks its exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "edge", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert code is None or done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def here(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end in this process, as ``main`` does, and checks its exit code."""
        done = run_in_process(arguments, self.environment, self.folder)
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str) -> Any:
        """Runs a command with ``--json`` in this process and reads what it prints; ``status`` may report a problem."""
        done = run_in_process([*arguments, "--json"], self.environment, self.folder)
        assert done.returncode in ((0, 3) if arguments[0] == "status" else (0,)), f"{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command in the background, its stderr in ``stderr.txt``; killed at the end if it still runs."""
        with (self.folder / "stderr.txt").open("ab") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "edge", *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(30)

    def stop(self, process: subprocess.Popen[bytes], number: int = signal.SIGTERM, timeout: float = 60) -> int:
        """Sends a signal and waits for the exit code."""
        process.send_signal(number)
        return process.wait(timeout)

    @property
    def log(self) -> str:
        """What the started commands wrote to stderr."""
        path = self.folder / "stderr.txt"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def smartpark(tmp_path: Path) -> Program:
    """The program, for commands that need no weights."""
    return Program(tmp_path)


@pytest.fixture
def counting(tmp_path: Path, weights: Path) -> Program:
    """The program with the real model."""
    # One thread: the tests run two at a time on machines with two cores.
    return Program(tmp_path, weights, {"SMARTPARK_DETECTOR_THREADS": "1"})

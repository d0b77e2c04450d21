"""Runs commands of ``smartpark`` in the process of the tests, which saves the start of an interpreter for each."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from click.testing import CliRunner

from edge.cli import run_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# What else of the surroundings could change what a command does.
_LEFT_OUT = {"CREDENTIALS_DIRECTORY", "JOURNAL_STREAM", "NOTIFY_SOCKET", "SUDO_USER"}


def run_in_process(
    arguments: Sequence[str], environ: Mapping[str, str], folder: Path, answer: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as ``smartpark`` would in ``folder`` with ``environ``; ``answer`` is its stdin.

    The product's variables and systemd's are taken from ``environ`` alone. An error that the program does not expect
    is raised. Signal handlers and the root logger are afterwards what they were before.
    """
    runner = CliRunner()
    unset = {name: None for name in os.environ if name.startswith("SMARTPARK_") or name in _LEFT_OUT}
    with (
        _restored(),
        contextlib.chdir(folder),
        runner.isolation(input=answer, env={**unset, **environ}) as (stdout, stderr, _),
    ):
        code = run_command(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        texts = [stream.getvalue().decode().replace("\r\n", "\n") for stream in (stdout, stderr)]
    return subprocess.CompletedProcess(list(arguments), code, *texts)


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    log_handlers, level = root.handlers[:], root.level
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        root.handlers[:] = log_handlers
        root.setLevel(level)
        for number, handler in handlers.items():
            signal.signal(number, handler)

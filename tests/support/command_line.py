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
    is raised. Signal handlers and logging are afterwards what they were before.
    """
    runner = CliRunner()
    unset = {name: None for name in os.environ if name.startswith("SMARTPARK_") or name in _LEFT_OUT}
    with (
        logging_restored(),
        _signals_restored(),
        contextlib.chdir(folder),
        runner.isolation(input=answer, env={**unset, **environ}) as (stdout, stderr, _),
    ):
        code = run_command(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        texts = [stream.getvalue().decode().replace("\r\n", "\n") for stream in (stdout, stderr)]
    return subprocess.CompletedProcess(list(arguments), code, *texts)


@contextlib.contextmanager
def logging_restored() -> Iterator[None]:
    """Undo at the end what ``set_up_logging`` changes, so that it has no effect on other tests."""
    root, product = logging.getLogger(), logging.getLogger("edge")
    handlers, levels = root.handlers[:], (root.level, product.level)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        product.setLevel(levels[1])
        logging.captureWarnings(False)


@contextlib.contextmanager
def _signals_restored() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

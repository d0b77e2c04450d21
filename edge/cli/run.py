"""This module is ``smartpark run``, which runs the daemon."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from pathlib import Path  # noqa: TC003  # click reads it

import click

from edge.cli.shared.options import config_option, log_option
from edge.config.load import find_config, load_config_to_run
from edge.daemon.signals import Signals
from edge.host.logs import set_up_logging

# <malloc.h>: the most arenas that glibc makes. By default each thread gets an arena, and what is freed there is of no
# use to the others: with four cameras the daemon took 25 MB more.
_M_ARENA_MAX = -8
_MOST_ARENAS = 2


@click.command("run")
@config_option
@log_option
def run_daemon(config_path: Path | None, log_level: str) -> None:
    """Count until stopped, or until every recorded source has ended. TERM or Ctrl-C stops it.

    Exit code 0 after an orderly stop, 1 after a failure, 78 for a wrong configuration or missing weights.
    """
    set_up_logging(log_level)
    with contextlib.suppress(AttributeError):  # another C library than glibc has no arenas
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _MOST_ARENAS)
    path = find_config(config_path)
    config = load_config_to_run(path)
    # Imported only now, for a wrong configuration is to be reported before the libraries of vision are loaded.
    from edge.daemon.daemon import Daemon

    signals = Signals()
    signals.install()
    daemon = Daemon(config, signals=signals, reload=lambda: load_config_to_run(path))
    daemon.start()
    try:
        code = daemon.run()
    finally:
        daemon.close()
    sys.exit(code)

"""This module is ``smartpark status``, which asks the running daemon, and reads the database where none runs."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003  # click reads it
from typing import TYPE_CHECKING

import click

from edge.cli.shared.device_status import read_device_status, status_fields
from edge.cli.shared.options import config_option, json_option, print_json
from edge.config.load import find_config, load_config
from edge.core.errors import StoreError
from edge.daemon.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, RenderableType

    from edge.cli.shared.device_status import DeviceStatus
    from edge.config.schema import Config

_EXIT_DEGRADED = 3
_WATCH_SECONDS = 1.0
_FLAG_SECONDS = 0.05
# A line is not broken where the output is no terminal.
_WIDTH_OF_NO_TERMINAL = 1000


@click.command("status")
@config_option
@json_option
@click.option("--watch", "-w", is_flag=True, help="Show it again every second, until Ctrl-C.")
def show_status(config_path: Path | None, as_json: bool, watch: bool) -> None:
    """Show the state of the daemon, the floors and the events.

    That is the cameras, the detector, the floors, the broker, the database, the machine and its clock, as the running
    daemon knows them. Where no daemon runs, the floors and events of the database.

    With --watch and --json, a line of JSON each second.

    Exit code 0 when all is well: the daemon runs, has no problem, every camera is counted, every active floor is live,
    and the broker is connected. 3 when something is degraded. With --watch it is that of the last look.
    """
    config = load_config(find_config(config_path))
    if watch:
        well = _watch(config, as_json=as_json)
    else:
        status = read_device_status(config)
        well = not status.faults
        if as_json:
            print_json(status_fields(status))
        else:
            _print(status)
    raise SystemExit(0 if well else _EXIT_DEGRADED)


def _print(status: DeviceStatus | str) -> None:
    console = _console()
    with console.capture() as capture:
        console.print(_drawn(status))
    # Rich pads each line of a table to the full width.
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


def _watch(config: Config, *, as_json: bool) -> bool:
    """Show the status each second until Ctrl-C, TERM or the end of the terminal; whether all was well at last."""
    well = False
    # A flag: the exception that Ctrl-C raises by default is lost in a finaliser or a callback, and is not raised at all
    # where the program was started in the background of a script.
    signals = Signals()
    signals.install()
    with _json_lines() if as_json else _screens() as update:
        while not (signals.stop or signals.reload):
            try:
                status = read_device_status(config)
            except StoreError as error:
                well = False
                update(str(error))
            else:
                well = not status.faults
                update(status)
            next_look = time.monotonic() + _WATCH_SECONDS
            while not (signals.stop or signals.reload) and time.monotonic() < next_look:
                time.sleep(_FLAG_SECONDS)
    return well


@contextmanager
def _json_lines() -> Iterator[Callable[[DeviceStatus | str], None]]:
    """Give a function that prints a status, or why there is none, as a line of JSON."""

    def update(status: DeviceStatus | str) -> None:
        fields = {"ok": False, "error": status} if isinstance(status, str) else status_fields(status)
        click.echo(json.dumps(fields, ensure_ascii=False))

    yield update


@contextmanager
def _screens() -> Iterator[Callable[[DeviceStatus | str], None]]:
    """Give a function that draws a status, or why there is none, in the place of the one before.

    It draws on the second screen of a terminal, so that the first one is as it was afterwards. Where the output is no
    terminal, or one that cannot move its cursor, each status follows the one before.
    """
    from rich.live import Live

    console = _console()
    if not console.is_terminal or console.is_dumb_terminal:

        def append(status: DeviceStatus | str) -> None:
            _print(status)
            click.echo()

        yield append
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        yield lambda status: live.update(_drawn(status), refresh=True)


def _drawn(status: DeviceStatus | str) -> RenderableType:
    from edge.cli.shared.status_screen import draw_status

    return status if isinstance(status, str) else draw_status(status)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_WIDTH_OF_NO_TERMINAL)

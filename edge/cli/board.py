"""``smartpark board`` shows a display board in the terminal, from any broker."""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path  # noqa: TC003  # click reads it

import click
from rich.live import Live

from edge.board.session import Board
from edge.board.view import as_line, render
from edge.cli.shared.options import config_option
from edge.config.load import find_config, load_config
from edge.mqtt.topics import Topics

_REFRESH_SECONDS = 0.25


@click.command()
@click.option("--host", help="The broker; default: as configured.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Its port; default: as configured.")
@click.option("--site", help="The car park; default: as configured.")
@click.option("--once", is_flag=True, help="Print what is known and end; exit code 1 if a number is not known.")
@click.option("--wait", type=click.FloatRange(0.1, 3600), default=5.0, show_default=True, help="Seconds, with --once.")
@config_option
def board(
    host: str | None, port: int | None, site: str | None, once: bool, wait: float, config_path: Path | None
) -> None:
    """Show the free places of every floor, or -- if not known.

    Example: smartpark board --host 192.168.1.10 --site garage
    """
    config = load_config(find_config(config_path))
    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    topics = Topics(config.mqtt.topic_prefix, site or config.site.id)
    display = Board(
        config.mqtt.model_copy(update=given),
        # Each board needs a client id of its own: a broker keeps one connection for each.
        f"smartpark-board-{secrets.token_hex(4)}",
        topics,
        floors=[floor.name for floor in config.floors],
    )
    display.start()
    try:
        if once:
            complete = _wait_until_complete(display, wait)
            click.echo(as_line(display.snapshot()))
            raise SystemExit(0 if complete else 1)
        _show(display)
    except KeyboardInterrupt:
        click.echo(err=True)
    finally:
        display.close()


def _show(display: Board) -> None:
    """Show it until Ctrl-C: a picture in a terminal, else a line at every change."""
    if sys.stdout.isatty():
        with Live(render(display.snapshot()), auto_refresh=False) as live:
            while True:
                live.update(render(display.snapshot()), refresh=True)
                time.sleep(_REFRESH_SECONDS)
    shown = ""
    while True:
        line = as_line(display.snapshot())
        if line != shown:
            shown = line
            click.echo(line)
            sys.stdout.flush()
        time.sleep(_REFRESH_SECONDS)


def _wait_until_complete(display: Board, seconds: float) -> bool:
    """Wait until every floor's number is known; False when that takes longer than ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        rows = display.snapshot().rows
        if rows and all(row.available is not None for row in rows):
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(_REFRESH_SECONDS / 5)

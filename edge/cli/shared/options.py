"""This module holds what several commands share: options, types of parameters, JSON and tables on stdout."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

config_option = click.option(
    "--config",
    "-c",
    "config_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration; default: SMARTPARK_CONFIG, else /etc/smartpark/smartpark.toml.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
note_option = click.option("--note", default="", metavar="TEXT", help="The reason, for the ledger and the audit log.")
_DURATION = re.compile(r"([0-9]{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


if TYPE_CHECKING:
    _DurationBase = click.ParamType[timedelta]
    _TimeBase = click.ParamType[datetime]
else:  # click's types are generic since 8.4 only
    _DurationBase = _TimeBase = click.ParamType


class ListsByDefault(click.Group):
    """A group that runs its command ``list`` when no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, with ``list`` put first where they name no command."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


class DurationParameter(_DurationBase):
    """A duration as 90s, 15m, 24h, 7d or 2w."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The duration, more than zero."""
        if isinstance(value, timedelta):
            return value
        match = _DURATION.fullmatch(str(value))
        if match is None or int(match[1]) == 0:
            self.fail(f"{value!r} is no duration; write one as 15m, 24h or 7d", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


class TimeParameter(_TimeBase):
    """An ISO 8601 time with its zone, or a duration before now."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time in UTC. A time without a zone is refused, for it could be local or UTC."""
        if isinstance(value, datetime):
            return value
        text = str(value)
        if match := _DURATION.fullmatch(text):
            return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r:.100} is no time; write one as 2026-05-04T12:00:00Z, or as 24h before now", param, ctx)
        if time.tzinfo is None:
            self.fail(f"{text!r} has no time zone; add Z for UTC or an offset such as +02:00", param, ctx)
        try:
            return time.astimezone(UTC)
        except OverflowError:
            self.fail(f"{text!r} is not within the years 1 to 9999 of UTC; write another time", param, ctx)


def confirm(question: str, yes: bool) -> None:
    """Ask, and return only after the answer y; any other ends the command with exit code 1. ``yes`` answers for it."""
    if not yes:
        click.confirm(question, abort=True, err=True)


log_option = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="The lowest level of the log lines on stderr.",
)


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> None:
    """Print aligned columns. Nothing is cut off when the output is not a terminal; ``right`` are aligned right."""
    # Imported here: most commands print no table, and rich takes longer to import than they run.
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=1000)
    with console.capture() as capture:
        console.print(table)
    # Rich pads each line of a table to the full width.
    for line in capture.get().splitlines():
        click.echo(line.rstrip())

"""Options that several commands share, and how they print."""

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
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
note_option = click.option("--note", default="", metavar="TEXT", help="Why; kept in the ledger and the audit log.")
SPAN = re.compile(r"([0-9]{1,6})\s*([smhdw])")
SPANS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


if TYPE_CHECKING:
    SpanType = click.ParamType[timedelta]
    MomentType = click.ParamType[datetime]
else:  # before click 8.4 its types did not say of what
    SpanType = MomentType = click.ParamType


class ListsByDefault(click.Group):
    """A noun alone, or with options only, is its ``list``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the missing word in."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


class Span(SpanType):
    """A length of time as 90s, 15m, 24h, 7d or 2w."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The length, more than zero."""
        if isinstance(value, timedelta):
            return value
        match = SPAN.fullmatch(str(value))
        if match is None or int(match[1]) == 0:
            self.fail(f"{value!r} is no length of time such as 15m, 24h or 7d", param, ctx)
        return timedelta(**{SPANS[match[2]]: int(match[1])})


class Moment(MomentType):
    """An ISO 8601 time with its zone, or a length of time before now."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment in UTC. A time without a zone is refused: it could be local or UTC."""
        if isinstance(value, datetime):
            return value
        text = str(value)
        if match := SPAN.fullmatch(text):
            return datetime.now(UTC) - timedelta(**{SPANS[match[2]]: int(match[1])})
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r:.100} is no time such as 2026-05-04T12:00:00Z, and no length such as 24h", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{text!r} has no time zone; add Z for UTC or an offset such as +02:00", param, ctx)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            self.fail(f"{text!r} is out of the calendar in UTC", param, ctx)


def ask(question: str, yes: bool) -> None:
    """Goes on only if the person says y, or said ``--yes``; else ends with exit code 1 and nothing changed."""
    if not yes:
        click.confirm(question, abort=True, err=True)


log_option = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What goes to stderr.",
)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> None:
    """Aligned columns; nothing is cut off when the output is not a terminal."""
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
    # A table pads its lines to the full width; a pipe wants none of that.
    for line in capture.get().splitlines():
        click.echo(line.rstrip())

"""The command line: one thin module a noun - parse, call, print, exit code.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 78 wrong configuration (``EX_CONFIG``).
"""

from __future__ import annotations

import sys

import click

from edge import __version__
from edge.cli.board import board
from edge.cli.check_config import check_config
from edge.cli.db.commands import db
from edge.cli.demo import demo
from edge.cli.evaluate import evaluate
from edge.cli.events import events
from edge.cli.floors import floors
from edge.cli.label import label
from edge.cli.models import models
from edge.cli.replay import replay
from edge.cli.run import run
from edge.cli.status import status
from edge.core.errors import ConfigError, ModelError, SmartParkError

EXIT_REFUSED = 1
EXIT_CONFIG = 78


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="smartpark")
def cli() -> None:
    """Counts the vehicles that cross the gates of a car park, and keeps the number on the board right."""


for command in (run, replay, demo, evaluate, label, check_config, status, floors, events, db, board, models):
    cli.add_command(command)


def main() -> None:
    """The program ``smartpark``: runs a command and turns errors into one clear text and an exit code."""
    try:
        cli(prog_name="smartpark")
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
        sys.exit(EXIT_CONFIG)
    except ModelError as error:
        # Weights do not come by starting again.
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_CONFIG)
    except SmartParkError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_REFUSED)

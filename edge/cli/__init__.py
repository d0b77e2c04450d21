"""This room is the command line ``smartpark``. A command parses options, calls the product, prints, sets an exit code.

A command is imported when it is called. Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 something is degraded
(``smartpark status``), 78 wrong configuration (``EX_CONFIG``).
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import click

from edge import __version__
from edge.cli.shared.lazy_group import CommandPlace, LazyGroup
from edge.core.errors import ConfigError, ModelError, SmartParkError

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_REFUSED = 1
EXIT_CONFIG = 78

# Peewee imports every driver of a database server that is installed. The commands open SQLite files only, and
# psycopg alone takes longer to import than `smartpark status` needs for all else.
DRIVERS_NOT_USED = ("psycopg", "psycopg2", "psycopg2cffi", "pymysql", "MySQLdb")

# The summary of a command is the first sentence of its help.
COMMANDS = {
    "blind": CommandPlace("edge.cli.counts.blind:blind_group", "List and export when cameras were blind"),
    "board": CommandPlace("edge.cli.board:board", "Show the free places of every floor, or -- if not known"),
    "cameras": CommandPlace(
        "edge.cli.cameras:camera_group", "Accept the picture of a camera that was moved on purpose"
    ),
    "check-config": CommandPlace(
        "edge.cli.check_config:check_config", "Check a configuration FILE and report all of its errors"
    ),
    "db": CommandPlace(
        "edge.cli.db.commands:database_group", "Check, query, back up, restore and upgrade the database"
    ),
    "demo": CommandPlace("edge.cli.demo:demo", "Run the whole product on a desk, with simulated cameras"),
    "evaluate": CommandPlace(
        "edge.cli.evaluate:evaluate", "Count labelled clips and compare the count with the labels"
    ),
    "events": CommandPlace("edge.cli.counts.events:event_group", "List, count, export and clean up events"),
    "floors": CommandPlace("edge.cli.counts.floors:floor_group", "List, correct and change the floors"),
    "label": CommandPlace("edge.cli.label:label", "Propose a label for a CLIP"),
    "models": CommandPlace("edge.cli.models:model_group", "List and fetch the detector's weights"),
    "replay": CommandPlace("edge.cli.replay:replay_clip", "Count a recorded CLIP as if the camera had sent it"),
    "run": CommandPlace("edge.cli.run:run_daemon", "Count until stopped, or until every recorded source has ended"),
    "snapshot": CommandPlace(
        "edge.cli.snapshot:take_snapshot", "Write the picture that a camera shows, to draw gates from"
    ),
    "status": CommandPlace("edge.cli.status:show_status", "Show the state of the daemon, the floors and the events"),
}


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="smartpark")
def cli() -> None:
    """Counts the vehicles that cross the gates of a car park, and keeps the number on the board right."""


def main() -> None:
    """The program ``smartpark``: runs the command of ``sys.argv`` and ends the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # Names of files may hold bytes that no encoding of a terminal knows.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for driver in DRIVERS_NOT_USED:
        sys.modules.setdefault(driver, None)  # type: ignore[arg-type]  # with None every import of it fails at once
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: Sequence[str]) -> int:
    """Run a command in this process and return its exit code; every error becomes one clear text on stderr."""
    try:
        cli(list(arguments), prog_name="smartpark")
    except SystemExit as end:
        return int(end.code or 0)
    except ConfigError as error:
        return _refuse(error.problems, EXIT_CONFIG)
    except ModelError as error:
        # Missing weights stay missing after a restart, so systemd must not restart on them.
        return _refuse([str(error)], EXIT_CONFIG)
    except SmartParkError as error:
        return _refuse([str(error)], EXIT_REFUSED)
    return 0


def _refuse(problems: Sequence[str], code: int) -> int:
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    return code

"""A command starts with as few imports as it can, and the program's help agrees with the help of its commands."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest

from edge.cli import COMMANDS, cli, run_command

if TYPE_CHECKING:
    from pathlib import Path

# Run in a process of its own, for this one has imported everything already.
PROGRAM = """
import sys
from edge.cli import main
try:
    main()
finally:
    print("IMPORTED", *(name for name, module in sys.modules.items() if module is not None))
"""
SLOW_TO_IMPORT = {"av", "cv2", "numpy", "onnxruntime", "paho", "peewee", "psycopg", "pydantic", "rich", "tomllib"}


def imported_by(*arguments: str, database: Path | None = None) -> set[str]:
    """The top-level names of all modules that a command has imported when it ends."""
    environ = dict(os.environ) if database is None else {**os.environ, "SMARTPARK_DATABASE_PATH": str(database)}
    environ.pop("SMARTPARK_CONFIG", None)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 3), done.stderr  # 3: no daemon runs
    return {name.split(".")[0] for name in done.stdout.rpartition("IMPORTED")[2].split()}


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_the_program_answers_without_its_libraries(option: str) -> None:
    """Version and help import click and the names of the commands, and no library that takes long to import."""
    assert imported_by(option) & SLOW_TO_IMPORT == set()


@pytest.mark.parametrize("command", ["status", "floors"])
def test_a_question_to_the_database_imports_what_reads_the_database(command: str, seeded: Any) -> None:
    """Peewee and pydantic answer it; vision, MQTT, tables and the drivers of database servers stay out."""
    assert imported_by(command, "--json", database=seeded.path) & SLOW_TO_IMPORT == {"peewee", "pydantic", "tomllib"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_of_a_command_is_the_first_sentence_of_its_help(name: str) -> None:
    """The summaries are written down beside the names, so that the help need not import the commands."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(limit=1000).removesuffix(".") == COMMANDS[name].summary


def test_the_help_lists_every_command_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    """The list of the program's help has a line for each command."""
    assert run_command(["--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert all(f"{name} {place.summary}" in words for name, place in COMMANDS.items())


def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the name that is not known."""
    assert run_command(["fly"]) == 2
    assert "No such command 'fly'" in capsys.readouterr().err

"""This module holds what the commands that export rows share: their options, and the writing to a file or stdout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.core.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

format_option = click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
output_option = click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="A file; default: stdout."
)


def write_export(export: Callable[[TextIO], int], output: Path | None, rows: str) -> None:
    """Call ``export`` with stdout, or with the file ``output``, and say how many ``rows`` the file has.

    Raises ``RefusedError`` for a file that cannot be written.
    """
    if output is None:
        export(sys.stdout)
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as out:
            written = export(out)
    except OSError as error:
        raise RefusedError(f"{output}: cannot be written ({error.strerror}); check the folder") from error
    click.echo(f"{written} {rows} written to {output}", err=True)

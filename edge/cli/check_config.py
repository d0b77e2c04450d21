"""This module is ``smartpark check-config``, which reports the errors of a configuration and warns of bad lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.config.load import find_config, load_config_to_run
from edge.core.errors import shown_name
from edge.core.line_geometry import space_beside
from edge.core.shapes import Point

if TYPE_CHECKING:
    from edge.config.schema import Config

# The share of the frame that the middle of a vehicle needs beyond the line: half of the vehicle is still to be seen
# when its middle leaves the picture.
_LEAST_ROOM = 0.06
_DIRECTION_AWAY = {"lower": "up", "upper": "down", "left": "to the right", "right": "to the left"}


@click.command("check-config")
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check_config(file: Path | None) -> None:
    """Check a configuration FILE and report all of its errors.

    Exit code 0 when a daemon can run with it, 78 when not. Lines that will count badly are warnings on stderr.
    Example: smartpark check-config smartpark.toml
    """
    path = find_config(file)
    config = load_config_to_run(path)
    gates = sum(len(camera.gates) for camera in config.cameras)
    click.echo(f"{shown_name(path)}: good: {len(config.floors)} floors, {len(config.cameras)} cameras, {gates} gates")
    for camera in config.cameras:
        for gate in camera.gates:
            outside = f" and out of {gate.outside_floor!r}" if gate.outside_floor else ""
            click.echo(f"  {camera.id}/{gate.id}: entries go into {gate.floor!r}{outside}")
    for warning in configuration_warnings(config):
        click.echo(f"warning: {shown_name(path)}: {warning}", err=True)


def configuration_warnings(config: Config) -> list[str]:
    """Warnings of lines that the middle of a vehicle cannot cross, with which a daemon can run but will count badly."""
    found = []
    for number, camera in enumerate(config.cameras):
        for index, gate in enumerate(camera.gates):
            for side, room in space_beside([Point(*point) for point in gate.line]):
                if room < _LEAST_ROOM:
                    found.append(
                        f"cameras[{number}].gates[{index}].line: camera {camera.id!r}, gate {gate.id!r}: "
                        f"{100 * room:.0f} % of the frame is left on the line's {side} side, too little for the middle "
                        f"of a vehicle to cross it; move the line {_DIRECTION_AWAY[side]} until it is "
                        f"{100 * _LEAST_ROOM:.0f} % or more away from the frame's edge"
                    )
    return found

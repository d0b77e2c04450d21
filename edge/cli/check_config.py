"""``smartpark check-config``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.config.load import find_config, load_config_to_run
from edge.core.line_geometry import room_beside
from edge.core.shapes import Point

if TYPE_CHECKING:
    from edge.config.schema import Config

# Share of the frame that a vehicle's middle needs beyond the line: half of what is seen of it as it leaves the picture.
LEAST_ROOM = 0.06
AWAY = {"lower": "up", "upper": "down", "left": "to the right", "right": "to the left"}


@click.command("check-config")
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check_config(file: Path | None) -> None:
    """Check a configuration FILE and tell every fault at once.

    Exit code 0 when a daemon can run with it, 78 when not. What will count badly is a warning on stderr.
    Example: smartpark check-config smartpark.toml
    """
    path = find_config(file)
    config = load_config_to_run(path)
    gates = sum(len(camera.gates) for camera in config.cameras)
    click.echo(f"{path}: good: {len(config.floors)} floors, {len(config.cameras)} cameras, {gates} gates")
    for camera in config.cameras:
        for gate in camera.gates:
            outside = f" and out of {gate.outside_floor!r}" if gate.outside_floor else ""
            click.echo(f"  {camera.id}/{gate.id}: entries go into {gate.floor!r}{outside}")
    for warning in warnings(config):
        click.echo(f"warning: {path}: {warning}", err=True)


def warnings(config: Config) -> list[str]:
    """What a daemon can run with, but will count badly: lines that no vehicle's middle can cross."""
    found = []
    for number, camera in enumerate(config.cameras):
        for index, gate in enumerate(camera.gates):
            for side, room in room_beside([Point(*point) for point in gate.line]):
                if room < LEAST_ROOM:
                    found.append(
                        f"cameras[{number}].gates[{index}].line: camera {camera.id!r}, gate {gate.id!r}: "
                        f"{100 * room:.0f} % of the frame is left on the line's {side} side, too little for the middle "
                        f"of a vehicle to cross it; move the line {AWAY[side]} until it is {100 * LEAST_ROOM:.0f} % "
                        "or more away from the frame's edge"
                    )
    return found

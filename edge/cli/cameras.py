"""This module is ``smartpark cameras``, which accepts the picture of a camera that was moved on purpose."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # click reads it

import click

from edge.cli.shared.options import config_option
from edge.config.load import find_config, load_config
from edge.core.errors import SmartParkError


@click.group("cameras")
def camera_group() -> None:
    """Accept the picture of a camera that was moved on purpose."""


@camera_group.command("accept")
@click.argument("camera_id", metavar="CAMERA")
@config_option
def accept_picture(camera_id: str, config_path: Path | None) -> None:
    """Take what the camera shows now for what it should show.

    A camera that was moved or turned is reported until it shows its old picture again. After this command the daemon
    forgets the old picture, and learns the one that the camera shows; a daemon that runs does so within some seconds.
    Check first that the gates' lines are still where the vehicles pass.
    """
    config = load_config(find_config(config_path))
    if config.camera(camera_id) is None:
        known = ", ".join(camera.id for camera in config.cameras) or "none"
        raise SmartParkError(f"there is no camera {camera_id!r}; the configuration has: {known}")
    path = config.picture_file(camera_id)
    try:
        path.unlink()
    except FileNotFoundError:
        click.echo(f"{camera_id}: no picture is kept of it; the daemon learns the one that the camera shows")
        return
    except OSError as error:
        raise SmartParkError(f"{path} cannot be removed: {error.strerror}; run this as the daemon's user") from error
    click.echo(f"{camera_id}: accepted; the daemon learns the picture that the camera shows now")

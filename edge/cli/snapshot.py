"""This module is ``smartpark snapshot``, which writes or shows the picture that the daemon sees now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.shared.options import config_option
from edge.config.load import find_config, load_config
from edge.core.errors import DaemonError, RefusedError, SourceError
from edge.host.control_client import ask_daemon
from edge.host.control_socket import SNAPSHOT_REQUEST
from edge.host.logs import set_up_logging

if TYPE_CHECKING:
    from edge.config.schema import CameraConfig, Config
    from edge.snapshot.snapshot import Snapshot

_STDOUT = "-"
# The daemon has the picture at hand; over a slow SD card's page cache a 4K picture takes some tenths of a second.
_DAEMON_SECONDS = 10.0


@click.command("snapshot")
@click.argument("camera_id", metavar="CAMERA")
@click.option(
    "--output", "-o", metavar="FILE", help="A .jpg or .png, or - for a JPEG on stdout; default: snapshot-CAMERA.jpg."
)
@click.option("--sixel", "protocol", flag_value="sixel", help="Show it in a terminal that has sixel graphics.")
@click.option("--kitty", "protocol", flag_value="kitty", help="Show it in a terminal that has kitty's graphics.")
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(0.1, 600.0),
    default=30.0,
    show_default=True,
    help="Seconds to wait for a picture where the camera has to be opened.",
)
@config_option
def take_snapshot(
    camera_id: str, output: str | None, protocol: str | None, seconds: float, config_path: Path | None
) -> None:
    """Write the picture that a camera shows, to draw gates from.

    Over the picture are a grid with rulers, on which the coordinates of `line` and `inside` are read as fractions of
    the picture, the gates of the configuration as the file has them now, the region that is looked at, and the tracks:
    green for confirmed, white for tentative, red and dashed for lost.

    With a running daemon the picture comes from it, and the counting goes on. Without one the camera is opened, and the
    detector runs once.

    Example: smartpark snapshot entrance -o entrance.png
    """
    set_up_logging("error")
    config = load_config(find_config(config_path))
    camera = config.camera(camera_id)
    if camera is None:
        known = ", ".join(camera.id for camera in config.cameras) or "none"
        raise RefusedError(f"there is no camera {camera_id!r}; the configuration has: {known}")
    # Imported here: OpenCV takes longer to load than a wrong option takes to be refused.
    from edge.snapshot.picture_file import check_ending

    if output == _STDOUT and protocol is not None:
        raise click.UsageError(f"-o - and --{protocol} both write to stdout; choose one")
    if output == _STDOUT and sys.stdout.isatty():
        raise click.UsageError("-o - writes a JPEG to stdout, which is a terminal; redirect it to a file")
    path = None if output == _STDOUT else Path(output or f"snapshot-{camera_id}.jpg")
    if path is not None:
        check_ending(path)
    snapshot = _ask_daemon(camera, config)
    if snapshot is None:
        from edge.snapshot.camera_look import look_at_camera

        snapshot = look_at_camera(camera, config, seconds)
    if protocol is not None:
        _show(snapshot, protocol)
    if output is not None or protocol is None:
        _write(snapshot, path)


def _ask_daemon(camera: CameraConfig, config: Config) -> Snapshot | None:
    """The daemon's picture; None, with a line on stderr, where it cannot be had and the camera is to be opened.

    Raises ``SourceError`` when the daemon has this camera and no picture of it.
    """
    from edge.snapshot.snapshot import snapshot_of_answer

    try:
        answer = ask_daemon(config.database.path, SNAPSHOT_REQUEST, {"camera": camera.id}, timeout=_DAEMON_SECONDS)
        if missing := answer.fields.get("missing"):
            raise SourceError(f"camera {camera.id}: {missing}")
        if not answer.fields.get("unknown"):
            return snapshot_of_answer(camera.id, answer, camera.gates)
        why = f"the daemon that runs has no camera {camera.id!r}; restart it to use the configuration as it is now"
    except (DaemonError, RefusedError, ValueError) as error:
        why = str(error)
    click.echo(f"{why}; the camera is opened", err=True)
    return None


def _show(snapshot: Snapshot, protocol: str) -> None:
    """Write the picture to the terminal, as wide as it is."""
    from edge.snapshot.drawing import draw_snapshot
    from edge.snapshot.picture_file import encode_picture
    from edge.snapshot.sixel import sixel_text
    from edge.snapshot.terminal import kitty_text, terminal_width

    width = terminal_width()
    image = draw_snapshot(snapshot, width.pixels)
    click.echo(sixel_text(image) if protocol == "sixel" else kitty_text(encode_picture(image, ".png"), width.columns))


def _write(snapshot: Snapshot, path: Path | None) -> None:
    """Write the picture to a file, or as JPEG to stdout."""
    from edge.snapshot.drawing import draw_snapshot
    from edge.snapshot.picture_file import encode_picture, save_picture

    image = draw_snapshot(snapshot)
    if path is None:
        click.echo(encode_picture(image, ".jpg"), nl=False)  # bytes are written as they are
        return
    save_picture(path, image)
    click.echo(f"{path}: {image.shape[1]} x {image.shape[0]} pixels, {snapshot.origin}", err=True)

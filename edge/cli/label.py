"""This module is ``smartpark label``, which proposes a label file for a clip."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.evaluate import print_progress
from edge.cli.shared.options import config_option
from edge.config.load import find_config, load_config
from edge.core.errors import ConfigError, RefusedError
from edge.evaluation.label_file import gate_from_table, read_label

if TYPE_CHECKING:
    from edge.config.schema import Config, GateConfig
    from edge.detection.detector import Detector

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("clip", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=_PATH, metavar="FILE", help="The label file; default: CLIP with the ending .toml.")
@click.option("--line", metavar='"X,Y X,Y..."', help="The gate's line in fractions of the frame.")
@click.option("--inside", metavar="X,Y", help="A point on the floor's side; default: below the line, or right of it.")
@click.option("--camera", "camera_id", metavar="ID", help="Take the gate of this camera of the configuration.")
@click.option("--gate", "gate_id", metavar="ID", help="Which of the camera's gates, if it has several.")
@click.option("--force", is_flag=True, help="Write over an earlier label and its pictures.")
@config_option
def label(
    clip: Path,
    out: Path | None,
    line: str | None,
    inside: str | None,
    camera_id: str | None,
    gate_id: str | None,
    force: bool,
    config_path: Path | None,
) -> None:
    """Propose a label for a CLIP. It has the crossings that the pipeline finds, for a person to correct.

    Writes a text file whose comments say what to do with it, and beside it a folder with a picture of each crossing and
    of the line. Without --line or --camera a line is proposed too.

    Example: smartpark label monday.mp4 --line "0.1,0.6 0.9,0.6" --inside 0.5,0.9
    """
    from edge.detection.detector import make_detector
    from edge.evaluation import label_proposal
    from edge.host.logs import set_up_logging

    set_up_logging("error")
    config = load_config(find_config(config_path))
    out = out or clip.with_suffix(".toml")
    pictures = out.with_name(f"{out.stem}-crossings")
    gate = _gate_of_options(line, inside, camera_id, gate_id, config)
    if not force:
        for path in (out, pictures):
            if path.exists():
                raise RefusedError(f"{path} exists already; choose another place with --out, or use --force")
    detector = make_detector(config.detector)
    detector.start()
    shows_progress = sys.stderr.isatty()
    try:
        if gate is None:
            gate = _propose_gate(clip, pictures, config, detector, force)
        progress = (lambda second: print_progress(f"{clip.name}: {second:.0f} s")) if shows_progress else None
        crossings, history = label_proposal.find_crossings(clip, gate, config, detector, progress)
    finally:
        detector.close()
        if shows_progress:
            print_progress("")
    label_proposal.save_crossing_pictures(clip, gate, crossings, history, pictures, force=True)
    label_proposal.write_label(out, label_proposal.label_text(clip, out, gate, crossings, pictures))
    read_label(out)
    counted = [crossing for crossing in crossings if not crossing.refused]
    entries = sum(crossing.direction == "entry" for crossing in counted)
    click.echo(f"{out}: {entries} entries and {len(counted) - entries} exits proposed; edit it as its comments say")
    click.echo(f"{pictures}/: {len(crossings)} pictures of crossings; gate.png shows the line")


def _gate_of_options(
    line: str | None, inside: str | None, camera_id: str | None, gate_id: str | None, config: Config
) -> GateConfig | None:
    """The gate that the options name; None where no option names one. Raises ``click.UsageError``."""
    from edge.evaluation.line_proposal import point_inside

    if camera_id is not None:
        if line or inside:
            raise click.UsageError("--camera and --line exclude each other")
        return _gate_of_camera(camera_id, gate_id, config)
    if gate_id is not None:
        raise click.UsageError("--gate needs --camera")
    if line is None:
        if inside is not None:
            raise click.UsageError("--inside needs --line")
        return None
    points = [_point(text, "--line") for text in line.split()]
    if len(points) < 2:
        raise click.UsageError('--line: give two points or more, as in --line "0.1,0.6 0.9,0.6"')
    try:
        return gate_from_table(
            {"line": points, "inside": _point(inside, "--inside") if inside else point_inside(points)},
            "--line, --inside",
        )
    except ConfigError as error:
        raise click.UsageError("\n".join(error.problems)) from error


def _gate_of_camera(camera_id: str, gate_id: str | None, config: Config) -> GateConfig:
    camera = config.camera(camera_id)
    if camera is None:
        known = ", ".join(camera.id for camera in config.cameras) or "no camera"
        raise RefusedError(f"there is no camera {camera_id!r}; the configuration has {known}")
    gates = [gate for gate in camera.gates if gate_id in (None, gate.id)]
    if len(gates) != 1:
        known = ", ".join(gate.id for gate in camera.gates) or "none"
        raise RefusedError(f"camera {camera_id!r}: choose one of its gates with --gate: {known}")
    return gates[0]


def _point(text: str, option: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError as error:
        raise click.UsageError(
            f"{option}: {text!r} is no point; write X,Y in fractions of the frame: 0.5,0.9"
        ) from error
    return x, y


def _propose_gate(clip: Path, pictures: Path, config: Config, detector: Detector, force: bool) -> GateConfig:
    """A gate whose line lies across the paths of vehicles.

    Raises ``RefusedError`` where there are no vehicles, after writing a picture to choose a line by.
    """
    from edge.evaluation import label_proposal

    proposed, paths = label_proposal.find_line(clip, config, detector)
    if proposed is None:
        label_proposal.clear_pictures(pictures, force=force)
        picture = pictures / "gate.png"
        label_proposal.save_grid_picture(clip, paths, picture)
        raise RefusedError(
            f"{clip}: no vehicle drives through the picture, so no line can be proposed; read the coordinates of one "
            f'from {picture} and give it with --line "X,Y X,Y"'
        )
    click.echo(
        f'line proposed, passed by {proposed.passing} of {proposed.seen} vehicles: --line "'
        + " ".join(f"{x:g},{y:g}" for x, y in proposed.line)
        + f'" --inside {proposed.inside[0]:g},{proposed.inside[1]:g}'
    )
    return gate_from_table({"line": proposed.line, "inside": proposed.inside}, "proposed line")

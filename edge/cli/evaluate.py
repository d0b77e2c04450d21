"""``smartpark evaluate``: how right the count is on labelled clips."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.shared.options import config_option, json_option, print_json
from edge.config.load import find_config, load_config
from edge.config.schema import MechanismsConfig
from edge.evaluation.label_file import read_labels

if TYPE_CHECKING:
    from edge.config.schema import Config

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("labels", nargs=-1, required=True, type=PATH, metavar="LABEL.toml...")
@click.option("--fps", type=click.FloatRange(0.1, 240), metavar="N", help="At most N frames a second; default: all.")
@click.option("--frames", "pictures", type=PATH, metavar="DIR", help="Write a picture of each error.")
@click.option("--trace", is_flag=True, help="Tell of every track whether it counted, and why.")
@click.option("--record", type=PATH, metavar="FILE", help="Write down what was seen: FILE.jsonl.gz, or a folder.")
@click.option("--detections", type=PATH, metavar="FILE", help="Count from such a recording, without the model.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(list(MechanismsConfig.model_fields)),
    metavar="MECHANISM",
    help="Switch a part of tracking or counting off, to see what it brings; may be repeated.",
)
@click.option("--baseline", type=PATH, metavar="FILE", help="Fail, with exit code 1, where a clip is below its floor.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Clips at the same time.")
@config_option
@json_option
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="error", hidden=True)
def evaluate(
    labels: tuple[Path, ...],
    fps: float | None,
    pictures: Path | None,
    trace: bool,
    record: Path | None,
    detections: Path | None,
    without: tuple[str, ...],
    baseline: Path | None,
    jobs: int,
    config_path: Path | None,
    as_json: bool,
    log_level: str,
) -> None:
    """Count labelled clips and hold the count against the truth.

    A label names a clip, its gate, and the seconds at which vehicles crossed; `smartpark label` proposes one. Of the
    configuration only detector, tracker, counting and mechanisms matter. A recording (--record, --detections) is of one
    clip at one rate; for several clips name a folder.

    Example: smartpark evaluate monday.toml --fps 5 --frames errors/
    """
    from edge.cli.shared.evaluation_report import as_document, show
    from edge.evaluation.baseline import read_baseline
    from edge.evaluation.evaluate_clips import Plan, run
    from edge.host.logs import set_up_logging

    if record and detections:
        raise click.UsageError("--record and --detections exclude each other: there is nothing new to write down")
    set_up_logging(log_level)
    config = switched_off(load_config(find_config(config_path)), without)
    read = read_labels(labels)
    floors = read_baseline(baseline) if baseline is not None else None
    plan = Plan(config, fps, record, detections, pictures, jobs, log_level)
    results = run(read, plan, Progress() if sys.stderr.isatty() else None)
    if as_json:
        print_json(as_document(results, trace=trace))
    else:
        show(results, trace=trace)
    for result in results:
        if result.beside:
            moments = ", ".join(f"{at:.1f}" for at in result.beside[:8]) + (", ..." if len(result.beside) > 8 else "")
            vehicles = "1 vehicle" if len(result.beside) == 1 else f"{len(result.beside)} vehicles"
            click.echo(
                f"warning: {result.name}: {vehicles} passed beside the line's ends, at {moments} s; if that was "
                "through the gate, make the line longer",
                err=True,
            )
    if floors is not None:
        drops = floors.drops(results[0].fps, {result.name: result.figures for result in results})
        for drop in drops:
            click.echo(f"error: below the baseline: {drop}", err=True)
        if drops:
            sys.exit(1)


def switched_off(config: Config, mechanisms: tuple[str, ...]) -> Config:
    """The configuration with some mechanisms off."""
    changed = config.mechanisms.model_copy(update=dict.fromkeys(mechanisms, False))
    return config.model_copy(update={"mechanisms": changed})


class Progress:
    """One line on a terminal, which goes away at the end."""

    def __call__(self, text: str) -> None:
        """Show where the work is; empty: done."""
        # To the beginning of the line, and clear what was there.
        click.echo(f"\r\x1b[K{text}", err=True, nl=False)

"""This module is ``smartpark evaluate``, which says how accurate the count is on labelled clips."""

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
    from collections.abc import Sequence

    from edge.config.schema import Config
    from edge.evaluation.evaluate_clip import ClipResult

_PATH = click.Path(path_type=Path)
_MOST_TIMES = 8  # seconds that a warning lists


@click.command()
@click.argument("labels", nargs=-1, required=True, type=_PATH, metavar="LABEL.toml...")
@click.option("--fps", type=click.FloatRange(0.1, 240), metavar="N", help="At most N frames a second; default: all.")
@click.option("--frames", "pictures", type=_PATH, metavar="DIR", help="Write a picture of each error.")
@click.option("--trace", is_flag=True, help="Show for every track whether it counted, and why.")
@click.option("--record", type=_PATH, metavar="FILE", help="Record the observations: FILE.jsonl.gz, or a folder.")
@click.option("--detections", type=_PATH, metavar="FILE", help="Count from such a recording, without the model.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(list(MechanismsConfig.model_fields)),
    metavar="MECHANISM",
    help="Switch a part of tracking or counting off, to see its effect; may be repeated.",
)
@click.option("--baseline", type=_PATH, metavar="FILE", help="Exit with 1 where a clip is worse than FILE allows.")
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
    """Count labelled clips and compare the count with the labels.

    A label names a clip, its gate, and the seconds at which vehicles crossed; `smartpark label` proposes one. Of the
    configuration only detector, tracker, counting and mechanisms matter. A recording (--record, --detections) is of one
    clip at one rate; for several clips name a folder.

    Example: smartpark evaluate monday.toml --fps 5 --frames errors/
    """
    from edge.cli.shared.evaluation_report import evaluation_document, print_evaluation
    from edge.evaluation.baseline import read_baseline
    from edge.evaluation.evaluate_clips import EvaluationOptions, evaluate_clips
    from edge.host.logs import set_up_logging

    if record and detections:
        raise click.UsageError("--record and --detections exclude each other: a recording holds nothing new to record")
    set_up_logging(log_level)
    config = without_mechanisms(load_config(find_config(config_path)), without)
    read = read_labels(labels)
    limits = read_baseline(baseline) if baseline is not None else None
    options = EvaluationOptions(config, fps, record, detections, pictures, jobs, log_level)
    results = evaluate_clips(read, options, print_progress if sys.stderr.isatty() else None)
    if as_json:
        print_json(evaluation_document(results, trace=trace))
    else:
        print_evaluation(results, trace=trace)
    _warn_of_short_lines(results)
    if limits is not None:
        violations = limits.violations(results[0].fps, {result.name: result.figures for result in results})
        for violation in violations:
            click.echo(f"error: worse than the baseline: {violation}", err=True)
        if violations:
            sys.exit(1)


def without_mechanisms(config: Config, mechanisms: tuple[str, ...]) -> Config:
    """The configuration with these mechanisms switched off."""
    changed = config.mechanisms.model_copy(update=dict.fromkeys(mechanisms, False))
    return config.model_copy(update={"mechanisms": changed})


def print_progress(text: str) -> None:
    """Show on one line of the terminal how far the work is; an empty text clears the line."""
    # Carriage return, and the escape sequence that clears the rest of the line.
    click.echo(f"\r\x1b[K{text}", err=True, nl=False)


def _warn_of_short_lines(results: Sequence[ClipResult]) -> None:
    for result in results:
        if not result.beside_line:
            continue
        times = ", ".join(f"{at:.1f}" for at in result.beside_line[:_MOST_TIMES])
        more = ", ..." if len(result.beside_line) > _MOST_TIMES else ""
        vehicles = "1 vehicle" if len(result.beside_line) == 1 else f"{len(result.beside_line)} vehicles"
        click.echo(
            f"warning: {result.name}: {vehicles} passed beside the line's ends, at {times}{more} s; if that was "
            "through the gate, make the line longer",
            err=True,
        )

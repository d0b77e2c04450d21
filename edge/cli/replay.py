"""This module is ``smartpark replay``, which counts a recorded clip as if a camera had sent it."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.shared.options import config_option, json_option, log_option, print_json
from edge.config.camera_address import clip_address
from edge.config.load import find_config, load_config_to_run
from edge.core.errors import RefusedError, shown_name
from edge.daemon.signals import Signals
from edge.host.logs import set_up_logging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.store import Recorded


def _utc_time(_context: click.Context, _option: click.Parameter, value: str | None) -> datetime | None:
    """The UTC time of an ISO 8601 text; a text without an offset is taken as UTC."""
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no ISO 8601 time; write one as 2026-05-04T12:00:00Z") from error
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


@click.command("replay")
@click.argument("clip", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--camera", "camera_id", required=True, metavar="ID", help="The camera whose gates and settings are used."
)
@click.option("--start", callback=_utc_time, metavar="TIME", help="When the clip begins; default: read from the file.")
@config_option
@json_option
@log_option
def replay_clip(
    clip: Path, camera_id: str, start: datetime | None, config_path: Path | None, as_json: bool, log_level: str
) -> None:
    """Count a recorded CLIP as if the camera had sent it.

    The same clip, configuration and start give the same events, so a second run adds none and changes no count.

    Exit code 0 when the clip was counted; 1 when it is no video file, when no frame of it can be decoded, or when its
    pictures never change, so that nothing can have been counted in it. A damaged clip is counted as far as it can be
    decoded, with a warning.

    Example: smartpark replay monday.mp4 --camera entrance --start 2026-05-04T12:00:00Z
    """
    set_up_logging(log_level)
    config = load_config_to_run(find_config(config_path))
    camera = config.camera(camera_id)
    if camera is None:
        raise RefusedError(
            f"there is no camera {camera_id!r}; the configuration has {', '.join(c.id for c in config.cameras)}"
        )
    # Imported only now, for a wrong configuration is to be reported before the libraries of vision are loaded.
    from edge.daemon.daemon import Daemon
    from edge.sources import open_source

    camera = camera.model_copy(update={"source": clip_address(clip), "username": None, "password": None})
    outcomes: Counter[str] = Counter()
    added: Counter[tuple[str, str]] = Counter()

    def count_recorded(recorded: Sequence[Recorded]) -> None:
        for item in recorded:
            outcomes["added" if item.inserted else "already_there"] += 1
            if item.inserted:
                added[(item.event.floor, item.event.direction)] += 1

    signals = Signals()
    signals.install()
    sources = [(camera, open_source(camera, start=start))]
    daemon = Daemon(config, signals=signals, sources=sources, shares_database=True, on_recorded=count_recorded)
    daemon.start()
    try:
        code = daemon.run()
    finally:
        frames = sum(worker.pipeline.statistics.frames for worker in daemon.workers)
        problems = [worker.problem or worker.source.status.problem for worker in daemon.workers]
        daemon.close()
    summary = {
        "clip": shown_name(clip),
        "camera": camera_id,
        "frames": frames,
        "events": outcomes.total(),
        "added": outcomes["added"],
        "already_there": outcomes["already_there"],
        "problem": problems[0] or None,
        "floors": [
            {"name": floor.name, "entries": added[(floor.name, "entry")], "exits": added[(floor.name, "exit")]}
            for floor in config.floors
        ],
    }
    if as_json:
        print_json(summary)
    else:
        click.echo(
            f"{shown_name(clip)}: {frames} frames, {outcomes.total()} events: {outcomes['added']} added, "
            f"{outcomes['already_there']} already there"
        )
        for floor in config.floors:
            click.echo(f"  {floor.name}: {added[(floor.name, 'entry')]} in, {added[(floor.name, 'exit')]} out")
    sys.exit(code)

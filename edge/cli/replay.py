"""``smartpark replay``: a recorded clip the same way as a camera's frames."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.shared.options import config_option, json_option, log_option, print_json
from edge.config.load import find_config, load_config_to_run
from edge.core.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.store.counts.stored_event import Recorded


def utc_time(_context: click.Context, _option: click.Parameter, value: str | None) -> datetime | None:
    """The aware UTC time that an option says in ISO 8601; one without an offset is UTC."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not an ISO 8601 time such as 2026-05-04T12:00:00Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@click.command()
@click.argument("clip", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--camera", "camera_id", required=True, metavar="ID", help="Whose gates and settings to use.")
@click.option("--start", callback=utc_time, metavar="TIME", help="When the clip begins; default: read from the file.")
@config_option
@json_option
@log_option
def replay(
    clip: Path, camera_id: str, start: datetime | None, config_path: Path | None, as_json: bool, log_level: str
) -> None:
    """Count a recorded CLIP as if the camera had sent it.

    The same clip, configuration and start make the same events: a second run adds none and moves no count.
    Example: smartpark replay monday.mp4 --camera entrance --start 2026-05-04T12:00:00Z
    """
    from edge.daemon.daemon import Daemon
    from edge.daemon.signals import Signals
    from edge.host.logs import set_up_logging
    from edge.sources import open_source

    set_up_logging(log_level)
    config = load_config_to_run(find_config(config_path))
    camera = config.camera(camera_id)
    if camera is None:
        raise RefusedError(
            f"there is no camera {camera_id!r}; the configuration has {', '.join(c.id for c in config.cameras)}"
        )
    camera = camera.model_copy(update={"source": str(clip), "username": None, "password": None})
    outcome: Counter[str] = Counter()
    added: Counter[tuple[str, str]] = Counter()

    def tally(recorded: Sequence[Recorded]) -> None:
        for item in recorded:
            outcome["added" if item.inserted else "known"] += 1
            if item.inserted:
                added[(item.event.floor, item.event.direction)] += 1

    signals = Signals()
    signals.install()
    sources = [(camera, open_source(camera, start=start))]
    daemon = Daemon(config, signals=signals, sources=sources, beside_another=True, on_recorded=tally)
    daemon.start()
    try:
        code = daemon.run()
    finally:
        frames = sum(worker.pipeline.statistics.frames for worker in daemon.workers)
        daemon.close()
    summary = {
        "clip": str(clip),
        "camera": camera_id,
        "frames": frames,
        "events": outcome.total(),
        "added": outcome["added"],
        "already_there": outcome["known"],
        "floors": [
            {"name": floor.name, "entries": added[(floor.name, "entry")], "exits": added[(floor.name, "exit")]}
            for floor in config.floors
        ],
    }
    if as_json:
        print_json(summary)
    else:
        click.echo(
            f"{clip}: {frames} frames, {outcome.total()} events: {outcome['added']} added, "
            f"{outcome['known']} already there"
        )
        for floor in config.floors:
            click.echo(f"  {floor.name}: {added[(floor.name, 'entry')]} in, {added[(floor.name, 'exit')]} out")
    sys.exit(code)

"""This module is ``smartpark blind``, which lists and exports the times in which cameras could not be counted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import click

from edge.cli.shared.exports import format_option, output_option, write_export
from edge.cli.shared.options import (
    ListsByDefault,
    TimeParameter,
    config_option,
    json_option,
    print_json,
    print_table,
)
from edge.cli.shared.rows import iso
from edge.cli.shared.store_access import open_for_reading
from edge.core.errors import RefusedError
from edge.store import blind_fields

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from edge.config.schema import Config
    from edge.store import Store

_camera_option = click.option("--camera", help="Only of this camera.")
_since_option = click.option(
    "--since", type=TimeParameter(), metavar="TIME", help="That lasted at this time or later; 24h, 7d before now."
)
_until_option = click.option("--until", type=TimeParameter(), metavar="TIME", help="That began before this time.")


@click.group("blind", cls=ListsByDefault)
def blind_group() -> None:
    """List and export when cameras were blind. Without a command: list the last times.

    A camera is blind while its gates cannot be counted: no frames, too few, or the daemon did not run.
    """


@blind_group.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many at most.")
@_camera_option
@_since_option
@_until_option
@config_option
@json_option
def list_blind_intervals(
    limit: int,
    camera: str | None,
    since: datetime | None,
    until: datetime | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """List the times in which cameras were blind, the last first."""
    with open_for_reading(config_path) as (config, store):
        _refuse_unknown_camera(config, store, camera)
        found = store.blind.newest(limit, camera=camera, since=since, until=until)
    if as_json:
        print_json([blind_fields(interval) for interval in found])
        return
    rows = [
        (
            interval.camera_id,
            iso(interval.began_at),
            "lasts" if interval.ended_at is None else iso(interval.ended_at),
            "" if interval.seconds is None else f"{interval.seconds:.0f}",
            interval.reason,
        )
        for interval in found
    ]
    print_table(["camera", "began", "ended", "seconds", "reason"], rows, right=["seconds"])


@blind_group.command("export")
@format_option
@output_option
@_camera_option
@_since_option
@_until_option
@config_option
def write_blind_intervals(
    form: Literal["csv", "jsonl"],
    output: Path | None,
    camera: str | None,
    since: datetime | None,
    until: datetime | None,
    config_path: Path | None,
) -> None:
    """Write the times in which cameras were blind. As CSV or JSON Lines, the oldest first.

    Example: smartpark blind export --since 7d -o week.csv
    """
    with open_for_reading(config_path) as (config, store):
        _refuse_unknown_camera(config, store, camera)
        export = partial(store.blind.export, form=form, camera=camera, since=since, until=until)
        write_export(export, output, "times")


def _refuse_unknown_camera(config: Config, store: Store, camera: str | None) -> None:
    """Refuse a camera that neither the configuration nor the table has, which is a typing error."""
    if camera is None or config.camera(camera) or store.blind.newest(1, camera=camera):
        return
    known = ", ".join(repr(configured.id) for configured in config.cameras) or "none"
    raise RefusedError(f"there is no camera {camera!r:.100}, and none was blind (the configuration has {known})")

"""This module finds for the commands how far the floors' counts can be trusted, with or without a running daemon."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from edge.cli.shared.daemon_report import ask_health
from edge.core.errors import DaemonError
from edge.host.alive_file import AliveFile
from edge.host.instance_lock import InstanceLock
from edge.store import BlindInterval, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.config.schema import Config
    from edge.core.occupancy import FloorQuality, Occupancy
    from edge.store import Store

_NOT_RUNNING = "the daemon is not running"


def is_daemon_running(config: Config) -> bool:
    """Whether a daemon counts into the configured database now."""
    return InstanceLock(config.database.path).held_elsewhere()


def qualities_of(config: Config, store: Store) -> dict[str, FloorQuality]:
    """The quality of each floor by its name. Without a daemon every floor with a camera is unknown.

    The running daemon is asked, because it knows a blind camera before the database does.
    """
    if is_daemon_running(config):
        try:
            return {item.floor.name: item.quality for item in ask_health(config).floors}
        except DaemonError as error:
            # It has just been started, or hangs: what it has recorded is as much as is known.
            click.echo(f"{error}; how far the counts can be trusted is as it was recorded last", err=True)
    return recorded_qualities(config, store)


def recorded_qualities(config: Config, store: Store) -> dict[str, FloorQuality]:
    """The quality of each floor by its name, as far as the database knows.

    Where the configuration has no cameras, as for a command with nothing but the path of the database, a camera that
    was ever blind may belong to any floor.
    """
    now = utc_now()
    cameras: Mapping[str, Sequence[str]] = config.cameras_by_floor
    if not config.cameras:
        known = tuple(dict.fromkeys(interval.camera_id for interval in store.blind.newest(1000)))
        cameras = {floor.name: known for floor in store.floors.all()}
    if is_daemon_running(config):
        return store.floor_qualities(cameras, now)
    last = AliveFile(config.database.path).read()
    ended_at = now if last is None else min(last.at.astimezone(UTC), now)
    blind = {camera: _not_running(camera, ended_at) for part in cameras.values() for camera in part}
    found = store.floor_qualities(cameras, now, list(blind.values()))
    # Without its file it is not known since when no daemon runs.
    return found if last else {name: replace(quality, blind_since=None) for name, quality in found.items()}


def unknown_floors(qualities: Mapping[str, FloorQuality]) -> set[str]:
    """The names of the floors whose count is not known."""
    return {name for name, quality in qualities.items() if not quality.is_known}


def why_unknown(floors: Sequence[Occupancy], qualities: Mapping[str, FloorQuality]) -> str:
    """The reasons for which counts of active floors are not known, to be put behind a sentence; empty if all are."""
    reasons = dict.fromkeys(
        qualities[floor.name].reason
        for floor in floors
        if floor.is_active and floor.name in qualities and not qualities[floor.name].is_known
    )
    return f" ({'; '.join(reasons)})" if reasons else ""


def _not_running(camera: str, since: datetime) -> BlindInterval:
    return BlindInterval(0, camera, since, None, _NOT_RUNNING)

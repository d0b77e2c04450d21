"""``smartpark status|floors|events``: read the database while the daemon writes. They need only the database."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003  # click reads it
from typing import TYPE_CHECKING

import click

from edge.cli.options import config_option, json_option, print_json, print_table
from edge.configfile import find_config, load_config
from edge.errors import RefusedError
from edge.ops.lock import InstanceLock
from edge.records import recommended
from edge.store.database import open_database
from edge.store.events import Events
from edge.store.floors import Floors
from edge.store.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peewee import SqliteDatabase

    from edge.config import Config
    from edge.records import Occupancy
    from edge.store.events import StoredEvent


@contextmanager
def _reading(config_path: Path | None) -> Iterator[tuple[Config, SqliteDatabase]]:
    config = load_config(find_config(config_path))
    database = open_database(config.database.path, busy_timeout=config.database.busy_timeout_seconds, read_only=True)
    try:
        yield config, database
    finally:
        database.close()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _floor_json(floor: Occupancy) -> dict[str, object]:
    return {
        "id": floor.floor_id,
        "name": floor.name,
        "description": floor.description,
        "total_slots": floor.total_slots,
        "current_vehicles": floor.current_vehicles,
        "available_slots": floor.available_slots,
        "occupancy_percentage": floor.occupancy_percentage,
        "is_full": floor.is_full,
        "is_active": floor.is_active,
        "seq": floor.seq,
        "as_of": _time(floor.as_of),
    }


def _event_json(stored: StoredEvent) -> dict[str, object]:
    return {
        "id": stored.id,
        "event_id": str(stored.event_id),
        "camera_id": stored.camera_id,
        "gate_id": stored.gate_id,
        "floor_id": stored.floor_id,
        "floor": stored.floor,
        "track_id": stored.track_id,
        "vehicle_type": stored.vehicle_type,
        "direction": stored.direction,
        "confidence": stored.confidence,
        "timestamp": _time(stored.timestamp),
        "created_at": _time(stored.created_at),
    }


def _floor_rows(floors: list[Occupancy]) -> None:
    print_table(
        ["floor", "free", "of", "vehicles", "full", "active", "as of"],
        [
            [
                *(floor.name, floor.available_slots, floor.total_slots, floor.current_vehicles),
                *(f"{floor.occupancy_percentage:.1f} %", "yes" if floor.is_active else "no", _time(floor.as_of)),
            ]
            for floor in floors
        ],
        right=["free", "of", "vehicles", "full"],
    )


@click.command()
@config_option
@json_option
def status(config_path: Path | None, as_json: bool) -> None:
    """Show whether the daemon runs, the floors, the last event and what waits for the broker."""
    with _reading(config_path) as (config, database):
        floors = Floors(database).all()
        events = Events(database)
        last = events.newest(1)
        counted, waiting = events.count(), Outbox(database).count()
        running = InstanceLock(config.database.path).held_elsewhere()
        best = recommended(floors)
        if as_json:
            print_json(
                {
                    "running": running,
                    "database": str(config.database.path),
                    "floors": [_floor_json(floor) for floor in floors],
                    "recommended": best.name if best else None,
                    "events": counted,
                    "outbox": waiting,
                    "last_event": _event_json(last[0]) if last else None,
                }
            )
            return
        click.echo(f"daemon       {'running' if running else 'not running'}")
        click.echo(f"database     {config.database.path}")
        click.echo(f"events       {counted}, {waiting} not yet acknowledged by the broker")
        if last:
            click.echo(f"last event   {_time(last[0].timestamp)} {last[0].direction} {last[0].floor}")
        click.echo(f"recommended  {best.name if best else 'none: every active floor is full'}")
        click.echo()
        _floor_rows(floors)


@click.command()
@config_option
@json_option
def floors(config_path: Path | None, as_json: bool) -> None:
    """List the floors with their counts."""
    with _reading(config_path) as (_, database):
        every = Floors(database).all()
        if as_json:
            print_json([_floor_json(floor) for floor in every])
        else:
            _floor_rows(every)


@click.command()
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="At most so many.")
@click.option("--floor", help="Only of this floor.")
@click.option("--camera", help="Only of this camera.")
@config_option
@json_option
def events(limit: int, floor: str | None, camera: str | None, config_path: Path | None, as_json: bool) -> None:
    """List the newest events, newest first."""
    with _reading(config_path) as (_, database):
        if floor is not None and Floors(database).get(floor) is None:
            known = ", ".join(repr(one.name) for one in Floors(database).all()) or "none"
            raise RefusedError(f"there is no floor {floor!r} in the database (it has {known})")
        newest = Events(database).newest(limit, floor=floor, camera=camera)
        if as_json:
            print_json([_event_json(stored) for stored in newest])
            return
        print_table(
            ["time", "direction", "floor", "camera", "gate", "track", "type", "confidence"],
            [
                [
                    *(_time(e.timestamp), e.direction, e.floor, e.camera_id, e.gate_id, e.track_id, e.vehicle_type),
                    f"{e.confidence:.2f}",
                ]
                for e in newest
            ],
            right=["confidence"],
        )

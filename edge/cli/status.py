"""This module is ``smartpark status``. It reads the database while the daemon writes.

Beside a running daemon it also asks the broker for the problems that the daemon publishes.
"""

from __future__ import annotations

import logging
import secrets
import time
from pathlib import Path  # noqa: TC003  # click reads it
from typing import TYPE_CHECKING

import click

from edge.cli.shared.options import config_option, json_option, print_json
from edge.cli.shared.rows import event_fields, floor_fields, iso, print_floors
from edge.cli.shared.store_access import open_for_reading
from edge.host.instance_lock import InstanceLock
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox

if TYPE_CHECKING:
    from edge.config.schema import Config

# How long the broker may take to send the device's health, which it retains.
_HEALTH_SECONDS = 2.0


@click.command("status")
@config_option
@json_option
def show_status(config_path: Path | None, as_json: bool) -> None:
    """Show whether the daemon runs and what is wrong, the floors, the last event and what waits for the broker."""
    with open_for_reading(config_path) as (config, database):
        floors = [floor for floor in Floors(database).stored() if floor.deleted_at is None]
        events = Events(database)
        last = events.newest(1)
        counted, waiting = events.count(), Outbox(database).count()
        running = InstanceLock(config.database.path).held_elsewhere()
        best = Floors(database).recommended()
        problems = _problems(config) if running else None
        if as_json:
            print_json(
                {
                    "running": running,
                    "problems": problems,
                    "database": str(config.database.path),
                    "floors": [floor_fields(floor.occupancy) for floor in floors],
                    "recommended": best.name if best else None,
                    "events": counted,
                    "outbox": waiting,
                    "last_event": event_fields(last[0]) if last else None,
                }
            )
            return
        click.echo(f"daemon       {'running' if running else 'not running'}")
        if running:
            for text in [_why_unknown(config)] if problems is None else problems or ["none"]:
                click.echo(f"problem      {text}")
        click.echo(f"database     {config.database.path}")
        click.echo(f"events       {counted}, {waiting} not yet acknowledged by the broker")
        if last:
            click.echo(f"last event   {iso(last[0].timestamp)} {last[0].direction} {last[0].floor}")
        click.echo(f"recommended  {best.name if best else 'none: every active floor is full'}")
        click.echo()
        print_floors(floors)


def _problems(config: Config) -> list[str] | None:
    """What the running daemon says is wrong, as it publishes it; None when the broker does not tell in time."""
    if not config.mqtt.enabled:
        return None
    from edge.board.session import Board
    from edge.mqtt.topics import Topics

    # A connection that fails is part of the answer: no line in the log beside it.
    logging.getLogger("edge.mqtt").addHandler(logging.NullHandler())
    topics = Topics(config.mqtt.topic_prefix, config.site.id)
    board = Board(config.mqtt, f"{config.client_id}-status-{secrets.token_hex(4)}", topics)
    board.start()
    try:
        deadline = time.monotonic() + _HEALTH_SECONDS
        while (health := board.health(config.device.id)) is None and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        board.close()
    return [problem.text for problem in health.problems] if health is not None else None


def _why_unknown(config: Config) -> str:
    if not config.mqtt.enabled:
        return "not known: they are published over MQTT, and mqtt.enabled is false"
    return f"not known: the broker at {config.mqtt.host}:{config.mqtt.port} sent no health of this device"

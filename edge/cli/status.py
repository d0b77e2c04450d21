"""This module is ``smartpark status``, which reads the database and the problems of the daemon that may be running."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # click reads it

import click

from edge.cli.shared.options import config_option, json_option, print_json
from edge.cli.shared.rows import event_fields, floor_fields, iso, print_floors, why_none_is_recommended
from edge.cli.shared.store_access import open_for_reading
from edge.host.instance_lock import InstanceLock
from edge.host.problem_file import ProblemFile


@click.command("status")
@config_option
@json_option
def show_status(config_path: Path | None, as_json: bool) -> None:
    """Show the state of the daemon, the floors and the events.

    That is whether the daemon runs and its problems, the floors, the last event, and what waits for the broker.
    """
    with open_for_reading(config_path) as (config, store):
        floors = store.floors.all()
        last = store.events.newest(1)
        counted, waiting = store.events.count(), store.outbox.count()
        running = InstanceLock(config.database.path).held_elsewhere()
        problems = ProblemFile(config.database.path).read() if running else ()
        best = store.floors.recommended()
        if as_json:
            print_json(
                {
                    "running": running,
                    "problems": [
                        {"code": problem.code, "text": problem.text, "since": iso(problem.since)}
                        for problem in problems
                    ],
                    "database": str(config.database.path),
                    "floors": [floor_fields(floor) for floor in floors],
                    "recommended": best.name if best else None,
                    "events": counted,
                    "outbox": waiting,
                    "last_event": event_fields(last[0]) if last else None,
                }
            )
            return
        click.echo(f"daemon       {'running' if running else 'not running'}")
        for problem in problems:
            click.echo(f"problem      {problem.code}: {problem.text} (since {iso(problem.since)})")
        click.echo(f"database     {config.database.path}")
        click.echo(f"events       {counted}, {waiting} not yet acknowledged by the broker")
        if last:
            click.echo(f"last event   {iso(last[0].timestamp)} {last[0].direction} {last[0].floor}")
        click.echo(f"recommended  {best.name if best else f'none: {why_none_is_recommended(floors)}'}")
        click.echo()
        print_floors(floors)

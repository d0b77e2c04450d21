"""This module is ``smartpark status``, which reads the database and the problems of the daemon that may be running."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # click reads it

import click

from edge.cli.shared.options import config_option, json_option, print_json
from edge.cli.shared.qualities import is_daemon_running, qualities_of, unknown_floors, why_unknown
from edge.cli.shared.rows import event_fields, floor_fields, iso, print_floors
from edge.cli.shared.store_access import open_for_reading
from edge.core.occupancy import Quality, recommended_floor, why_none_is_recommended
from edge.host.problem_file import ProblemFile

_EXIT_DEGRADED = 3


@click.command("status")
@config_option
@json_option
def show_status(config_path: Path | None, as_json: bool) -> None:
    """Show the state of the daemon, the floors and the events.

    That is whether the daemon runs and its problems, the floors, the last event, and what waits for the broker.

    Exit code 0 when all is well: the daemon runs, has no problem, and every active floor is live. 3 when something is
    degraded: no daemon runs, it has a problem, or the count of an active floor is degraded or unknown.
    """
    with open_for_reading(config_path) as (config, store):
        floors = store.floors.all()
        last = store.events.newest(1)
        counted, waiting = store.events.count(), store.outbox.count()
        running = is_daemon_running(config)
        problems = ProblemFile(config.database.path).read() if running else ()
        qualities = qualities_of(config, store)
        active = store.floors.active()
        unknown = unknown_floors(qualities)
        best = recommended_floor(active, unknown)
        all_live = all(qualities[floor.name].quality is Quality.LIVE for floor in active if floor.name in qualities)
        well = running and not problems and all_live
        if as_json:
            print_json(
                {
                    "ok": well,
                    "running": running,
                    "problems": [
                        {"code": problem.code, "text": problem.text, "since": iso(problem.since)}
                        for problem in problems
                    ],
                    "database": str(config.database.path),
                    "floors": [floor_fields(floor, qualities.get(floor.name)) for floor in floors],
                    "recommended": best.name if best else None,
                    "events": counted,
                    "outbox": waiting,
                    "last_event": event_fields(last[0]) if last else None,
                }
            )
            raise SystemExit(0 if well else _EXIT_DEGRADED)
        click.echo(f"daemon       {'running' if running else 'not running'}")
        for problem in problems:
            click.echo(f"problem      {problem.code}: {problem.text} (since {iso(problem.since)})")
        click.echo(f"database     {config.database.path}")
        click.echo(f"events       {counted}, {waiting} not yet acknowledged by the broker")
        if last:
            click.echo(f"last event   {iso(last[0].timestamp)} {last[0].direction} {last[0].floor}")
        why = why_none_is_recommended(active, unknown) + why_unknown(active, qualities)
        click.echo(f"recommended  {best.name if best else f'none: {why}'}")
        click.echo()
        print_floors(floors, qualities)
    raise SystemExit(0 if well else _EXIT_DEGRADED)

"""This module is ``smartpark events``, which lists, counts, exports, records and removes events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from edge.cli.shared.exports import format_option, output_option, write_export
from edge.cli.shared.options import (
    DurationParameter,
    ListsByDefault,
    TimeParameter,
    config_option,
    confirm,
    json_option,
    note_option,
    print_json,
    print_table,
    yes_option,
)
from edge.cli.shared.rows import event_fields, iso, print_events
from edge.cli.shared.store_access import existing_database_path, open_for_reading, open_for_writing
from edge.core.errors import RefusedError
from edge.core.events import Direction, Event, VehicleType
from edge.store import MOST_DAYS, Attribution, Cursor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.config.schema import Config
    from edge.store import Store

# The camera, track and gate of an event that a person records.
_BY_HAND = "shell"

_Command = TypeVar("_Command", bound="Callable[..., Any]")

_floor_option = click.option("--floor", help="Only of this floor.")
_camera_option = click.option("--camera", help="Only of this camera.")


def _since_option(default: str | None = None) -> Callable[[_Command], _Command]:
    """The option ``--since``, the beginning of a time range."""
    text = "From this time on: 2026-05-04T12:00:00Z, or 24h, 7d before now."
    return click.option("--since", type=TimeParameter(), default=default, show_default=True, metavar="TIME", help=text)


_until_option = click.option(
    "--until", type=TimeParameter(), metavar="TIME", help="Before this time; default: now, or no end."
)


@click.group("events", cls=ListsByDefault)
def event_group() -> None:
    """List, count, export and clean up events. Without a command: list the newest.

    Times are 2026-05-04T12:00:00Z, 2026-05-04T14:00:00+02:00, or 24h, 7d before now.
    """


@event_group.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many at most.")
@_floor_option
@_camera_option
@_since_option()
@_until_option
@click.option("--before", type=int, metavar="ID", help="Go on after the last event shown, by its id.")
@config_option
@json_option
def list_events(
    limit: int,
    floor: str | None,
    camera: str | None,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """List the newest events, newest first."""
    with open_for_reading(config_path) as (config, store):
        _refuse_unknown(config, store, floor, camera)
        cursor = None
        if before is not None:
            last = store.events.by_id(before)
            cursor = Cursor(last.listed_at, last.id)
        newest = store.events.newest(limit, floor=floor, camera=camera, since=since, until=until, before=cursor)
    if as_json:
        print_json([event_fields(stored) for stored in newest])
    else:
        print_events(newest)


@event_group.command("stats")
@_since_option("24h")
@_until_option
@_floor_option
@config_option
@json_option
def show_event_statistics(
    since: datetime, until: datetime | None, floor: str | None, config_path: Path | None, as_json: bool
) -> None:
    """Count entries and exits in a time range. In all, by vehicle type, and by hour of the day (local time)."""
    with open_for_reading(config_path) as (_, store):
        found = store.statistics(since, until, floor)
    mean = None if found.mean_confidence is None else round(found.mean_confidence, 4)
    if as_json:
        print_json(
            {
                "since": iso(found.since),
                "until": iso(found.until),
                "floor": found.floor,
                "total": found.total,
                "entries": found.entries,
                "exits": found.exits,
                "net": found.net,
                "by_type": {vehicle.value: number for vehicle, number in found.by_type.items()},
                "by_hour": [
                    {"hour": hour, "entries": entries, "exits": exits}
                    for hour, (entries, exits) in enumerate(found.by_hour)
                ],
                "peak_hour": found.peak_hour,
                "mean_confidence": mean,
            }
        )
        return
    peak = "-" if found.peak_hour is None else f"{found.peak_hour:02}:00"
    click.echo(f"window      {iso(found.since)} to {iso(found.until)}, {found.floor or 'all floors'}")
    click.echo(f"events      {found.total}: {found.entries} entries, {found.exits} exits, net {found.net:+d}")
    types = ", ".join(f"{number} {vehicle.value}" for vehicle, number in found.by_type.items() if number)
    click.echo(f"types       {types or '-'}")
    click.echo(f"confidence  {'-' if mean is None else f'{mean:.2f}'} on average")
    click.echo(f"peak hour   {peak}")
    if found.total:
        click.echo()
        rows = [(f"{hour:02}:00", *counts) for hour, counts in enumerate(found.by_hour) if any(counts)]
        print_table(["hour", "entries", "exits"], rows, right=["entries", "exits"])


@event_group.command("occupancy")
@click.argument("floor")
@_since_option("24h")
@_until_option
@click.option("--step", type=DurationParameter(), default="1h", show_default=True, metavar="SPAN", help="15m, 1h, 1d")
@config_option
@json_option
def show_occupancy(
    floor: str, since: datetime, until: datetime | None, step: timedelta, config_path: Path | None, as_json: bool
) -> None:
    """Show how many vehicles a FLOOR had over time. The numbers are computed from its ledger."""
    with open_for_reading(config_path) as (_, store):
        if step >= timedelta(hours=1):
            since = since.replace(minute=0, second=0, microsecond=0)
        series = store.occupancy_over_time(floor, since, until or datetime.now(UTC), step)
    if as_json:
        print_json([{"at": iso(point.at), "vehicles": point.vehicles} for point in series])
    else:
        print_table(["time", "vehicles"], [(iso(point.at), point.vehicles) for point in series], right=["vehicles"])


@event_group.command("export")
@format_option
@output_option
@_since_option()
@_until_option
@_floor_option
@_camera_option
@config_option
def write_events(
    form: Literal["csv", "jsonl"],
    output: Path | None,
    since: datetime | None,
    until: datetime | None,
    floor: str | None,
    camera: str | None,
    config_path: Path | None,
) -> None:
    """Write events as CSV or JSON Lines, the oldest first. Any number of them takes little memory.

    Example: smartpark events export --since 7d --format csv -o week.csv
    """
    with open_for_reading(config_path) as (config, store):
        _refuse_unknown(config, store, floor, camera)
        export = partial(store.export_events, form=form, floor=floor, camera=camera, since=since, until=until)
        write_export(export, output, "events")


@event_group.command("cleanup")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), required=True, help="How many days of events to keep.")
@yes_option
@note_option
@config_option
@json_option
def clean_up_events(days: int, yes: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Remove events that are older than so many days (asks). Statistics and counts stay; the daemon may run."""
    existing_database_path(config_path)
    confirm(f"Remove all events that are older than {days} days? Their hourly totals stay.", yes)
    with open_for_writing(config_path) as (_, store):
        done = store.clean_up(days, Attribution(note=note))
    if as_json:
        print_json(
            {"removed": done.removed, "before": iso(done.before), "longest_hold_ms": round(1000 * done.longest_seconds)}
        )
    else:
        click.echo(f"removed {done.removed} events from before {iso(done.before)}")


@event_group.command("record")
@click.option("--floor", required=True, help="The floor.")
@click.option("--direction", type=click.Choice([direction.value for direction in Direction]), required=True)
@click.option(
    "--type",
    "vehicle_type",
    type=click.Choice([vehicle.value for vehicle in VehicleType]),
    default="car",
    show_default=True,
)
@click.option("--confidence", type=click.FloatRange(0, 1), default=1.0, show_default=True)
@click.option("--timestamp", type=TimeParameter(), metavar="TIME", help="When it crossed; default: now.")
@click.option("--camera", default=_BY_HAND, show_default=True, help="A camera of the configuration.")
@click.option("--track", default=_BY_HAND, show_default=True, help="The vehicle's track id.")
@click.option("--gate", default=_BY_HAND, show_default=True, help="The gate.")
@note_option
@config_option
@json_option
def record_manual_event(
    floor: str,
    direction: str,
    vehicle_type: str,
    confidence: float,
    timestamp: datetime | None,
    camera: str,
    track: str,
    gate: str,
    note: str,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Record an event that no camera saw. An event of the same camera, track, direction and time is not doubled."""
    existing_database_path(config_path)
    by = Attribution(note=note)
    event = Event(
        camera_id=camera,
        gate_id=gate,
        floor=floor,
        track_id=track,
        vehicle_type=VehicleType(vehicle_type),
        direction=Direction(direction),
        confidence=confidence,
        timestamp=timestamp or by.at,
    )
    with open_for_writing(config_path) as (config, store):
        _refuse_unknown(config, store, None, camera)
        with store.transaction():
            done = store.events.record(event, by.at)
            if done.inserted:
                after = {"event_id": str(done.event.event_id), "current_vehicles": done.occupancy.current_vehicles}
                store.audit.write(by, "record", f"event {done.event.id}", None, after)
    if as_json:
        print_json({"inserted": done.inserted, **event_fields(done.event)})
    else:
        outcome = "recorded" if done.inserted else "was there already"
        left = f"{done.occupancy.current_vehicles} of {done.occupancy.total_slots}"
        click.echo(f"event {done.event.id} {outcome}; floor {done.event.floor!r} has {left}")


def _refuse_unknown(config: Config, store: Store, floor: str | None, camera: str | None) -> None:
    """Refuse a floor or camera that neither the configuration nor the database has, which is a typing error."""
    if floor is not None:
        store.floors.by_name(floor)
    if camera is None or camera == _BY_HAND or config.camera(camera) or store.events.newest(1, camera=camera):
        return
    known = ", ".join(repr(configured.id) for configured in config.cameras) or "none"
    raise RefusedError(f"there is no camera {camera!r:.100} and no event of it (the configuration has {known})")

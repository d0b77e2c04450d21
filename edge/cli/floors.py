"""``smartpark floors``: the same nouns and verbs as ``edge.store.counts.floors.Floors``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # click reads it
from typing import TYPE_CHECKING

import click

from edge.cli.shared.options import ListsByDefault, ask, config_option, json_option, note_option, print_json, yes_option
from edge.cli.shared.rows import floor_fields, iso, show_floors, stored_fields
from edge.cli.shared.store_access import act, existing, reading, writing
from edge.core.errors import RefusedError
from edge.host.instance_lock import InstanceLock
from edge.store.counts.floors import Floors
from edge.store.counts.ledger import Ledger
from edge.store.schema.models import AdjustmentReason
from edge.store.upkeep.cleanup import Cleanup

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.store.counts.stored_floor import StoredFloor

SLOTS = click.IntRange(0, 1_000_000)


@click.group(cls=ListsByDefault)
def floors() -> None:
    """List, correct and change the floors. Without a word: list them.

    A floor is named by its exact name. Example: smartpark floors correct "Ground Floor" 17 --note "walked it"
    """


@floors.command("list")
@click.option("--active", is_flag=True, help="Only active floors.")
@click.option("--all", "every", is_flag=True, help="Also deleted floors.")
@config_option
@json_option
def list_floors(active: bool, every: bool, config_path: Path | None, as_json: bool) -> None:
    """List the floors with their counts."""
    with reading(config_path) as (_, database):
        found = [
            floor
            for floor in Floors(database).stored()
            if (every or floor.deleted_at is None) and (floor.occupancy.is_active or not active)
        ]
    if as_json:
        print_json([stored_fields(floor) for floor in found])
    else:
        show_floors(found)


@floors.command()
@click.argument("name")
@config_option
@json_option
def show(name: str, config_path: Path | None, as_json: bool) -> None:
    """Show all of a floor, how its count came about, and its last adjustments. Also by id: '#3'."""
    with reading(config_path) as (_, database):
        number = name.removeprefix("#")
        by_id = Floors(database).by_id(int(number)) if name.startswith("#") and number.isdigit() else None
        floor = by_id or Floors(database).find(name)
        balance = next(one for one in Ledger(database).balances() if one.floor_id == floor.id)
        entries = Ledger(database).adjustments(floor.id, 10)
    ledger = {
        "opening": balance.opening,
        "entries": balance.entries,
        "exits": balance.exits,
        "adjustments": balance.adjusted,
        "count": balance.ledger,
    }
    if as_json:
        adjustments = [
            {
                "delta": e.delta,
                "reason": e.reason,
                "actor": e.actor,
                "note": e.note,
                "before": e.before,
                "after": e.after,
                "at": iso(e.at),
            }
            for e in entries
        ]
        print_json({**stored_fields(floor), "ledger": ledger, "adjustments": adjustments})
        return
    for key, value in stored_fields(floor).items():
        click.echo(f"{key:22}{value}")
    parts = "{opening} at the opening + {entries} entries - {exits} exits + {adjustments} adjusted = {count}"
    click.echo(f"{'ledger':22}{parts.format(**ledger)}")
    for e in entries:
        told = f"{e.delta:+d} {e.reason} ({e.before} -> {e.after}) {e.actor} {e.note}".rstrip()
        click.echo(f"{'adjustment':22}{iso(e.at)} {told}")


@floors.command()
@config_option
@json_option
def recommended(config_path: Path | None, as_json: bool) -> None:
    """Show where to send the next vehicle: the active floor with most free places. Exit code 1 if all are full."""
    with reading(config_path) as (_, database):
        best = Floors(database).recommended()
    if best is None:
        raise RefusedError("every active floor is full")
    if as_json:
        print_json(floor_fields(best))
    else:
        click.echo(f"{best.name}: {best.available_slots} of {best.total_slots} free")


@floors.command()
@click.argument("name")
@click.option("--slots", type=SLOTS, required=True, help="Places.")
@click.option("--description", default="", help="Free text.")
@click.option("--vehicles", type=SLOTS, default=0, show_default=True, help="Vehicles that are inside already.")
@click.option("--inactive", is_flag=True, help="Never recommend it.")
@note_option
@config_option
@json_option
def create(
    name: str,
    slots: int,
    description: str,
    vehicles: int,
    inactive: bool,
    note: str,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Make a floor. One of the configuration is made by the daemon; this is for others."""
    _change(
        config_path,
        as_json,
        lambda room: room.create(
            name, slots, act(note), description=description, opening_vehicles=vehicles, is_active=not inactive
        ),
    )


@floors.command()
@click.argument("name")
@click.option("--name", "new_name", help="A new name.")
@click.option("--slots", type=SLOTS, help="Places; fewer than there are vehicles clamps the count.")
@click.option("--description", help="Free text.")
@note_option
@config_option
@json_option
def update(
    name: str,
    new_name: str | None,
    slots: int | None,
    description: str | None,
    note: str,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Change a floor's name, places or description."""
    if new_name is None and slots is None and description is None:
        raise click.UsageError("nothing to change; give --name, --slots or --description")
    _change(
        config_path,
        as_json,
        lambda room: room.update(name, act(note), new_name=new_name, description=description, total_slots=slots),
        configured=True,
    )


@floors.command()
@click.argument("name")
@click.argument("count", type=SLOTS)
@note_option
@config_option
@json_option
def correct(name: str, count: int, note: str, config_path: Path | None, as_json: bool) -> None:
    """Set a floor's count to what you counted. The difference becomes a row of the ledger.

    Example: smartpark floors correct "Ground Floor" 17 --note "walked it"
    """
    _change(config_path, as_json, lambda room: room.correct(name, count, act(note)))


@floors.command()
@click.argument("name")
@click.argument("count", type=SLOTS, default=0)
@note_option
@config_option
@json_option
def reset(name: str, count: int, note: str, config_path: Path | None, as_json: bool) -> None:
    """Set a floor's count to COUNT, 0 unless given, without anybody having counted: for a timer, as at night.

    It differs from `correct` only in the ledger's reason.
    """
    _change(config_path, as_json, lambda room: room.correct(name, count, act(note), AdjustmentReason.RESET))


@floors.command()
@click.argument("name")
@click.option("--by", type=click.IntRange(-1_000_000, 1_000_000), required=True, help="So many came; negative: went.")
@note_option
@config_option
@json_option
def adjust(name: str, by: int, note: str, config_path: Path | None, as_json: bool) -> None:
    """Add vehicles that came uncounted, or take away some that went. Example: smartpark floors adjust Roof --by -2"""
    _change(config_path, as_json, lambda room: room.update_vehicle_count(name, by, act(note)))


@floors.command()
@click.argument("name")
@note_option
@config_option
@json_option
def activate(name: str, note: str, config_path: Path | None, as_json: bool) -> None:
    """Send vehicles to a floor again."""
    _change(config_path, as_json, lambda room: room.set_active(name, act(note), active=True), configured=True)


@floors.command()
@click.argument("name")
@note_option
@config_option
@json_option
def deactivate(name: str, note: str, config_path: Path | None, as_json: bool) -> None:
    """Send no vehicles to a floor. It goes on counting."""
    _change(config_path, as_json, lambda room: room.set_active(name, act(note), active=False), configured=True)


@floors.command()
@click.argument("name")
@click.option("--hard", is_flag=True, help="For good, with all its events. There is no way back.")
@yes_option
@note_option
@config_option
@json_option
def delete(name: str, hard: bool, yes: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Hide a floor; `restore` brings it back. With --hard: remove it and its events for good (asks)."""
    if not hard:
        _change(config_path, as_json, lambda room: room.delete(name, act(note)), configured=True)
        return
    path = existing(config_path)
    with reading(config_path) as (_, database):
        floor = Floors(database).find(name)
    if floor.is_configured and InstanceLock(path).held_elsewhere():
        raise RefusedError(
            f"floor {name!r} stands in the configuration and the daemon counts for it; take it out of the file"
            " and reload first, or its next vehicles would be lost"
        )
    ask(f"Delete floor {name!r} and all of its events, adjustments and totals for good?", yes)
    with writing(config_path) as (_, database):
        done = Cleanup(database).floor(name, act(note))
    if as_json:
        print_json({"deleted": name, "events": done.removed})
    else:
        click.echo(f"floor {name!r} is gone, with {done.removed} events")


@floors.command()
@click.argument("name")
@note_option
@config_option
@json_option
def restore(name: str, note: str, config_path: Path | None, as_json: bool) -> None:
    """Bring a deleted floor back as it was."""
    _change(config_path, as_json, lambda room: room.restore(name, act(note)))


def _change(
    config_path: Path | None, as_json: bool, change: Callable[[Floors], StoredFloor], *, configured: bool = False
) -> None:
    """Does it in one transaction and shows the floor; ``configured``: the configuration has a say in it too."""
    existing(config_path)
    with writing(config_path) as (_, database):
        floor = change(Floors(database))
    if configured and floor.is_configured:
        click.echo(
            f"note: floor {floor.name!r} stands in the configuration; the next start or reload follows the file again",
            err=True,
        )
    if as_json:
        print_json(stored_fields(floor))
    else:
        show_floors([floor])

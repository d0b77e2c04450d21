"""This module has the commands of ``smartpark floors`` that change a floor."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # click reads it
from typing import TYPE_CHECKING

import click

from edge.cli.shared.options import config_option, confirm, json_option, note_option, print_json, yes_option
from edge.cli.shared.rows import print_floors, stored_floor_fields
from edge.cli.shared.store_access import existing_database_path, open_for_reading, open_for_writing
from edge.core.errors import RefusedError
from edge.host.instance_lock import InstanceLock
from edge.store import AdjustmentReason, Attribution

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.store import Store, StoredFloor

_SLOTS = click.IntRange(0, 1_000_000)


@click.command("create")
@click.argument("name")
@click.option("--slots", type=_SLOTS, required=True, help="Places.")
@click.option("--description", default="", help="Free text.")
@click.option("--vehicles", type=_SLOTS, default=0, show_default=True, help="Vehicles that are inside already.")
@click.option("--inactive", is_flag=True, help="Never recommend it.")
@note_option
@config_option
@json_option
def create_floor(
    name: str,
    slots: int,
    description: str,
    vehicles: int,
    inactive: bool,
    note: str,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Make a floor. The daemon makes the floors of the configuration by itself; this command is for others."""
    _change(
        config_path,
        as_json,
        lambda store: store.floors.create(
            name,
            slots,
            Attribution(note=note),
            description=description,
            opening_vehicles=vehicles,
            is_active=not inactive,
        ),
    )


@click.command("update")
@click.argument("name")
@click.option("--name", "new_name", help="A new name.")
@click.option("--slots", type=_SLOTS, help="Places; fewer than there are vehicles clamps the count.")
@click.option("--description", help="Free text.")
@note_option
@config_option
@json_option
def update_floor(
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
        raise click.UsageError("nothing to change; use --name, --slots or --description")
    _change(
        config_path,
        as_json,
        lambda store: store.floors.update(
            name, Attribution(note=note), new_name=new_name, description=description, total_slots=slots
        ),
        configured=True,
    )


@click.command("correct")
@click.argument("name")
@click.argument("count", type=_SLOTS)
@note_option
@config_option
@json_option
def correct_floor(name: str, count: int, note: str, config_path: Path | None, as_json: bool) -> None:
    """Set a floor's count to what you counted. The difference becomes a row of the ledger.

    Example: smartpark floors correct "Ground Floor" 17 --note "walked it"
    """
    _change(config_path, as_json, lambda store: store.floors.correct(name, count, Attribution(note=note)))


@click.command("reset")
@click.argument("name")
@click.argument("count", type=_SLOTS, default=0)
@note_option
@config_option
@json_option
def reset_floor(name: str, count: int, note: str, config_path: Path | None, as_json: bool) -> None:
    """Set a floor's count to COUNT, or 0, at a planned time. A timer may run it every night.

    It differs from `correct` only in the ledger's reason.
    """
    _change(
        config_path,
        as_json,
        lambda store: store.floors.correct(name, count, Attribution(note=note), AdjustmentReason.RESET),
    )


@click.command("adjust")
@click.argument("name")
@click.option(
    "--by",
    type=click.IntRange(-1_000_000, 1_000_000),
    required=True,
    help="Vehicles to add; negative: take away.",
)
@note_option
@config_option
@json_option
def adjust_floor(name: str, by: int, note: str, config_path: Path | None, as_json: bool) -> None:
    """Add or take away vehicles that were not counted.

    Example: smartpark floors adjust Roof --by -2
    """
    _change(config_path, as_json, lambda store: store.floors.update_vehicle_count(name, by, Attribution(note=note)))


@click.command("activate")
@click.argument("name")
@note_option
@config_option
@json_option
def activate_floor(name: str, note: str, config_path: Path | None, as_json: bool) -> None:
    """Send vehicles to a floor again."""
    _set_active(name, note, config_path, as_json, active=True)


@click.command("deactivate")
@click.argument("name")
@note_option
@config_option
@json_option
def deactivate_floor(name: str, note: str, config_path: Path | None, as_json: bool) -> None:
    """Send no vehicles to a floor. Its vehicles are still counted."""
    _set_active(name, note, config_path, as_json, active=False)


@click.command("delete")
@click.argument("name")
@click.option("--hard", is_flag=True, help="Remove it for good, with all its events.")
@yes_option
@note_option
@config_option
@json_option
def delete_floor(name: str, hard: bool, yes: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Hide a floor, which `restore` brings back. With --hard: remove it and its events for good (asks)."""
    if not hard:
        _change(config_path, as_json, lambda store: store.floors.delete(name, Attribution(note=note)), configured=True)
        return
    path = existing_database_path(config_path)
    with open_for_reading(config_path) as (_, store):
        floor = store.floors.by_name(name)
    if floor.is_configured and InstanceLock(path).held_elsewhere():
        raise RefusedError(
            f"floor {name!r} is in the configuration of a running daemon, whose next events of it would be lost; remove"
            " it from the file and reload the daemon first"
        )
    confirm(f"Delete floor {name!r} and all of its events, adjustments and totals for good?", yes)
    with open_for_writing(config_path) as (_, store):
        done = store.remove_floor(name, Attribution(note=note))
    if as_json:
        print_json({"deleted": name, "events": done.removed})
    else:
        click.echo(f"floor {name!r} was deleted, with {done.removed} events")


@click.command("restore")
@click.argument("name")
@note_option
@config_option
@json_option
def restore_floor(name: str, note: str, config_path: Path | None, as_json: bool) -> None:
    """Bring a deleted floor back as it was."""
    _change(config_path, as_json, lambda store: store.floors.restore(name, Attribution(note=note)))


def _set_active(name: str, note: str, config_path: Path | None, as_json: bool, *, active: bool) -> None:
    by = Attribution(note=note)
    _change(config_path, as_json, lambda store: store.floors.set_active(name, by, active=active), configured=True)


def _change(
    config_path: Path | None, as_json: bool, change: Callable[[Store], StoredFloor], *, configured: bool = False
) -> None:
    """Change a floor in one transaction and print it. ``configured``: the configuration also sets what is changed."""
    existing_database_path(config_path)
    with open_for_writing(config_path) as (_, store):
        floor = change(store)
    if configured and floor.is_configured:
        click.echo(
            f"note: floor {floor.name!r} is in the configuration; a start or reload sets it to the file's values",
            err=True,
        )
    if as_json:
        print_json(stored_floor_fields(floor))
    else:
        print_floors([floor])

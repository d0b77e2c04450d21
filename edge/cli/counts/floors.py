"""This module is ``smartpark floors``. Its commands show floors; those of ``floor_changes`` change them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path  # noqa: TC003  # click reads it
from typing import TYPE_CHECKING

import click

from edge.cli.counts.floor_changes import (
    activate_floor,
    adjust_floor,
    correct_floor,
    create_floor,
    deactivate_floor,
    delete_floor,
    reset_floor,
    restore_floor,
    update_floor,
)
from edge.cli.shared.options import (
    ListsByDefault,
    config_option,
    json_option,
    print_json,
)
from edge.cli.shared.qualities import qualities_of, unknown_floors, why_unknown
from edge.cli.shared.rows import floor_fields, iso, print_floors, quality_text, stored_floor_fields
from edge.cli.shared.store_access import open_for_reading
from edge.core.errors import RefusedError
from edge.core.occupancy import recommended_floor, why_none_is_recommended

if TYPE_CHECKING:
    from edge.store import Store, StoredFloor


@click.group("floors", cls=ListsByDefault)
def floor_group() -> None:
    """List, correct and change the floors. Without a command: list them.

    A floor is named by its exact name. Example: smartpark floors correct "Ground Floor" 17 --note "walked it"
    """


for _command in (
    *(create_floor, update_floor, correct_floor, reset_floor, adjust_floor),
    *(activate_floor, deactivate_floor, delete_floor, restore_floor),
):
    floor_group.add_command(_command)


@floor_group.command("list")
@click.option("--active", is_flag=True, help="Only active floors.")
@click.option("--all", "include_deleted", is_flag=True, help="Also deleted floors.")
@config_option
@json_option
def list_floors(active: bool, include_deleted: bool, config_path: Path | None, as_json: bool) -> None:
    """List the floors with their counts.

    The quality says how far a count can be trusted: live; degraded where a gate was blind since the last correction;
    unknown (--) while a gate is blind, and while the daemon does not run.
    """
    with open_for_reading(config_path) as (config, store):
        floors = store.floors.all(deleted=include_deleted)
        qualities = qualities_of(config, store)
    found = [floor for floor in floors if floor.is_active or not active]
    if as_json:
        print_json([stored_floor_fields(floor, qualities.get(floor.name)) for floor in found])
    else:
        print_floors(found, qualities)


@floor_group.command("show")
@click.argument("name")
@config_option
@json_option
def show_floor(name: str, config_path: Path | None, as_json: bool) -> None:
    """Show a floor, its ledger and its last adjustments. NAME may be an id: '#3'."""
    with open_for_reading(config_path) as (config, store):
        floor = _by_id_or_name(store, name)
        balance = next(balance for balance in store.ledger.balances() if balance.floor_id == floor.floor_id)
        adjustments = store.ledger.adjustments(floor.floor_id, 10)
        quality = qualities_of(config, store).get(floor.name)
    ledger = {
        "opening": balance.opening,
        "entries": balance.entries,
        "exits": balance.exits,
        "adjustments": balance.adjusted,
        "count": balance.ledger,
    }
    if as_json:
        rows = [
            {
                "delta": adjustment.delta,
                "reason": adjustment.reason,
                "actor": adjustment.actor,
                "note": adjustment.note,
                "before": adjustment.before,
                "after": adjustment.after,
                "at": iso(adjustment.at),
            }
            for adjustment in adjustments
        ]
        print_json({**stored_floor_fields(floor, quality), "ledger": ledger, "adjustments": rows})
        return
    for key, value in stored_floor_fields(floor).items():
        click.echo(f"{key:22}{value}")
    if quality is not None:
        click.echo(f"{'quality':22}{quality_text(quality)}")
    parts = "{opening} at the opening + {entries} entries - {exits} exits + {adjustments} adjusted = {count}"
    click.echo(f"{'ledger':22}{parts.format(**ledger)}")
    for row in adjustments:
        text = f"{iso(row.at)} {row.delta:+d} {row.reason} ({row.before} -> {row.after}) {row.actor} {row.note}"
        click.echo(f"{'adjustment':22}{text.rstrip()}")


@floor_group.command("recommended")
@config_option
@json_option
def show_recommended_floor(config_path: Path | None, as_json: bool) -> None:
    """Show the active floor with most free places. Exit code 1 if there is none.

    A floor whose count is not known is left out.
    """
    with open_for_reading(config_path) as (config, store):
        floors = store.floors.active()
        qualities = qualities_of(config, store)
    unknown = unknown_floors(qualities)
    best = recommended_floor(floors, unknown)
    if best is None:
        why = why_none_is_recommended(floors, unknown) + why_unknown(floors, qualities)
        raise RefusedError(f"no floor can be recommended: {why}")
    if as_json:
        print_json(floor_fields(best, qualities.get(best.name)))
    else:
        click.echo(f"{best.name}: {best.available_slots} of {best.total_slots} free")


def _by_id_or_name(store: Store, name: str) -> StoredFloor:
    number = name.removeprefix("#")
    if name.startswith("#") and number.isdigit():
        with suppress(RefusedError):  # the name of a floor may look like an id
            return store.floors.by_id(int(number))
    return store.floors.by_name(name)

"""This module is ``smartpark db create|drop|reinit|seed|reset|migrate``, which make, remove and upgrade tables."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # click reads it
from typing import TYPE_CHECKING

import click

from edge.cli.shared.options import config_option, confirm, json_option, note_option, print_json, yes_option
from edge.cli.shared.rows import print_floors, stored_floor_fields
from edge.cli.shared.store_access import existing_database_path, open_for_writing
from edge.core.errors import RefusedError
from edge.store import SCHEMA_VERSION, Attribution

if TYPE_CHECKING:
    from edge.store import Seeded, Store


_sample_option = click.option("--sample", is_flag=True, help="Add 15 events of the last day.")


@click.command("create")
@config_option
@json_option
def make_tables(config_path: Path | None, as_json: bool) -> None:
    """Make the file and its tables where they are missing. Existing tables and rows stay."""
    with open_for_writing(config_path, any_version=True) as (config, store):
        made = store.create_tables()
        version = store.version
    if as_json:
        print_json({"database": str(config.database.path), "created": made, "version": version})
    else:
        outcome = "made the tables" if made else "the tables exist already"
        click.echo(f"{config.database.path}: {outcome}, schema version {version}")


@click.command("drop")
@yes_option
@config_option
def remove_tables(yes: bool, config_path: Path | None) -> None:
    """Remove all tables and everything in them (asks). Not while a daemon runs."""
    path = existing_database_path(config_path)
    with open_for_writing(config_path, alone=True, any_version=True) as (_, store):
        confirm(f"Remove every floor, event, adjustment and audit line from {path}?", yes)
        store.drop_tables()
    click.echo(f"{path}: all tables were removed")


@click.command("reinit")
@yes_option
@note_option
@config_option
def recreate_tables(yes: bool, note: str, config_path: Path | None) -> None:
    """Remove all tables and make empty ones (asks). Not while a daemon runs."""
    path = existing_database_path(config_path)
    with open_for_writing(config_path, alone=True, any_version=True) as (_, store):
        confirm(f"Remove every floor, event, adjustment and audit line from {path} and make empty tables?", yes)
        _recreate(store, note)
    click.echo(f"{path}: empty tables of schema version {SCHEMA_VERSION}")


@click.command("seed")
@_sample_option
@note_option
@config_option
@json_option
def seed_floors(sample: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Make four floors to try commands with. Floors and events that exist stay; a second time changes nothing."""
    with open_for_writing(config_path, any_version=True) as (_, store):
        store.create_tables()
        if store.pending_migrations():
            raise RefusedError(f"{store.name}: has an older schema; use `smartpark db migrate` first")
        _print_seeded(store, store.seed(Attribution(note=note), sample=sample), as_json)


@click.command("reset")
@_sample_option
@yes_option
@note_option
@config_option
@json_option
def reset_database(sample: bool, yes: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Remove everything and make the four floors of `seed` (asks). Not while a daemon runs."""
    path = existing_database_path(config_path)
    with open_for_writing(config_path, alone=True, any_version=True) as (_, store):
        confirm(f"Remove every floor, event, adjustment and audit line from {path} and make the seeded floors?", yes)
        _recreate(store, note)
        _print_seeded(store, store.seed(Attribution(note=note), sample=sample), as_json)


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Try it in a transaction that is rolled back.")
@note_option
@config_option
@json_option
def migrate_database(dry_run: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Upgrade an older database to this program's schema. Not while a daemon runs.

    The database is copied first. The daemon upgrades it by itself at its start.
    """
    path = existing_database_path(config_path)
    with open_for_writing(config_path, alone=True, any_version=True) as (_, store):
        version_before = store.version
        if not version_before:
            raise RefusedError(f"{path}: has no tables yet; use `smartpark db create`")
        steps = [f"{step.version}: {step.name}" for step in store.pending_migrations()]
        done = store.migrate(dry_run=dry_run)
        if done.applied and not dry_run:
            after = {"version": SCHEMA_VERSION, "copy": str(done.copy)}
            store.audit.write(Attribution(note=note), "migrate", "database", {"version": version_before}, after)
    if as_json:
        copy = str(done.copy) if done.copy else None
        print_json({"from": version_before, "to": SCHEMA_VERSION, "steps": steps, "dry_run": dry_run, "copy": copy})
        return
    if not steps:
        click.echo(f"{path}: has schema version {version_before} already")
    for step in steps:
        click.echo(f"{'would apply' if dry_run else 'applied'} {step}")
    if done.copy:
        click.echo(f"copy from before the upgrade: {done.copy}")


def _recreate(store: Store, note: str) -> None:
    with store.transaction():
        store.drop_tables()
        store.create_tables()
        store.audit.write(Attribution(note=note), "begin anew", "database")


def _print_seeded(store: Store, seeded: Seeded, as_json: bool) -> None:
    floors = store.floors.all(deleted=True)
    if as_json:
        fields = [stored_floor_fields(floor) for floor in floors]
        print_json({"floors_added": seeded.floors, "events_added": seeded.events, "floors": fields})
        return
    added = ", ".join(repr(name) for name in seeded.floors) or "none"
    click.echo(f"floors added: {added}; events added: {seeded.events}")
    print_floors(floors)

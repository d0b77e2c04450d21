"""This module is ``smartpark db create|drop|reinit|seed|reset|migrate``, which make, remove and upgrade tables."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # click reads it
from typing import TYPE_CHECKING

import click

from edge.cli.shared.options import config_option, confirm, json_option, note_option, print_json, yes_option
from edge.cli.shared.rows import print_floors, stored_floor_fields
from edge.cli.shared.store_access import existing_database_path, open_for_writing, user_action
from edge.core.errors import RefusedError
from edge.store.counts.audit import Audit
from edge.store.counts.floors import Floors
from edge.store.schema.migrations import migrate, pending
from edge.store.schema.versions import SCHEMA_VERSION, create_schema, drop_schema, has_schema, schema_version
from edge.store.sql.query import write_transaction
from edge.store.upkeep.seed import seed

if TYPE_CHECKING:
    from peewee import SqliteDatabase

    from edge.store.upkeep.seed import Seeded

_sample_option = click.option("--sample", is_flag=True, help="Add 15 events of the last day.")


@click.command("create")
@config_option
@json_option
def create_tables(config_path: Path | None, as_json: bool) -> None:
    """Make the file and its tables where they are missing. Existing tables and rows stay."""
    with open_for_writing(config_path, any_version=True) as (config, database):
        made = create_schema(database)
        version = schema_version(database)
    if as_json:
        print_json({"database": str(config.database.path), "created": made, "version": version})
    else:
        outcome = "made the tables" if made else "the tables exist already"
        click.echo(f"{config.database.path}: {outcome}, schema version {version}")


@click.command("drop")
@yes_option
@config_option
def drop_tables(yes: bool, config_path: Path | None) -> None:
    """Remove all tables and everything in them (asks). Not while a daemon runs."""
    path = existing_database_path(config_path)
    with open_for_writing(config_path, alone=True, any_version=True) as (_, database):
        confirm(f"Remove every floor, event, adjustment and audit line from {path}?", yes)
        drop_schema(database)
    click.echo(f"{path}: all tables were removed")


@click.command("reinit")
@yes_option
@note_option
@config_option
def recreate_tables(yes: bool, note: str, config_path: Path | None) -> None:
    """Remove all tables and make empty ones (asks). Not while a daemon runs."""
    path = existing_database_path(config_path)
    with open_for_writing(config_path, alone=True, any_version=True) as (_, database):
        confirm(f"Remove every floor, event, adjustment and audit line from {path} and make empty tables?", yes)
        _recreate(database, note)
    click.echo(f"{path}: empty tables of schema version {SCHEMA_VERSION}")


@click.command("seed")
@_sample_option
@note_option
@config_option
@json_option
def seed_floors(sample: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Make four floors to try commands with. Floors and events that exist stay; a second time changes nothing."""
    with open_for_writing(config_path, any_version=True) as (_, database):
        create_schema(database)
        _refuse_older_schema(database)
        _print_seeded(database, seed(database, user_action(note), sample=sample), as_json)


@click.command("reset")
@_sample_option
@yes_option
@note_option
@config_option
@json_option
def reset_database(sample: bool, yes: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Remove everything and make the four floors of `seed` (asks). Not while a daemon runs."""
    path = existing_database_path(config_path)
    with open_for_writing(config_path, alone=True, any_version=True) as (_, database):
        confirm(f"Remove every floor, event, adjustment and audit line from {path} and make the seeded floors?", yes)
        _recreate(database, note)
        _print_seeded(database, seed(database, user_action(note), sample=sample), as_json)


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
    with open_for_writing(config_path, alone=True, any_version=True) as (_, database):
        if not has_schema(database, path):
            raise RefusedError(f"{path}: has no tables yet; use `smartpark db create`")
        version_before = schema_version(database)
        steps = [f"{step.version}: {step.name}" for step in pending(database)]
        done = migrate(database, dry_run=dry_run)
        if done.applied and not dry_run:
            after = {"version": SCHEMA_VERSION, "copy": str(done.copy)}
            Audit(database).write(user_action(note), "migrate", "database", {"version": version_before}, after)
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


def _recreate(database: SqliteDatabase, note: str) -> None:
    with write_transaction(database):
        drop_schema(database)
        create_schema(database)
        Audit(database).write(user_action(note), "begin anew", "database")


def _refuse_older_schema(database: SqliteDatabase) -> None:
    if pending(database):
        raise RefusedError(f"{database.database}: has an older schema; use `smartpark db migrate` first")


def _print_seeded(database: SqliteDatabase, seeded: Seeded, as_json: bool) -> None:
    floors = Floors(database).stored()
    if as_json:
        fields = [stored_floor_fields(floor) for floor in floors]
        print_json({"floors_added": seeded.floors, "events_added": seeded.events, "floors": fields})
        return
    added = ", ".join(repr(name) for name in seeded.floors) or "none"
    click.echo(f"floors added: {added}; events added: {seeded.events}")
    print_floors(floors)

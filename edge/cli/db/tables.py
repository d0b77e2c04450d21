"""``smartpark db create|drop|reinit|seed|reset|migrate``: what makes, removes and upgrades tables."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # click reads it
from typing import TYPE_CHECKING

import click

from edge.cli.shared.options import ask, config_option, json_option, note_option, print_json, yes_option
from edge.cli.shared.rows import show_floors, stored_fields
from edge.cli.shared.store_access import act, existing, writing
from edge.core.errors import RefusedError
from edge.store.counts.audit import Audit
from edge.store.counts.floors import Floors
from edge.store.schema.migrations import migrate as bring_up_to_date
from edge.store.schema.migrations import pending
from edge.store.schema.versions import SCHEMA_VERSION, create_schema, drop_schema, has_schema, schema_version
from edge.store.sql.query import write_transaction
from edge.store.upkeep.seed import seed as seed_database

if TYPE_CHECKING:
    from peewee import SqliteDatabase

    from edge.store.upkeep.seed import Seeded

sample_option = click.option("--sample", is_flag=True, help="With 15 events of the last day.")


@click.command()
@config_option
@json_option
def create(config_path: Path | None, as_json: bool) -> None:
    """Make the file and its tables where they are missing. What is there stays."""
    with writing(config_path, any_version=True) as (config, database):
        made = create_schema(database)
        version = schema_version(database)
    if as_json:
        print_json({"database": str(config.database.path), "created": made, "version": version})
    else:
        told = "made the tables" if made else "the tables were there already"
        click.echo(f"{config.database.path}: {told}, schema version {version}")


@click.command()
@yes_option
@config_option
def drop(yes: bool, config_path: Path | None) -> None:
    """Remove all tables and everything in them (asks). Not while a daemon runs."""
    path = existing(config_path)
    with writing(config_path, alone=True, any_version=True) as (_, database):
        ask(f"Remove every floor, event, adjustment and audit line from {path}?", yes)
        drop_schema(database)
    click.echo(f"{path}: all tables are gone")


@click.command()
@yes_option
@note_option
@config_option
def reinit(yes: bool, note: str, config_path: Path | None) -> None:
    """Remove all tables and make them anew, empty (asks). Not while a daemon runs."""
    path = existing(config_path)
    with writing(config_path, alone=True, any_version=True) as (_, database):
        ask(f"Remove every floor, event, adjustment and audit line from {path} and begin anew?", yes)
        _anew(database, note)
    click.echo(f"{path}: empty tables of schema version {SCHEMA_VERSION}")


@click.command()
@sample_option
@note_option
@config_option
@json_option
def seed(sample: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Make four floors to try things with. Twice is the same as once; what is there stays."""
    with writing(config_path, any_version=True) as (_, database):
        create_schema(database)
        _current(database)
        _summary(database, seed_database(database, act(note), sample=sample), as_json)


@click.command()
@sample_option
@yes_option
@note_option
@config_option
@json_option
def reset(sample: bool, yes: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Remove everything and make the four floors anew (asks). Not while a daemon runs."""
    path = existing(config_path)
    with writing(config_path, alone=True, any_version=True) as (_, database):
        ask(f"Remove every floor, event, adjustment and audit line from {path} and begin with seeded floors?", yes)
        _anew(database, note)
        _summary(database, seed_database(database, act(note), sample=sample), as_json)


@click.command()
@click.option("--dry-run", is_flag=True, help="Try it in a transaction that is taken back.")
@note_option
@config_option
@json_option
def migrate(dry_run: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Bring an older database to this program's schema, with a copy of it first. Not while a daemon runs.

    The daemon does so by itself at its start.
    """
    path = existing(config_path)
    with writing(config_path, alone=True, any_version=True) as (_, database):
        if not has_schema(database, path):
            raise RefusedError(f"{path}: has no tables yet; use `smartpark db create`")
        before = schema_version(database)
        steps = [f"{step.version}: {step.name}" for step in pending(database)]
        done = bring_up_to_date(database, dry_run=dry_run)
        if done.applied and not dry_run:
            doing = act(note)
            Audit(database).write(
                doing, "migrate", "database", {"version": before}, {"version": SCHEMA_VERSION, "copy": str(done.copy)}
            )
    if as_json:
        copy = str(done.copy) if done.copy else None
        print_json({"from": before, "to": SCHEMA_VERSION, "steps": steps, "dry_run": dry_run, "copy": copy})
        return
    if not steps:
        click.echo(f"{path}: has schema version {before} already")
    for step in steps:
        click.echo(f"{'would apply' if dry_run else 'applied'} {step}")
    if done.copy:
        click.echo(f"as it was before: {done.copy}")


def _anew(database: SqliteDatabase, note: str) -> None:
    with write_transaction(database):
        drop_schema(database)
        create_schema(database)
        Audit(database).write(act(note), "begin anew", "database")


def _current(database: SqliteDatabase) -> None:
    if pending(database):
        raise RefusedError(f"{database.database}: has an older schema; use `smartpark db migrate` first")


def _summary(database: SqliteDatabase, done: Seeded, as_json: bool) -> None:
    floors = Floors(database).stored()
    if as_json:
        fields = [stored_fields(floor) for floor in floors]
        print_json({"floors_added": done.floors, "events_added": done.events, "floors": fields})
        return
    added = ", ".join(repr(name) for name in done.floors) or "none"
    click.echo(f"floors added: {added}; events added: {done.events}")
    show_floors(floors)

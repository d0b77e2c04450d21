"""This module is ``smartpark db``, which checks, describes and queries the database and shows its audit log."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path  # noqa: TC003  # click reads it
from typing import TYPE_CHECKING, Any

import click

from edge.cli.db.backup import back_up_database, list_backups, restore_database
from edge.cli.db.tables import (
    make_tables,
    migrate_database,
    recreate_tables,
    remove_tables,
    reset_database,
    seed_floors,
)
from edge.cli.shared.options import config_option, json_option, note_option, print_json, print_table
from edge.cli.shared.rows import iso
from edge.cli.shared.store_access import existing_database_path, open_for_reading, open_for_writing
from edge.store import SCHEMA_VERSION, Attribution

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.store import SqlRow


@click.group("db")
def database_group() -> None:
    """Check, query, back up, restore and upgrade the database."""


for command in (
    *(make_tables, remove_tables, recreate_tables, seed_floors, reset_database, migrate_database),
    *(back_up_database, list_backups, restore_database),
):
    database_group.add_command(command)


@database_group.command("check")
@config_option
@json_option
def check_tables(config_path: Path | None, as_json: bool) -> None:
    """Check that all tables exist. Exit code 1 if not."""
    with open_for_reading(config_path) as (config, store):
        tables, views = store.tables(), store.views()
    if as_json:
        print_json({"version": SCHEMA_VERSION, "tables": tables, "views": views})
        return
    click.echo(f"{config.database.path}: schema version {SCHEMA_VERSION}, all {len(tables)} tables exist")
    for name in tables:
        click.echo(f"  {name}")
    click.echo(f"  views: {', '.join(views)}")


@database_group.command("describe")
@config_option
@json_option
def show_tables(config_path: Path | None, as_json: bool) -> None:
    """Show every table's columns, indexes and checks."""
    with open_for_reading(config_path) as (_, store):
        tables = store.describe_tables()
    if as_json:
        print_json(
            {
                table.name: {
                    "columns": [
                        {"name": name, "type": sql_type, "null": null, "default": default}
                        for name, sql_type, null, default in table.columns
                    ],
                    "indexes": [
                        {"name": name, "unique": unique, "columns": columns} for name, unique, columns in table.indexes
                    ],
                    "checks": table.checks,
                }
                for table in tables
            }
        )
        return
    for table in tables:
        click.echo(table.name)
        for name, sql_type, null, default in table.columns:
            suffix = f"{' null' if null else ''}{f' default {default}' if default is not None else ''}"
            click.echo(f"  {name:18}{sql_type}{suffix}")
        for name, unique, columns in table.indexes:
            click.echo(f"  {'unique' if unique else 'index':18}{name} ({', '.join(columns)})")
        for rule in table.checks:
            click.echo(f"  {'check':18}{rule}")
        click.echo()


@database_group.command("stats")
@config_option
@json_option
def show_file_statistics(config_path: Path | None, as_json: bool) -> None:
    """Show rows, sizes, pages and the write-ahead log. It counts every row."""
    with open_for_reading(config_path) as (_, store):
        found = store.file_statistics()
    if as_json:
        tables = {name: {"rows": rows, "bytes": size} for name, (rows, size) in found.tables.items()}
        print_json({**asdict(found), "tables": tables})
        return
    click.echo(f"file      {found.path}, schema version {found.version}, journal {found.journal_mode}")
    click.echo(f"size      {found.file_bytes:,} bytes, {found.page_count:,} pages of {found.page_size}")
    click.echo(f"free      {found.free_pages:,} pages")
    click.echo(f"wal       {found.wal_bytes:,} bytes")
    click.echo()
    rows = [(name, f"{count:,}", "-" if size is None else f"{size:,}") for name, (count, size) in found.tables.items()]
    print_table(["table", "rows", "bytes"], rows, right=["rows", "bytes"])


@database_group.command("query")
@click.argument("sql")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@config_option
@json_option
def query_database(sql: str, form: str, config_path: Path | None, as_json: bool) -> None:
    """Run one SQL statement on a connection that cannot write.

    Example: smartpark db query "SELECT * FROM v_floors"
    """
    with open_for_reading(config_path) as (_, store):
        names, rows = store.query(sql)
        if as_json or form == "json":
            print_json([{name: _json_value(value) for name, value in zip(names, row, strict=True)} for row in rows])
        elif form == "csv":
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(names)
            writer.writerows([_json_value(value) for value in row] for row in rows)
        elif names:
            print_table(names, _text_cells(rows))


@database_group.command("verify")
@click.option("--repair", "repairing", is_flag=True, help="Correct the ledger to the counts, by audited adjustments.")
@note_option
@config_option
@json_option
def verify_database(repairing: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Recompute every count from the ledger and check the file. It reads every event, the keys and the outbox.

    Exit code 1 if anything disagrees (with --repair: if anything still disagrees).
    """
    repaired: list[str] = []
    if repairing:
        existing_database_path(config_path)
        with open_for_writing(config_path) as (_, store):
            repaired = store.repair_ledger(Attribution(note=note))
    with open_for_reading(config_path) as (_, store):
        problems = store.verify()
    if as_json:
        print_json({"problems": problems, "repaired": repaired})
    else:
        for line in (*(f"repaired: {text}" for text in repaired), *problems):
            click.echo(line)
        if not problems:
            click.echo("The database is sound: every count equals its ledger.")
    if problems:
        sys.exit(1)


@database_group.command("audit")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many at most.")
@config_option
@json_option
def show_audit_log(limit: int, config_path: Path | None, as_json: bool) -> None:
    """Show who changed what and when, the newest first. With the values before and after."""
    with open_for_reading(config_path) as (_, store):
        lines = store.audit.newest(limit)
    if as_json:
        print_json([{**asdict(line), "at": iso(line.at)} for line in lines])
        return
    print_table(
        ["time", "who", "what", "of", "before", "after", "note"],
        [
            [
                *(iso(line.at), line.actor, line.action, line.subject),
                *(_one_line_json(line.before), _one_line_json(line.after), _one_line(line.note)),
            ]
            for line in lines
        ],
    )


def _one_line_json(values: dict[str, object] | None) -> str:
    return "" if values is None else _one_line(json.dumps(values, ensure_ascii=False))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _json_value(value: Any) -> Any:
    """The value, with bytes as hexadecimal text."""
    return value.hex() if isinstance(value, bytes) else value


def _text_cells(rows: Iterable[SqlRow]) -> list[list[str]]:
    return [["" if value is None else str(_json_value(value)) for value in row] for row in rows]

"""``smartpark db``: the file, its tables, and what people did to them."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path  # noqa: TC003  # click reads it
from typing import TYPE_CHECKING, Any

import click

from edge.cli.db.backup import backup, backups, restore
from edge.cli.db.tables import create, drop, migrate, reinit, reset, seed
from edge.cli.shared.options import config_option, json_option, note_option, print_json, print_table
from edge.cli.shared.rows import iso
from edge.cli.shared.store_access import act, existing, reading, writing
from edge.store.counts.audit import Audit
from edge.store.reports.file_description import describe, file_statistics, objects
from edge.store.reports.query import run_query
from edge.store.schema.versions import SCHEMA_VERSION
from edge.store.upkeep.repair import repair
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.store.sql.query import Row


@click.group()
def db() -> None:
    """Look after the database: check, describe, query, verify, back up, restore, migrate, seed."""


for command in (create, drop, reinit, seed, reset, migrate, backup, backups, restore):
    db.add_command(command)


@db.command()
@config_option
@json_option
def check(config_path: Path | None, as_json: bool) -> None:
    """Check that all tables are there. Exit code 1 if not."""
    with reading(config_path) as (config, database):
        tables, views = objects(database)
    if as_json:
        print_json({"version": SCHEMA_VERSION, "tables": tables, "views": views})
        return
    click.echo(f"{config.database.path}: schema version {SCHEMA_VERSION}, all {len(tables)} tables are there")
    for name in tables:
        click.echo(f"  {name}")
    click.echo(f"  views: {', '.join(views)}")


@db.command("describe")
@config_option
@json_option
def describe_tables(config_path: Path | None, as_json: bool) -> None:
    """Show every table's columns, indexes and checks."""
    with reading(config_path) as (_, database):
        tables = describe(database)
    if as_json:
        print_json(
            {
                table.name: {
                    "columns": [
                        {"name": name, "type": kind, "null": null, "default": default}
                        for name, kind, null, default in table.columns
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
        for name, kind, null, default in table.columns:
            extra = f"{' null' if null else ''}{f' default {default}' if default is not None else ''}"
            click.echo(f"  {name:18}{kind}{extra}")
        for name, unique, columns in table.indexes:
            click.echo(f"  {'unique' if unique else 'index':18}{name} ({', '.join(columns)})")
        for rule in table.checks:
            click.echo(f"  {'check':18}{rule}")
        click.echo()


@db.command()
@config_option
@json_option
def stats(config_path: Path | None, as_json: bool) -> None:
    """Show rows, sizes, pages and the write-ahead log. Counts every row."""
    with reading(config_path) as (_, database):
        found = file_statistics(database)
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


@db.command()
@click.argument("sql")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@config_option
@json_option
def query(sql: str, form: str, config_path: Path | None, as_json: bool) -> None:
    """Run one SQL statement on a connection that cannot write.

    Example: smartpark db query "SELECT * FROM v_floors"
    """
    with reading(config_path) as (_, database):
        names, rows = run_query(database, sql)
        if as_json or form == "json":
            print_json([{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in rows])
        elif form == "csv":
            table = csv.writer(sys.stdout, lineterminator="\n")
            table.writerow(names)
            table.writerows([_plain(value) for value in row] for row in rows)
        elif names:
            print_table(names, _shown(rows))


@db.command("verify")
@click.option("--repair", "mend", is_flag=True, help="Make the ledger agree with the counts, by audited adjustments.")
@note_option
@config_option
@json_option
def verify_database(mend: bool, note: str, config_path: Path | None, as_json: bool) -> None:
    """Recompute every count from the ledger, examine the file, the keys and the outbox. Reads every event.

    Exit code 1 if anything disagrees (with --repair: still disagrees).
    """
    repaired: list[str] = []
    if mend:
        existing(config_path)
        with writing(config_path) as (_, database):
            repaired = repair(database, act(note))
    with reading(config_path) as (_, database):
        problems = verify(database)
    if as_json:
        print_json({"problems": problems, "repaired": repaired})
    else:
        for line in (*(f"repaired: {text}" for text in repaired), *problems):
            click.echo(line)
        if not problems:
            click.echo("The database agrees with itself.")
    if problems:
        sys.exit(1)


@db.command()
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@config_option
@json_option
def audit(limit: int, config_path: Path | None, as_json: bool) -> None:
    """Show who changed what, when, before and after; the newest first."""
    with reading(config_path) as (_, database):
        lines = Audit(database).newest(limit)
    if as_json:
        print_json([{**asdict(line), "at": iso(line.at)} for line in lines])
        return
    print_table(
        ["time", "who", "what", "of", "before", "after", "note"],
        [
            [iso(e.at), e.actor, e.action, e.subject, _short(e.before), _short(e.after), _one_line(e.note)]
            for e in lines
        ],
    )


def _short(values: dict[str, object] | None) -> str:
    return "" if values is None else _one_line(json.dumps(values, ensure_ascii=False))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _shown(rows: Iterable[Row]) -> list[list[str]]:
    return [["" if value is None else str(_plain(value)) for value in row] for row in rows]

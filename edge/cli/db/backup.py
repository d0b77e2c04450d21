"""This module is ``smartpark db backup|backups|restore``, which copy the database and put a copy in its place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from edge.cli.shared.options import config_option, json_option, note_option, print_json, print_table
from edge.cli.shared.rows import iso
from edge.cli.shared.store_access import exclusive_use, open_for_reading
from edge.config.load import find_config, load_config
from edge.store import Attribution, Backup, Backups, open_store, restore_backup


@click.command("backup")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False, metavar="[DIR]")
@click.option("--keep-days", type=click.IntRange(1, 36_500), help="Remove older backups; default: [backup] keep_days.")
@click.option("--keep-files", type=click.IntRange(1, 10_000), help="How many to keep; default: [backup] keep_files.")
@config_option
@json_option
def back_up_database(
    folder: Path | None, keep_days: int | None, keep_files: int | None, config_path: Path | None, as_json: bool
) -> None:
    """Copy the database into DIR while the daemon writes. The copy is verified, and the oldest copies are removed.

    DIR is [backup] folder of the configuration unless named. The newest backup is never removed.
    """
    with open_for_reading(config_path) as (config, store):
        backups = Backups(folder or config.backup_folder, config.database.path)
        now = datetime.now(UTC)
        made = store.back_up(backups, now)
        removed = backups.prune(now, keep_days or config.backup.keep_days, keep_files or config.backup.keep_files)
    for line in made.problems:
        click.echo(f"note: a fault of the database is in its copy too: {line}; see `smartpark db verify`", err=True)
    if as_json:
        paths = [str(backup.path) for backup in removed]
        print_json({**_backup_fields(made.backup), "disagreements": made.problems, "removed": paths})
        return
    click.echo(f"{made.backup.path}: {made.backup.size:,} bytes, verified")
    for backup in removed:
        click.echo(f"removed {backup.path}")


@click.command("backups")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False, metavar="[DIR]")
@config_option
@json_option
def list_backups(folder: Path | None, config_path: Path | None, as_json: bool) -> None:
    """List the backups in DIR, the newest first."""
    config = load_config(find_config(config_path))
    found = Backups(folder or config.backup_folder, config.database.path).newest_first()
    if as_json:
        print_json([_backup_fields(backup) for backup in found])
    else:
        print_table(
            ["made at", "bytes", "file"],
            [[iso(backup.made_at), f"{backup.size:,}", backup.path] for backup in found],
            right=["bytes"],
        )


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@note_option
@config_option
@json_option
def restore_database(file: Path, note: str, config_path: Path | None, as_json: bool) -> None:
    """Put the backup FILE in the place of the database. Not while a daemon runs. FILE is verified first.

    The database that was there is kept beside it as <database>.replaced-<time>.
    """
    config = load_config(find_config(config_path))
    path = config.database.path.absolute()
    busy_timeout = config.database.busy_timeout_seconds
    with exclusive_use(path):
        restored = restore_backup(path, file, Attribution(note=note), busy_timeout=busy_timeout)
        with open_store(path, read_only=True, busy_timeout=busy_timeout) as store:
            version = store.version
            first, last = store.events.oldest(1), store.events.newest(1)
    kept = restored.kept_as
    if as_json:
        print_json(
            {
                "database": str(path),
                "restored": str(restored.source),
                "kept_as": str(kept) if kept else None,
                "from_version": restored.backup_version,
                "version": version,
                "first_event": iso(first[0].timestamp) if first else None,
                "last_event": iso(last[0].timestamp) if last else None,
            }
        )
        return
    click.echo(f"{path}: restored from {file}, schema version {version}")
    if first and last:
        click.echo(f"events from {iso(first[0].timestamp)} to {iso(last[0].timestamp)}")
    if kept:
        click.echo(f"the earlier database was kept as {kept}")
    click.echo("The counts are those of the backup. Count the floors, and use `smartpark floors correct`.")


def _backup_fields(backup: Backup) -> dict[str, object]:
    return {"file": str(backup.path), "made_at": iso(backup.made_at), "bytes": backup.size}

"""This module opens the configured database for the commands, and names the user who runs them."""

from __future__ import annotations

import os
import pwd
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.config.load import find_config, load_config
from edge.core.errors import RefusedError
from edge.host.instance_lock import InstanceLock
from edge.store.counts.audit import Act
from edge.store.schema.connect import open_database
from edge.store.schema.versions import has_schema, require_current
from edge.store.sql.errors import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from peewee import SqliteDatabase

    from edge.config.schema import Config


@contextmanager
def open_for_reading(config_path: Path | None) -> Iterator[tuple[Config, SqliteDatabase]]:
    """Give the configuration and a connection that cannot write."""
    config = load_config(find_config(config_path))
    path = config.database.path
    database = open_database(path, busy_timeout=config.database.busy_timeout_seconds, read_only=True)
    try:
        with told(path):
            yield config, database
    finally:
        database.close()


@contextmanager
def open_for_writing(
    config_path: Path | None, *, alone: bool = False, any_version: bool = False
) -> Iterator[tuple[Config, SqliteDatabase]]:
    """Give the configuration and a connection that can write; a daemon may write in between.

    ``alone`` raises ``RefusedError`` while a daemon runs on the database, and keeps one from starting.
    ``any_version`` also takes an empty or older database.
    """
    config = load_config(find_config(config_path))
    path = config.database.path
    with exclusive_use(path) if alone else nullcontext():
        database = open_database(path, busy_timeout=config.database.busy_timeout_seconds)
        try:
            with told(path):
                if not any_version:
                    if not has_schema(database, path):
                        raise RefusedError(f"{path}: has no tables yet; use `smartpark db create`")
                    require_current(database, path)
                yield config, database
        finally:
            database.close()


@contextmanager
def exclusive_use(path: Path) -> Iterator[None]:
    """Hold the daemon's lock on the database. Raises ``RefusedError`` while a daemon has it."""
    lock = InstanceLock(path)
    if not lock.acquire():
        raise RefusedError(f"{path}: a daemon is using it; stop the daemon first (systemctl stop smartpark-edge)")
    try:
        yield
    finally:
        lock.release()


def existing_database_path(config_path: Path | None) -> Path:
    """The path of the database. Raises ``RefusedError`` if there is no file, so that a wrong path creates none."""
    path = load_config(find_config(config_path)).database.path
    if not path.exists():
        raise RefusedError(f"{path}: there is no database; use `smartpark db create`, or correct [database] path")
    return path


def user_name(environ: Mapping[str, str] = os.environ) -> str:
    """The name of the user: of the person behind sudo, else of the account."""
    if name := environ.get("SUDO_USER"):
        return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # an account without a name, as in a container
        return f"uid {os.getuid()}"


def user_action(note: str = "") -> Act:
    """An action of the user, now."""
    return Act(user_name(), datetime.now(UTC), note)

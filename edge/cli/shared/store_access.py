"""How the commands get at the database, and who is asking."""

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
def reading(config_path: Path | None) -> Iterator[tuple[Config, SqliteDatabase]]:
    """The configuration and a handle that cannot write."""
    config = load_config(find_config(config_path))
    path = config.database.path
    database = open_database(path, busy_timeout=config.database.busy_timeout_seconds, read_only=True)
    try:
        with told(path):
            yield config, database
    finally:
        database.close()


@contextmanager
def writing(
    config_path: Path | None, *, alone: bool = False, any_version: bool = False
) -> Iterator[tuple[Config, SqliteDatabase]]:
    """The configuration and a handle that writes, in short transactions beside a daemon.

    ``alone`` refuses while a daemon counts into the database, and keeps one from starting. ``any_version`` also takes
    an empty or older database.
    """
    config = load_config(find_config(config_path))
    path = config.database.path
    with only_one(path) if alone else nullcontext():
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
def only_one(path: Path) -> Iterator[None]:
    """No daemon counts into the database, and none begins to. RefusedError while one does."""
    lock = InstanceLock(path)
    if not lock.acquire():
        raise RefusedError(f"{path}: a daemon counts into it; stop that one first (systemctl stop smartpark-edge)")
    try:
        yield
    finally:
        lock.release()


def existing(config_path: Path | None) -> Path:
    """The path of the database; RefusedError if there is no file, so that a typing error makes none."""
    path = load_config(find_config(config_path)).database.path
    if not path.exists():
        raise RefusedError(f"{path}: there is no database; use `smartpark db create`, or correct [database] path")
    return path


def who(environ: Mapping[str, str] = os.environ) -> str:
    """Who types: behind sudo the person, else the account."""
    if name := environ.get("SUDO_USER"):
        return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # an account without a name, as in a container
        return f"uid {os.getuid()}"


def act(note: str = "") -> Act:
    """The person at the shell does something now."""
    return Act(who(), datetime.now(UTC), note)

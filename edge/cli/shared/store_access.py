"""This module opens the configured database for the commands."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from edge.config.load import find_config, load_config
from edge.core.errors import RefusedError
from edge.host.instance_lock import InstanceLock
from edge.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge.config.schema import Config
    from edge.store import Store


@contextmanager
def open_for_reading(config_path: Path | None) -> Iterator[tuple[Config, Store]]:
    """Give the configuration and a store that cannot write."""
    config = load_config(find_config(config_path))
    database = config.database
    with open_store(database.path, busy_timeout=database.busy_timeout_seconds, read_only=True) as store:
        yield config, store


@contextmanager
def open_for_writing(
    config_path: Path | None, *, alone: bool = False, any_version: bool = False
) -> Iterator[tuple[Config, Store]]:
    """Give the configuration and a store that can write; a daemon may write in between.

    ``alone`` raises ``RefusedError`` while a daemon runs on the database, and keeps one from starting.
    ``any_version`` also takes an empty or older database, and creates the file if it is missing.
    """
    config = load_config(find_config(config_path))
    path, timeout = config.database.path, config.database.busy_timeout_seconds
    with (
        exclusive_use(path) if alone else nullcontext(),
        open_store(path, create=any_version, any_version=any_version, busy_timeout=timeout) as store,
    ):
        yield config, store


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

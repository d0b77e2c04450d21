"""Tests of how the daemon opens its database, and of noticing the writes of other processes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from edge.config.schema import DatabaseConfig
from edge.core.errors import StoreError
from edge.daemon.database_access import DatabaseAccess, ExternalChanges
from edge.host.problem_list import ProblemList

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 5, 4, tzinfo=UTC)


@pytest.fixture
def access(tmp_path: Path) -> DatabaseAccess:
    """Access to a database that does not exist yet."""
    return DatabaseAccess(DatabaseConfig(path=tmp_path / "smartpark.db", busy_timeout_seconds=1.0))


def test_external_changes_are_noticed_once(access: DatabaseAccess, tmp_path: Path) -> None:
    """The first call, and each after a commit of another connection, returns True; a missing file is a problem."""
    problems = ProblemList(lambda: NOW)
    changes = ExternalChanges(access.open_to_read, problems)
    assert not changes.happened()
    assert "there is no database" in problems.current()[0].text
    with access.open_to_write() as store:
        store.create_tables()
    assert [changes.happened(), changes.happened()] == [True, False]
    assert problems.current() == ()
    with closing(sqlite3.connect(tmp_path / "smartpark.db")) as connection, connection:
        connection.execute("UPDATE floors SET name = name")
        connection.execute("CREATE TABLE note (text)")
    assert [changes.happened(), changes.happened()] == [True, False]
    changes.close()
    assert changes.happened()
    changes.close()


def test_a_connection_to_read_cannot_write(access: DatabaseAccess) -> None:
    """A statement that writes is a ``StoreError``."""
    with access.open_to_write() as store:
        store.create_tables()
    with access.open_to_read() as store, pytest.raises(StoreError, match=r"smartpark\.db: .* readonly database"):
        store.floors.create("Roof", 2)

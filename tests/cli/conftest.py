"""Fixtures that run the commands of ``smartpark`` in this process, on a database file of the test."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.command_line import run_in_process

from edge.store.counts.outbox import Outbox
from edge.store.schema.connect import open_database
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

CONFIG = """
[database]
path = "{path}"

[[floors]]
name = "Ground Floor"
total_slots = 50

[[cameras]]
id = "entrance"
source = "rtsp://10.0.0.5/stream"
"""


@dataclass
class Shell:
    """Runs commands in the folder of the database ``path``."""

    path: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, code: int = 0, answer: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command, answer its question, and check its exit code."""
        done = run_in_process(arguments, self.environ, self.path.parent, answer)
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with ``--json`` and parse what it prints."""
        return json.loads(self(*arguments, "--json", code=code).stdout)

    def floors(self) -> dict[str, Any]:
        """All floors by name, with the deleted ones."""
        return {floor["name"]: floor for floor in self.json("floors", "list", "--all")}

    def content(self) -> list[list[tuple[Any, ...]]]:
        """Every row of every table, which a refused command must not change."""
        with closing(open_database(self.path, busy_timeout=5.0, read_only=True)) as db:
            assert verify(db) == []
            return [db.execute_sql(f"SELECT * FROM {table}").fetchall() for table in sorted(db.get_tables())]

    def acknowledge_all(self) -> None:
        """Empty the outbox, as if the broker had acknowledged every event."""
        with closing(open_database(self.path, busy_timeout=5.0)) as db:
            Outbox(db).acknowledge(range(1, 1000))


def shell_in(folder: Path) -> Shell:
    """A shell with a configuration in the folder, and no database yet."""
    path = folder / "smartpark.db"
    (folder / "smartpark.toml").write_text(CONFIG.format(path=path))
    return Shell(path, {"SMARTPARK_CONFIG": str(folder / "smartpark.toml"), "SUDO_USER": "anna"})


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell with a configuration, and no database yet."""
    return shell_in(tmp_path)


@pytest.fixture(scope="session")
def seeded_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of four floors and the sample events, to be copied."""
    shell = shell_in(tmp_path_factory.mktemp("seeded"))
    shell("db", "seed", "--sample")
    return shell.path


@pytest.fixture
def seeded(shell: Shell, seeded_database: Path) -> Shell:
    """A shell with a database of four floors and the sample events."""
    shutil.copyfile(seeded_database, shell.path)
    return shell


@pytest.fixture
def hours_ago() -> Callable[[float], str]:
    """A function that gives the time so many hours ago as text for an option."""
    return lambda hours: (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


@pytest.fixture(autouse=True)
def _refused_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that finds the lock of a daemon tries again without a pause."""
    monkeypatch.setattr("edge.host.instance_lock._TRY_SECONDS", 0.0)

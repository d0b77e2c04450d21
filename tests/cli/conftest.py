"""The commands of ``smartpark`` that work on the database, run in this process on a file of the test's own."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from edge.cli import cli
from edge.core.errors import SmartParkError
from edge.store.counts.outbox import Outbox
from edge.store.schema.connect import open_database
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
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
    """Runs commands; a refusal is told as the program tells it."""

    path: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, code: int = 0, answer: str | None = None) -> Result:
        """Runs one, answers its question, and checks the exit code."""
        done = CliRunner(env=self.environ).invoke(cli, list(arguments), input=answer, prog_name="smartpark")
        if isinstance(done.exception, SmartParkError):
            done.exit_code = 1
            done.stderr_bytes += f"error: {done.exception}\n".encode()
        elif done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, f"{done.exit_code}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str) -> Any:
        """Runs one with ``--json`` and reads what it prints."""
        return json.loads(self(*arguments, "--json").stdout)

    def floors(self) -> dict[str, Any]:
        """The floors by name, deleted ones too."""
        return {floor["name"]: floor for floor in self.json("floors", "list", "--all")}

    def content(self) -> list[list[tuple[Any, ...]]]:
        """Every row of every table; what a refused command leaves as it was."""
        with closing(open_database(self.path, busy_timeout=5.0, read_only=True)) as db:
            assert verify(db) == []
            return [db.execute_sql(f"SELECT * FROM {table}").fetchall() for table in sorted(db.get_tables())]

    def acknowledge_all(self) -> None:
        """The broker has got every event."""
        with closing(open_database(self.path, busy_timeout=5.0)) as db:
            Outbox(db).acknowledge(range(1, 1000))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell with a configuration, and no database yet."""
    path = tmp_path / "smartpark.db"
    (tmp_path / "smartpark.toml").write_text(CONFIG.format(path=path))
    return Shell(path, {"SMARTPARK_CONFIG": str(tmp_path / "smartpark.toml"), "SUDO_USER": "anna"})


@pytest.fixture
def seeded(shell: Shell) -> Shell:
    """With the four floors and the sample events."""
    shell("db", "seed", "--sample")
    return shell


@pytest.fixture
def hours_ago() -> Any:
    """``hours_ago(3)`` as the shell takes it."""
    return lambda hours: (datetime.now(UTC) - timedelta(hours=hours)).isoformat()

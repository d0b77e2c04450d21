"""Tests of the file that says until when a daemon ran."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from edge.host.alive_file import AliveFile, LastRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOMENT = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


def test_the_last_moment_is_read_after_an_end_in_order(tmp_path: Path) -> None:
    """It is written at the close, and the next run overwrites it in place."""
    database = tmp_path / "x.db"
    assert AliveFile(database).read() is None
    for run in range(2):
        file = AliveFile(database)
        file.start()
        for second in range(3):
            last = LastRun(MOMENT + timedelta(days=run, seconds=second), 10.0 + second, f"boot-{run}")
            file.update(last)
        file.close()
        assert AliveFile(database).read() == last
    assert (tmp_path / "x.db.alive").stat().st_size == 256


def test_the_moment_is_read_after_a_kill(tmp_path: Path, eventually: Callable[..., None]) -> None:
    """What was written before it, though nothing waited for the disk."""
    code = (
        "import pathlib, sys, time\n"
        "from datetime import UTC, datetime\n"
        "from edge.host.alive_file import AliveFile, LastRun\n"
        "file = AliveFile(pathlib.Path(sys.argv[1])); file.start(); n = 0\n"
        "while True:\n"
        "    n += 1; file.update(LastRun(datetime(2026, 5, 4, tzinfo=UTC), n, 'boot')); time.sleep(0.05)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "x.db")])
    eventually(lambda: (last := AliveFile(tmp_path / "x.db").read()) is not None and last.monotonic > 1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    last = AliveFile(tmp_path / "x.db").read()
    assert last is not None
    assert last.boot_id == "boot"


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 256, b"[]", b'{"at": "x"}', b'{"at": "2026-05-04", "monotonic": 1, "boot": 2}']
)
def test_a_damaged_file_is_no_moment(tmp_path: Path, content: bytes) -> None:
    """A power cut may leave anything."""
    (tmp_path / "x.db.alive").write_bytes(content)
    assert AliveFile(tmp_path / "x.db").read() is None


def test_a_folder_that_is_gone_is_no_error(tmp_path: Path) -> None:
    """The daemon runs without the file."""
    file = AliveFile(tmp_path / "gone" / "x.db")
    file.start()
    file.update(LastRun(MOMENT, 1.0, "boot"))
    file.close()
    file.close()
    assert file.read() is None

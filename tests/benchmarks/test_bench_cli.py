"""Tests that the bench of the commands measures their start, and an export beside SQLite's shell."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from benchmarks import bench_cli

if TYPE_CHECKING:
    from pathlib import Path


def test_the_start_of_each_command_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each has a row, whatever its exit code says of a database without a daemon."""
    bench_cli.measure_start(bench_cli.environment(tmp_path / "smartpark.db"), runs=1)
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row[:24].strip() for row in rows] == [name for name, _, _ in bench_cli.COMMANDS]


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3's shell is not installed")
def test_an_export_is_measured_beside_sqlite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has the CPU time of both, and their ratio."""
    bench_cli.measure_export(tmp_path / "export.db", 200)
    title, shell, ours, ratio = capsys.readouterr().out.split("\n")[1:5]
    assert title.startswith("export of 200 events")
    assert shell.startswith("sqlite3 -csv")
    assert ours.startswith("smartpark events export")
    assert ratio.startswith("ratio ")

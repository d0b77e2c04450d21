"""Tests that the bench of the commands measures an export beside SQLite's shell."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from benchmarks import bench_cli

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3's shell is not installed")
def test_an_export_is_measured_beside_sqlite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has the CPU time of both, and their ratio."""
    bench_cli.measure_export(tmp_path / "export.db", 200)
    title, shell, ours, ratio = capsys.readouterr().out.split("\n")[1:5]
    assert title.startswith("export of 200 events")
    assert shell.startswith("sqlite3 -csv")
    assert ours.startswith("smartpark events export")
    assert ratio.startswith("ratio ")

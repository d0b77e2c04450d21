"""Tests of the systemd units: systemd accepts them, and they agree with the program."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.command_line import run_in_process

from edge.cli import EXIT_CONFIG
from edge.config.bundled_files import bundled_file

if TYPE_CHECKING:
    from pathlib import Path


UNITS = ("smartpark-edge.service", "smartpark-backup.service", "smartpark-backup.timer")


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    """``systemd-analyze verify`` prints nothing when the program is where the unit expects it."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed on this machine")
    for name in UNITS:
        # The program is not installed here, and verify checks that the file can be run.
        text = bundled_file(name).read_text().replace("/opt/smartpark/bin/smartpark", sys.executable)
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_backup_unit_runs_a_command_that_exists(tmp_path: Path) -> None:
    """The service calls the program with arguments that it takes."""
    lines = bundled_file("smartpark-backup.service").read_text().splitlines()
    [start] = [line for line in lines if line.startswith("ExecStart=")]
    program, *arguments = start.removeprefix("ExecStart=").split()
    assert program == "/opt/smartpark/bin/smartpark"
    done = run_in_process([*arguments, "--help"], {}, tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: smartpark db backup")
    assert {"User=smartpark", "StateDirectory=smartpark", "ProtectSystem=strict"} <= set(lines)


def test_the_unit_agrees_with_the_program() -> None:
    """Its type, restart policy and exit code of a wrong configuration are those of the code."""
    lines = bundled_file("smartpark-edge.service").read_text().splitlines()
    wanted = {
        "Type=notify",
        "Restart=on-failure",
        f"RestartPreventExitStatus={EXIT_CONFIG}",
        "User=smartpark",
        "StateDirectory=smartpark",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
    }
    assert wanted <= set(lines)

"""The systemd unit, as systemd itself reads it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from edge.cli import EXIT_CONFIG
from edge.config.bundled_files import bundled_file

if TYPE_CHECKING:
    from pathlib import Path


UNITS = ("smartpark-edge.service", "smartpark-backup.service", "smartpark-backup.timer")


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    """``systemd-analyze verify`` is silent, the program standing where the installer puts it."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed on this machine")
    for name in UNITS:
        # The program is not installed here; verify looks whether the file is there and can be run.
        text = bundled_file(name).read_text().replace("/opt/smartpark/bin/smartpark", sys.executable)
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_backup_unit_runs_a_command_that_there_is() -> None:
    """The timer starts a service of its own name, which calls the program with arguments that it takes."""
    lines = bundled_file("smartpark-backup.service").read_text().splitlines()
    [start] = [line for line in lines if line.startswith("ExecStart=")]
    program, *arguments = start.removeprefix("ExecStart=").split()
    assert program == "/opt/smartpark/bin/smartpark"
    done = subprocess.run(
        [sys.executable, "-m", "edge", *arguments, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: smartpark db backup")
    assert {"User=smartpark", "StateDirectory=smartpark", "ProtectSystem=strict"} <= set(lines)


def test_the_unit_says_what_the_program_does() -> None:
    """Type, restart policy and the exit code of a wrong configuration fit the code."""
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

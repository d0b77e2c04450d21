"""The systemd unit, as systemd itself reads it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from edge.cli import EXIT_CONFIG
from edge.resources import resource

if TYPE_CHECKING:
    from pathlib import Path


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    """``systemd-analyze verify`` is silent, the program standing where the installer puts it."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed on this machine")
    unit = tmp_path / "smartpark-edge.service"
    # The program is not installed here; verify looks whether the file is there and can be run.
    unit.write_text(
        resource("smartpark-edge.service").read_text().replace("/opt/smartpark/bin/smartpark", sys.executable)
    )
    done = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_unit_says_what_the_program_does() -> None:
    """Type, restart policy and the exit code of a wrong configuration fit the code."""
    lines = resource("smartpark-edge.service").read_text().splitlines()
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

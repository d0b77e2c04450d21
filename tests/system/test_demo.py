"""The demo as a process: the board shows the truth, also after Ctrl-C."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Every frame is counted, so that the result does not depend on the machine's speed.
SIMULATED_TIME = ("--every-frame", "--fps", "5", "--traffic", "20")


@pytest.mark.timeout(600)
def test_the_board_shows_the_truth_at_the_end(counting: Any, tmp_path: Path) -> None:
    """Nothing missed, nothing extra, the board equal to the truth, all files in the one folder."""
    folder = tmp_path / "demo"
    done = counting(
        "demo", *SIMULATED_TIME, "--seconds", "12", "--dir", str(folder), "--image-size", "416", timeout=500
    )
    cameras = re.findall(
        r"camera +(\S+): (\d+) crossings truly made, (\d+) events counted, 0 missed, 0 extra", done.stdout
    )
    assert [name for name, _, _ in cameras] == ["entrance", "upper-ramp"]
    assert all(true == counted for _, true, counted in cameras)
    assert sum(int(true) for _, true, _ in cameras) > 2
    assert len(re.findall(r"floor .*: right", done.stdout)) == 2
    assert re.search(r"the board received [1-9]\d* messages", done.stdout)
    assert str(folder) in done.stdout
    assert (folder / "smartpark.db").exists()
    assert "Traceback" not in done.stderr
    again = counting("demo", "--dir", str(folder), code=1)
    assert "name another folder" in again.stderr


@pytest.mark.timeout(600)
def test_ctrl_c_lets_the_ramps_run_empty_and_still_compares(
    counting: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """The first Ctrl-C ends the traffic, not the comparison."""
    output = tmp_path / "output.txt"
    command = [sys.executable, "-m", "edge", "demo", *SIMULATED_TIME, "--seconds", "3600", "--image-size", "320"]
    with (
        output.open("w") as file,
        subprocess.Popen(
            [*command, "--dir", str(tmp_path / "demo")], env=counting.environment, stdout=file, stderr=file
        ) as demo,
    ):
        try:
            eventually(lambda: " entry " in output.read_text() or " exit " in output.read_text(), 250)
            demo.send_signal(signal.SIGINT)
            assert demo.wait(250) == 0, output.read_text()
        finally:
            demo.kill()
    text = output.read_text()
    assert "letting the ramps run empty" in text
    assert "the board shows the truth" in text

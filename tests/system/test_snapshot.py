"""Tests of snapshots of a running daemon, whose cameras are a simulation and a file that is played for ever."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from support.command_line import run_in_process
from support.shared_fixtures import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Program

CONFIG = """
[detector]
image_size = 320

[mqtt]
enabled = false

[[floors]]
name = "Ground Floor"
total_slots = 50

[[cameras]]
id = "ramp"
fps = 2
source = "sim:ramp?seed=3"
[[cameras.gates]]
id = "in"
line = [[0.5, 0.6], [0.5, 0.95]]
inside = [0.9, 0.8]
floor = "Ground Floor"

[[cameras]]
id = "played"
fps = 4
source = "{folder}/clip.mp4?loop=1&realtime=1"

[[cameras]]
id = "stick"
source = "{folder}/stick/clip.mp4?realtime=1"
"""


def write_blue_clip(path: Path) -> None:
    """Write a second of a blue picture in which something moves."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (320, 240))
    for number in range(10):
        image = np.full((240, 320, 3), (200, 60, 30), np.uint8)
        image[100:140, 20 * number : 20 * number + 40] = 255
        writer.write(image)
    writer.release()


def test_snapshots_of_a_running_daemon(counting: Program) -> None:
    """Pictures come from the daemon and go to a file or stdout; counting goes on, and a missing file hangs nothing."""
    write_blue_clip(counting.folder / "clip.mp4")
    counting.config(CONFIG.format(folder=counting.folder))
    with counting.started("run") as daemon:

        def taken() -> Any:
            done = run_in_process(["snapshot", "played", "-o", "played.png"], counting.environment, counting.folder)
            return "the daemon's picture" in done.stderr and done.returncode == 0

        eventually(taken, 120, "a picture of the file that is played", every=0.5)
        image = cv2.imread(str(counting.folder / "played.png"))
        assert image is not None
        assert np.median(image[..., 0]) > 150 > 100 > np.median(image[..., 2])
        piped = subprocess.run(
            [sys.executable, "-m", "edge", "snapshot", "ramp", "-o", "-"],
            cwd=counting.folder,
            env=counting.environment,
            capture_output=True,
            timeout=120,
            check=True,
        )
        assert cv2.imdecode(np.frombuffer(piped.stdout, np.uint8), cv2.IMREAD_COLOR) is not None
        missing = counting.here("snapshot", "stick", code=1)
        assert "stick/clip.mp4: there is no such file; check `source`, or mount the disk" in missing.stderr

        def processed() -> int:
            return sum(camera["frames"] for camera in counting.json("status")["cameras"] if camera["id"] == "played")

        eventually(lambda: processed() > 6, 120, "a second round: of the file's ten pictures four are used", every=0.5)
        assert counting.stop(daemon) == 0
    assert "Traceback" not in counting.log

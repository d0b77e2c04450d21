"""USB cameras: FFmpeg's V4L2 input against a device that answers as a driver does, for no real one is at hand."""

from __future__ import annotations

import shutil
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest

from edge.core.source import SourceState

SOURCE = Path(__file__).parents[2] / "support" / "v4l2_camera.c"


@pytest.fixture
def device(tmp_path, monkeypatch):
    """Plugs a USB camera in: its path."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not Path("/usr/include/linux/videodev2.h").exists():
        pytest.skip("no C compiler with the kernel's headers, to make a V4L2 device (apt-get install gcc libc6-dev)")
    library, path = tmp_path / "v4l2_camera.so", tmp_path / "video0"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)], check=True)
    path.touch()

    def plug_in(size="160x120", rate=50, pictures=1_000_000):
        for name, value in {"CAMERA": path, "SIZE": size, "RATE": rate, "PICTURES": pictures}.items():
            monkeypatch.setenv(f"V4L2_{name}", str(value))
        # Only the reader is to have it: it is in the environment of what is started from now on.
        monkeypatch.setenv("LD_PRELOAD", str(library))
        return str(path)

    return plug_in


def test_frames_come_from_a_device(device, frame_of, live):
    """They are the newest, with times that grow, and their colours are right."""
    source = live(device())
    first = frame_of(source)
    assert first.size == (160, 120)
    later = [frame_of(source) for _ in range(5)]
    for frame in later:
        number = frame.sequence
        # Grey in limited range: 16 is black, 235 white.
        assert int(frame.image[60, 80, 1]) == pytest.approx((number % 200) * 255 / 219, abs=2)
    assert all(earlier.monotonic < frame.monotonic for earlier, frame in pairwise([first, *later]))
    assert source.status.codec == "rawvideo"
    assert time.monotonic() - later[-1].monotonic < 60.0


def test_a_device_that_is_unplugged(device, frame_of, live, until):
    """Down with a reason, and up again when it is plugged in."""
    source = live(device(pictures=20))
    frame_of(source)
    until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
    until(lambda: "video0 is gone: is the camera still plugged in?" in source.status.problem, "the reason is given")
    device()
    until(lambda: source.read(1.0) and source.status.reconnects >= 1, "frames come again")

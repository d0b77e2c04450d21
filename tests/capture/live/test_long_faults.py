"""What takes minutes: a machine that is too slow for a 4K camera, and a network whose link goes down."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.network_namespace import ADDRESS
from support.rtsp_server import RtspServer, encoded

from edge.core.source import SourceState

pytestmark = pytest.mark.long

UHD = (3840, 2160)


def test_a_machine_that_is_too_slow_for_a_camera(frame_of, live, until):
    """Frames of 4K at a rate that no core decodes stay young, the status says what is skipped, and it ends."""
    server = RtspServer(fps=200.0, key_interval=100)
    server.size, server.count, server.grain = UHD, 100, 60
    encoded(UHD, server.key_interval, server.count, server.grain)
    server.start()
    try:
        source = live(server.url, max_lag_seconds=1.0)
        begun, ages, skipped, problems = time.monotonic(), [], set(), set()
        while time.monotonic() - begun < 60.0:
            frame = frame_of(source)
            ages.append(time.monotonic() - frame.monotonic)
            status = source.status
            skipped.add(status.skipped)
            problems.add("too slow for this stream" in status.problem)
        print(f"age: median {sorted(ages)[len(ages) // 2]:.2f} s, most {max(ages):.2f} s; {skipped}")
        assert skipped >= {"all but key frames"}
        assert True in problems
        assert max(ages) < 10.0
        assert sorted(ages)[len(ages) // 2] < 2.0
        server.fps = 5.0
        until(lambda: source.read(1.0) and not source.status.skipped, "all is decoded again", 600.0)
    finally:
        server.stop()


@pytest.mark.parametrize("seconds", [5.0, 40.0])
def test_a_network_whose_link_goes_down(namespace, frame_of, live, until, seconds):
    """Down after stale_seconds, and the first frame within 10 s of the link's return."""
    program = (
        "import sys; from support.rtsp_server import RtspServer\n"
        "server = RtspServer(fps=25, address='0.0.0.0'); server.start(); print(server.port, flush=True)\n"
        "sys.stdin.read()"
    )
    command = [*namespace.prefix, sys.executable, "-c", program]
    paths = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            source = live(f"rtsp://{ADDRESS}:{int(process.stdout.readline())}/live", stale_seconds=3.0)
            frame_of(source)
            namespace.set_link("down")
            until(lambda: source.status.state is SourceState.DOWN, "the camera is down")
            down = time.monotonic()
            until(lambda: time.monotonic() >= down + seconds, "the outage has its length")
            assert (source.status.state, source.status.problem != "") == (SourceState.DOWN, True)
            namespace.set_link("up")
            back = time.monotonic()
            until(lambda: (frame := source.read(1.0)) and frame.monotonic > back, "frames come again")
            print(f"first frame {time.monotonic() - back:.1f} s after the link's return")
        finally:
            process.kill()

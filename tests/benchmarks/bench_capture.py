"""Measures what a live camera costs: the hand-over of a frame to the daemon, and the process that reads the camera.

``make bench-capture``. A camera of the tests' own sends 1080p H.264 over RTSP from a process of its own; this process
takes frames as the daemon does. The hand-over is the CPU time of the thread that takes a frame and of the thread that
supervises the reader; the reader's is that of receiving and decoding every picture and converting those that were
taken. Memory is the proportional share (PSS), in which the memory of a frame counts half on either side.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from edge.capture.live.source import LiveSource
from edge.config.schema import CameraConfig

HAND_OVER_AIM = 1.0  # milliseconds a frame, in the daemon
PSS_AIM = 60.0  # megabytes of the reader
_FRAMES_READ = 20  # more than there are slots for pictures
_TICKS = os.sysconf("SC_CLK_TCK")
_SERVER = """
import sys, time
from support.rtsp_server import RtspServer, encoded
width, height, fps = map(int, sys.argv[1:])
server = RtspServer(fps=fps, key_interval=50)
server.size, server.count, server.grain = (width, height), 100, 24
encoded(server.size, server.key_interval, server.count, server.grain)
server.start()
print(server.url, flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a camera cost: milliseconds of CPU a frame or picture, milliseconds from picture to frame, megabytes."""

    frames: int
    hand_over: float
    reader: float
    median_age: float
    pss: float


def main() -> int:
    """Measure and print; 1 when an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=300, help="how many frames are taken (default: 300)")
    parser.add_argument("--size", default="1920x1080", help="size of the pictures (default: 1920x1080)")
    parser.add_argument("--fps", type=int, default=25, help="pictures a second (default: 25)")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    costs = measure((width, height), options.fps, options.frames)
    print(f"{costs.frames} frames of {width} x {height} at {options.fps} a second{'':12}{'aim':>8}")
    print(f"{'hand-over, CPU ms a frame in the daemon':44}{costs.hand_over:8.3f}{HAND_OVER_AIM:8.1f}")
    print(f"{'reader, CPU ms a picture':44}{costs.reader:8.2f}")
    print(f"{'from the arrival to the frame, median ms':44}{costs.median_age:8.2f}")
    print(f"{'reader, PSS in MB':44}{costs.pss:8.1f}{PSS_AIM:8.1f}")
    return int(costs.hand_over > HAND_OVER_AIM or costs.pss > PSS_AIM)


def measure(size: tuple[int, int], fps: int, frames: int) -> Costs:
    """Take so many frames from a camera that is started for it."""
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-c", _SERVER, *map(str, (*size, fps))]
    environment = {**os.environ, "PYTHONPATH": paths}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        source = LiveSource(CameraConfig(id="camera", source=server.stdout.readline().strip()))
        try:
            source.start()
            return _take(source, frames)
        finally:
            source.close()
            server.kill()


def _take(source: LiveSource, frames: int) -> Costs:
    """Take frames, and hold the frame before while the next is taken, as the daemon does."""
    frame = source.read(60.0)
    if frame is None:
        raise SystemExit(f"no frame within a minute: {source.status.problem}")
    supervisor = next(thread for thread in threading.enumerate() if thread.name == "capture-camera")
    reader = source.status.reader_pid
    assert reader is not None
    assert supervisor.native_id is not None
    begun = (time.thread_time(), _cpu(f"self/task/{supervisor.native_id}"), _cpu(str(reader)), source.status.decoded)
    ages = []
    for _ in range(frames):
        frame = source.read(60.0)
        if frame is None:
            raise SystemExit(f"no frame within a minute: {source.status.problem}")
        ages.append(time.monotonic() - frame.monotonic)
    own = time.thread_time() - begun[0] + _cpu(f"self/task/{supervisor.native_id}") - begun[1]
    decoded = max(source.status.decoded - begun[3], 1)
    reader_seconds = _cpu(str(reader)) - begun[2]
    # A page counts half on either side only once both have used it, and the daemon's detector reads every pixel.
    for _ in range(_FRAMES_READ):
        frame = source.read(60.0)
        if frame is not None:
            frame.image.max()
    return Costs(
        frames=frames,
        hand_over=1000 * own / frames,
        reader=1000 * reader_seconds / decoded,
        median_age=1000 * sorted(ages)[len(ages) // 2],
        pss=_pss(reader),
    )


def _cpu(task: str) -> float:
    """CPU seconds of a process or a thread, by its folder in /proc."""
    fields = Path(f"/proc/{task}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _pss(pid: int) -> float:
    """The proportional share of memory of a process, in megabytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    raise SystemExit("this kernel does not say how much memory a process has (smaps_rollup)")


if __name__ == "__main__":
    sys.exit(main())

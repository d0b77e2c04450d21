"""Measures how long an event takes from the camera to the commit, and each part of it (``make bench-latency``).

The camera sends 1080p H.264 of simulated traffic over RTSP, 10 pictures a second; the daemon is ``smartpark run``, with
the YOLO model at 320 pixels, so that a frame is detected before the next comes, and its database on the disk of the
folder for temporary files. It logs the parts of each event after its commit, and those lines are counted here.

The hold is from the crossing of the line to the capture of the frame in which it was decided, the total from that
capture to the commit. What is beyond inference is the total without detection and optical flow.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.live_daemon import Camera, live_daemon

from edge.store.writing.latency import percentiles

if TYPE_CHECKING:
    from collections.abc import Sequence

AIM = 30.0  # milliseconds beyond inference and the hold, 99th percentile
CAMERA = Camera(fps=10, seconds=40, vehicles_per_minute=30, image_size=320)
_LINE = re.compile(r" latency event=\S+ camera=\S+ ms (.*)")
_ROWS = (
    ("hold", "crossing to the capture of its frame"),
    ("queue", "capture to the begin of its processing"),
    ("detect", "detection and optical flow"),
    ("count", "tracking and counting"),
    ("commit", "submission to commit"),
    ("total", "capture to commit"),
    ("overhead", "capture to commit, beyond inference"),
)


def main() -> int:
    """Measure and print; 1 when the aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100, help="how many events are awaited (default: 100)")
    options = parser.parse_args()
    latencies = measure(options.events)
    print(f"{f'{len(latencies)} events, milliseconds':44}{'p50':>9}{'p99':>9}{'aim':>9}")
    for name, title in _ROWS:
        p50, p99 = percentiles([latency[name] / 1000 for latency in latencies])
        print(f"{title:44}{p50:9.1f}{p99:9.1f}{AIM if name == 'overhead' else '':>9}")
    return int(percentiles([latency["overhead"] / 1000 for latency in latencies]).p99 > AIM)


def measure(events: int, camera: Camera = CAMERA) -> list[dict[str, float]]:
    """The parts of the latency of so many events, in milliseconds."""
    with live_daemon(camera, 1, "--log-level", "debug") as daemon:
        while len(found := read_latencies(daemon.log.read_text(encoding="utf-8").splitlines())) < events:
            daemon.check()
            time.sleep(1.0)
    return found


def read_latencies(lines: Sequence[str]) -> list[dict[str, float]]:
    """The parts of the latency of each event in a daemon's log."""
    found = []
    for line in lines:
        if (match := _LINE.search(line)) is not None:
            parts = {name: float(value) for name, value in (part.split("=") for part in match[1].split())}
            found.append({**parts, "overhead": parts["total"] - parts["detect"]})
    return found


if __name__ == "__main__":
    sys.exit(main())

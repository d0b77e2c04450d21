"""Measures the memory of the daemon and its readers with live cameras (``make bench-memory``).

The cameras are RTSP servers of the tests' own, in a process of their own: each sends 1080p H.264, 20 pictures a second
of simulated traffic, of which the daemon takes 10. The daemon is ``smartpark run`` with the YOLO model at 640 pixels.
Memory is measured each second from the first event on; shown is the most.

PSS shares what several processes use among all of them, also with those that are not the daemon's: the servers here
use the same libraries. "alone" counts what only foreign processes share with them as theirs, as on a machine where
nothing else runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from benchmarks.live_daemon import Camera, live_daemon

AIMS = {1: 250.0, 4: 400.0}  # megabytes of all processes, by the number of cameras


class Memory(NamedTuple):
    """Megabytes of all processes of a daemon, ``alone`` and by PSS; the PSS of the daemon and of its largest reader."""

    alone: float
    pss: float
    daemon: float
    reader: float


def main() -> int:
    """Measure and print; 1 when an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 4], help="numbers of cameras (default: 1 4)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long memory is looked at (default: 30)")
    options = parser.parse_args()
    missed = 0
    print(f"{'MB':12}{'alone':>10}{'aim':>8}{'PSS':>10}{'daemon':>10}{'largest reader':>18}")
    for cameras in options.cameras:
        memory, aim = measure(cameras, options.seconds), AIMS.get(cameras)
        missed += aim is not None and memory.alone > aim
        title = f"{cameras} camera{'s' if cameras > 1 else ''}"
        shown = "" if aim is None else f"{aim:.0f}"
        print(
            f"{title:12}{memory.alone:10.0f}{shown:>8}{memory.pss:10.0f}{memory.daemon:10.0f}{memory.reader:18.0f}",
            flush=True,
        )
    return int(missed > 0)


def measure(cameras: int, seconds: float, camera: Camera | None = None) -> Memory:
    """The most memory that a daemon with so many cameras uses, in so many seconds after its first event."""
    found: list[Memory] = []
    with live_daemon(camera or Camera(), cameras) as daemon:
        until = time.monotonic() + seconds
        while time.monotonic() < until or not found:
            daemon.check()
            time.sleep(min(1.0, seconds))
            if (memory := read_memory(daemon.process.pid, cameras)) is not None:
                found.append(memory)
    return max(found)


def read_memory(daemon: int, cameras: int) -> Memory | None:
    """The memory of a daemon and of the readers of its cameras; None while a reader is missing or just ends."""
    readers = [process for process in children_of(daemon) if "edge.capture.reader" in command_of(process)]
    if len(readers) < cameras:
        return None
    try:
        maps = [mappings(process) for process in (daemon, *readers)]
    except (OSError, ProcessLookupError):
        return None
    shares = [sum(usage.pss for usage in found.values()) / 1000 for found in maps]
    alone = 0
    for name in set().union(*maps):
        usages = [found[name] for found in maps if name in found]
        # Of a file that several map, all have about the same pages; what has no name is shared with nobody.
        alone += sum(usage.private for usage in usages) + max(usage.rss - usage.private for usage in usages)
    return Memory(alone / 1000, sum(shares), shares[0], max(shares[1:]))


class Usage(NamedTuple):
    """What a process uses of a file, or of memory without one, in kilobytes."""

    rss: int = 0
    pss: int = 0
    private: int = 0


def mappings(process: int) -> dict[str, Usage]:
    """What a process uses, by the name of the file."""
    found: dict[str, Usage] = defaultdict(Usage)
    name = ""
    for line in Path(f"/proc/{process}/smaps").read_text(encoding="utf-8", errors="replace").splitlines():
        first, *rest = line.split()
        if not first.endswith(":"):
            name = " ".join(rest[4:])
        elif first == "Rss:":
            found[name] = found[name]._replace(rss=found[name].rss + int(rest[0]))
        elif first == "Pss:":
            found[name] = found[name]._replace(pss=found[name].pss + int(rest[0]))
        elif first in ("Private_Clean:", "Private_Dirty:"):
            found[name] = found[name]._replace(private=found[name].private + int(rest[0]))
    return found


def children_of(parent: int) -> list[int]:
    """The processes that a process has started."""
    children: list[int] = []
    for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
        children += map(int, tasks.read_text(encoding="ascii").split())
    return children


def command_of(process: int) -> str:
    """The command line of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())

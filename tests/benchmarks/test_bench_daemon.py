"""Tests the benches of the whole daemon: what they read is what the daemon writes and the kernel says."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from benchmarks import bench_latency, bench_memory
from benchmarks.live_daemon import Camera

from edge.core.events import Direction, Event, EventTiming
from edge.store.writing.latency import LatencyWindow

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = Camera(size=(640, 360), fps=10, seconds=15, image_size=320)


@pytest.fixture
def child() -> Iterator[int]:
    """A process of this one that waits."""
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def test_the_latencies_are_read_from_the_lines_that_the_writer_logs(caplog: pytest.LogCaptureFixture) -> None:
    """Other lines are left out; what is beyond inference is computed."""
    timing = EventTiming(hold=0.25, queue=0.002, detect=0.03, count=0.001, submitted_at=100.0)
    event = Event(
        camera_id="cam",
        floor="F",
        track_id="r-1",
        direction=Direction.ENTRY,
        timestamp=datetime.now(UTC),
        timing=timing,
    )
    with caplog.at_level(logging.DEBUG, "edge.store.writing.latency"):
        LatencyWindow().add([(event,)], 100.004)
    lines = ["... DEBUG edge.pipeline track decided", *(f"... DEBUG name {line}" for line in caplog.messages)]
    (latency,) = bench_latency.read_latencies(lines)
    assert latency == pytest.approx(
        {"hold": 250, "queue": 2, "detect": 30, "count": 1, "commit": 4, "total": 37, "overhead": 7}
    )


def test_the_memory_of_a_process_is_that_of_its_mappings(child: int) -> None:
    """The proportional shares add up to the kernel's sum; no part is larger than what is in memory."""
    assert child in bench_memory.children_of(os.getpid())
    found = bench_memory.mappings(child)
    assert all(usage.private <= usage.rss and usage.pss <= usage.rss for usage in found.values())
    assert sum(usage.private for usage in found.values()) > 0
    assert bench_memory.read_memory(os.getpid(), 1) is None, "a child that is no reader"


@pytest.mark.long
def test_a_daemon_is_measured() -> None:
    """A real daemon with two cameras counts, and its memory and its latency have values."""
    memory = bench_memory.measure(2, 3.0, SMALL)
    assert memory.alone > memory.daemon > memory.reader > 10
    (first, *_) = bench_latency.measure(1, SMALL)
    assert first["total"] > first["detect"] > 0

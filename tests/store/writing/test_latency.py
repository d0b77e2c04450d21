"""Tests of the latency of events: its parts, from the capture of a frame to the commit."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.events import Event, EventTiming
from edge.store.writing.latency import LatencyWindow, Percentiles, percentiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.config.schema import FloorConfig

WAIT = 60.0
TIMING = EventTiming(hold=0.25, queue=0.002, detect=0.03, count=0.001, submitted_at=100.0)


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    """Of a hundred times 99 are not above the 99th percentile; a single time is all of them."""
    assert percentiles([n / 1000 for n in range(100, 0, -1)]) == Percentiles(50.0, 99.0)
    assert percentiles([0.5]) == Percentiles(500.0, 500.0)
    assert percentiles([0.001, 0.002]) == Percentiles(1.0, 2.0)


def test_the_parts_of_the_latency_add_up(make_event: Callable[..., Event]) -> None:
    """The total leaves the hold out, which is before the capture; the overhead leaves the detection out too."""
    window = LatencyWindow()
    assert window.status("cam-a") is None
    event = make_event(1, timing=TIMING)
    window.add([(event,)], 100.004)
    status = window.status(event.camera_id)
    assert status is not None
    assert (status.events, status.hold.p50, status.detect.p99) == (1, 250.0, 30.0)
    assert status.commit.p50 == pytest.approx(4.0)
    assert status.queue == Percentiles(2.0, 2.0)
    assert status.overhead is not None
    assert status.total is not None
    assert status.overhead.p50 == pytest.approx(2 + 1 + 4)
    assert status.total.p50 == pytest.approx(2 + 30 + 1 + 4)


def test_a_recording_has_the_parts_of_its_processing_alone(make_event: Callable[..., Event]) -> None:
    """Its frames were captured at no time of this machine's clock."""
    window = LatencyWindow()
    event = make_event(1, timing=replace(TIMING, queue=None))
    window.add([(event,)], 100.004)
    status = window.status(event.camera_id)
    assert status is not None
    assert (status.queue, status.overhead, status.total) == (None, None, None)
    assert status.commit.p50 == pytest.approx(4.0)


def test_each_camera_has_a_bounded_window_of_its_own(make_event: Callable[..., Event]) -> None:
    """The numbers are of the last events of that camera."""
    window = LatencyWindow()
    for n in range(2000):
        seconds = 1.0 if n < 1000 else 0.1
        window.add([(make_event(n, camera_id=f"cam-{n % 2}", timing=replace(TIMING, detect=seconds)),)], 100.0)
    for camera in ("cam-0", "cam-1"):
        status = window.status(camera)
        assert status is not None
        assert status.events <= 500
        assert status.detect == Percentiles(100.0, 100.0)


def test_the_writer_measures_what_it_commits(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], caplog: pytest.LogCaptureFixture
) -> None:
    """The events of a crossing count once, those that are refused or have no timing not at all; each is in the log."""
    writer = bench.started(floors)
    began = time.monotonic()
    first = make_event(1, camera_id="cam-x", timing=replace(TIMING, submitted_at=began))
    with caplog.at_level(logging.DEBUG, "edge.store.writing.latency"):
        writer.submit([first, replace(first, floor=floors[1].name, direction=first.direction.opposite)])
        writer.submit([make_event(2, camera_id="cam-x", timing=replace(TIMING, submitted_at=began), floor="no floor")])
        writer.submit([make_event(3, camera_id="cam-x")])
        assert writer.flush(WAIT)
    status = writer.latency("cam-x")
    assert status is not None
    assert status.events == 1
    assert 0 < status.commit.p50 <= 1000 * (time.monotonic() - began)
    assert writer.latency("cam-y") is None
    (record,) = [record for record in caplog.records if record.name == "edge.store.writing.latency"]
    assert str(first.event_id) in record.getMessage()
    assert "hold=250.0 queue=2.0 detect=30.0 count=1.0 commit=" in record.getMessage()


def test_an_event_is_the_same_with_any_timing(
    bench: Any, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event]
) -> None:
    """The timing is not stored: what is read back is equal and has none."""
    event = make_event(1, timing=TIMING)
    writer = bench.started(floors)
    writer.submit([event])
    assert writer.flush(WAIT)
    (recorded,) = bench.recorded
    assert recorded.event.event == event
    assert recorded.event.event.timing is None
    assert "timing" not in repr(event)

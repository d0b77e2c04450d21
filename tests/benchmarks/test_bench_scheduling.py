"""Tests that the bench of scheduling counts what drives through the yard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from benchmarks import bench_scheduling
from benchmarks.wide_yard import WideYard

from edge.core.events import Direction

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("contender", ["all", "neither"])
def test_every_contender_counts_the_yard(weights: Path, contender: str) -> None:
    """The same frames give the same count, whatever is switched off."""
    task = {"busy": 5.0, "period": 20.0, "seconds": 4.0, "size": 640, "contender": contender}
    figures = bench_scheduling.run_task({**task, "weights": str(weights / "yolo11n.onnx")})
    assert (figures["counted"], figures["true"]) == (1, 1)
    assert figures["cpu"] > 0
    assert figures["fps"] > 0


def test_the_traffic_of_a_yard_repeats() -> None:
    """Each period has the same crossings, and is empty between."""
    yard = WideYard(busy_seconds=5, period=20, shift=3)
    first = yard.crossings(20)
    assert [direction for _, direction in first] == [Direction.EXIT]
    assert yard.crossings(40) == first + [(at + 20, direction) for at, direction in first]
    assert all(3 < at < 8 for at, _ in first)

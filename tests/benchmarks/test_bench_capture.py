"""Tests that the bench of live cameras measures a camera."""

from __future__ import annotations

from benchmarks import bench_capture


def test_a_camera_is_measured() -> None:
    """Frames are taken from a real stream, and each cost has a value."""
    costs = bench_capture.measure((160, 120), 50, 10)
    assert costs.frames == 10
    assert costs.hand_over > 0.0
    assert costs.pss > 5.0

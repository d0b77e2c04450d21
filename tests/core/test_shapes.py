"""Tests boxes."""

from __future__ import annotations

from edge.core.shapes import Box, Point


def test_two_boxes_overlap_in_the_area_that_both_cover() -> None:
    """The order does not matter; boxes that only touch, or do not meet, have no overlap."""
    box = Box(0, 0, 10, 10)
    assert box.overlap_area(Box(5, 8, 20, 30)) == Box(5, 8, 20, 30).overlap_area(box) == 10
    assert box.overlap_area(box) == box.area == 100
    assert box.overlap_area(Box(10, 0, 20, 10)) == 0
    assert box.overlap_area(Box(20, 20, 30, 30)) == 0


def test_the_size_of_a_box_has_a_lower_limit() -> None:
    """A box that is inside out has no area, and the side of one pixel."""
    box = Box(10, 10, 0, 20)
    assert (box.area, box.side) == (0, 1)
    assert (Box(0, 0, 10, 20).bottom_center, Box(0, 0, 4, 9).side) == (Point(5, 20), 6)

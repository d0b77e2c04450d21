"""Tests of pictures that are repeated, and of cameras without noise."""

from __future__ import annotations

import numpy as np

from edge.picture.frozen import UnchangedPicture

RANDOM = np.random.default_rng(1)


def rows(moving: int = 0) -> np.ndarray:
    """Forty equal rows, of which the first ``moving`` differ each time."""
    found = np.full((40, 100), 90, np.uint8)
    found[:moving] = RANDOM.integers(0, 255, (moving, 100))
    return found


def test_a_picture_that_is_repeated_for_long_is_frozen_since_it_was_seen_first() -> None:
    """Ten seconds are allowed here."""
    unchanged = UnchangedPicture(10.0)
    noisy = rows(moving=40)
    assert not unchanged.update(rows(moving=40), 0.0)
    assert [unchanged.update(noisy, at) for at in (1.0, 5.0, 10.9, 11.0, 60.0)] == [False, False, False, True, True]
    assert unchanged.since == 1.0


def test_one_changed_pixel_is_enough() -> None:
    """Noise at a single place shows that the sensor works."""
    unchanged = UnchangedPicture(10.0)
    for second in range(100):
        picture = rows()
        picture[20, second] += 1
        assert not unchanged.update(picture, float(second))


def test_a_camera_that_repeats_what_does_not_move_may_repeat_a_picture_for_longer() -> None:
    """Most of its rows stayed equal while a vehicle passed, so its pictures have no noise."""
    unchanged = UnchangedPicture(10.0)
    for second in range(60):
        unchanged.update(rows(moving=5), float(second))
    assert unchanged.limit == 100.0
    still = rows()
    assert [unchanged.update(still, at) for at in (60.0, 159.0, 160.0)] == [False, False, True]


def test_after_an_outage_the_count_begins_again() -> None:
    """The same picture before and after an outage is not repeated by the camera."""
    unchanged = UnchangedPicture(10.0)
    still = rows(moving=40)
    unchanged.update(still, 0.0)
    unchanged.restart()
    assert not unchanged.update(still, 100.0)
    assert unchanged.since == 100.0

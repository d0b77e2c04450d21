"""Tests of pictures that are repeated, and of cameras without noise."""

from __future__ import annotations

import numpy as np

from edge.picture.frozen import RepeatedPictures

RANDOM = np.random.default_rng(1)


def rows(moving: int = 0) -> np.ndarray:
    """Forty equal rows, of which the first ``moving`` differ each time."""
    found = np.full((40, 100), 90, np.uint8)
    found[:moving] = RANDOM.integers(0, 255, (moving, 100))
    return found


def test_a_picture_that_is_repeated_for_long_is_frozen_since_it_was_seen_first() -> None:
    """Ten seconds are allowed here."""
    repeated = RepeatedPictures(10.0)
    noisy = rows(moving=40)
    assert not repeated.update(rows(moving=40), 0.0)
    assert [repeated.update(noisy, at) for at in (1.0, 5.0, 10.9, 11.0, 40.0)] == [False, False, False, True, True]
    assert repeated.since == 1.0


def test_one_changed_pixel_is_enough() -> None:
    """Noise at a single place shows that the sensor works."""
    repeated = RepeatedPictures(10.0)
    for second in range(100):
        picture = rows()
        picture[20, second] += 1
        assert not repeated.update(picture, float(second))


def test_a_few_pictures_that_come_again_and_again_are_frozen() -> None:
    """An encoder that goes on behind a sensor that hangs changes the picture a little with each key frame."""
    repeated = RepeatedPictures(10.0)
    pictures = [rows() + np.uint8(step) for step in range(4)]
    assert not repeated.update(rows(moving=40), 0.0)
    found = [repeated.update(pictures[second % 4], float(second)) for second in range(1, 30)]
    assert found == [False] * 13 + [True] * 16
    assert repeated.since == 1.0


def test_pictures_of_a_loop_in_which_something_moves_are_not_frozen() -> None:
    """A clip that is played again and again shows its pictures again, too."""
    repeated = RepeatedPictures(10.0)
    pictures = [rows(moving=40) for _ in range(4)]
    assert not any(repeated.update(pictures[second % 4], float(second)) for second in range(60))


def test_a_camera_that_repeats_what_does_not_move_may_repeat_a_picture_for_longer() -> None:
    """Most of its rows stayed equal while a vehicle passed, so its pictures have no noise."""
    repeated = RepeatedPictures(10.0)
    for second in range(60):
        repeated.update(rows(moving=5), float(second))
    assert repeated.limit == 100.0
    still = rows()
    found = [repeated.update(still, float(at)) for at in range(60, 170)]
    assert found == [False] * 100 + [True] * 10


def test_after_an_outage_the_count_begins_again() -> None:
    """The same picture before and after an outage is not repeated by the camera."""
    repeated = RepeatedPictures(10.0)
    still = rows(moving=40)
    repeated.update(still, 0.0)
    repeated.restart()
    assert not repeated.update(still, 100.0)
    assert repeated.since == 100.0

"""Tests that the usual sizes of vehicles and people are learned from sure detections."""

from __future__ import annotations

import numpy as np
import pytest
from support.scripted import box_at

from edge.core.tracks import UsualSize
from edge.tracking.boxes import box_array
from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.usual_size import SizeModel


def learned(places: list[tuple[float, float, float, float]]) -> SizeModel:
    """A model that learned from vehicles, each at (x, y) with a width and a height."""
    model = SizeModel(DEFAULT_TRACKING.usual_size)
    for place in places:
        model.add_vehicle(np.array(box_at(*place)))
    return model


def road(number: int, *, grows: float = 1.0) -> list[tuple[float, float, float, float]]:
    """Cars along a road, ``grows`` times as large at y = 350 as at y = 50: places, widths and heights."""
    random = np.random.default_rng(7)
    found = []
    for y in np.linspace(50, 350, number):
        times = grows ** ((y - 50) / 300)
        found.append((float(random.uniform(200, 400)), float(y), 100 * times, 60 * times))
    return found


def test_a_few_vehicles_are_too_few() -> None:
    """After none, and after two, no usual size is known."""
    assert SizeModel(DEFAULT_TRACKING.usual_size).at(100, 100) == UsualSize()
    assert learned(road(2)).at(100, 100) == UsualSize()


def test_where_all_vehicles_are_alike_their_size_is_usual() -> None:
    """A camera that looks straight down sees the same size everywhere."""
    usual = learned(road(40)).at(300, 200)
    assert (usual.width, usual.height) == (pytest.approx(100, rel=0.05), pytest.approx(60, rel=0.05))
    assert usual.person is None


def test_sizes_depend_on_the_place() -> None:
    """In a view along a road, vehicles are larger towards the lower edge."""
    usual = learned(road(100, grows=4.0))
    far, near = usual.at(300, 60), usual.at(300, 340)
    assert far.width == pytest.approx(105, rel=0.2)
    assert near.width == pytest.approx(380, rel=0.2)


def test_a_few_lorries_change_the_usual_size_little() -> None:
    """One vehicle in eleven is three times as large."""
    plain = road(60)
    lorries = [(x, y, 3 * w, 3 * h) for x, y, w, h in plain[::10]]
    usual = learned(plain + lorries).at(300, 200)
    assert usual.width == pytest.approx(100, rel=0.2)


def test_the_fit_is_hardly_extrapolated() -> None:
    """Far outside the places seen, the size is that at their border."""
    model = learned([(300, y, w, h) for x, y, w, h in road(60, grows=4.0) if y < 150])
    far = model.at(300, 2000)
    assert far == model.at(300, 4000)
    assert far.width is not None
    assert far.width < 400


def test_the_usual_size_of_people_is_their_median() -> None:
    """The size is the square root of the area of a box."""
    model = SizeModel(DEFAULT_TRACKING.usual_size)
    model.add_people(box_array([box_at(100, 100, 20, 45)] * 9 + [box_at(100, 100, 200, 450)]))
    usual = model.at(0, 0)
    assert (usual.width, usual.height, usual.person) == (None, None, pytest.approx(30.0))


def test_new_vehicles_replace_old_ones() -> None:
    """Memory is bounded, and a camera that was turned learns the new sizes."""
    model = learned(road(2 * DEFAULT_TRACKING.usual_size.most_vehicles))
    for _ in range(2 * DEFAULT_TRACKING.usual_size.most_vehicles):
        model.add_vehicle(np.array(box_at(300, 200, 40, 30)))
    assert model.at(300, 200).width == pytest.approx(40, rel=0.05)


def test_boxes_without_extent_are_ignored() -> None:
    """The usual size stays as it is."""
    model = learned(road(10))
    before = model.at(300, 200)
    model.add_vehicle(np.array([5.0, 5.0, 5.0, 9.0]))
    assert model.at(300, 200) == before


def test_people_are_smaller_where_vehicles_are_smaller() -> None:
    """Those who were seen near the camera say how large a person is far away, where none was seen."""
    model = learned(road(60, grows=4.0))
    for y in (300, 320, 340):
        times = 4.0 ** ((y - 50) / 300)
        model.add_people(box_array([box_at(300, y, 20 * times, 45 * times)] * 3))
    near, far = model.at(300, 340), model.at(300, 60)
    assert near.person == pytest.approx(30 * 4 ** (290 / 300), rel=0.1)
    assert far.person == pytest.approx(30 * 4 ** (10 / 300), rel=0.2)
    for usual in (near, far):
        assert usual.width is not None
        assert usual.person is not None
        assert usual.width / usual.person == pytest.approx(100 / 30, rel=0.1)

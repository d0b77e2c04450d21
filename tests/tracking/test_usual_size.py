"""How large vehicles and people usually are, learned from those that are sure."""

from __future__ import annotations

import numpy as np
import pytest
from support.scripted import box_at

from edge.core.tracks import Usual
from edge.tracking.boxes import rows
from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.usual_size import UsualSize


def learned(places: list[tuple[float, float, float, float]]) -> UsualSize:
    """From vehicles at (x, y) with a width and a height."""
    usual = UsualSize(DEFAULT_TRACKING.usual_size)
    for place in places:
        usual.add_vehicle(np.array(box_at(*place)))
    return usual


def road(number: int, *, grows: float = 1.0) -> list[tuple[float, float, float, float]]:
    """Cars down a road: ``grows`` times as large at the lower edge (y = 350) as at the upper one (y = 50)."""
    spread = np.random.default_rng(7)
    found = []
    for y in np.linspace(50, 350, number):
        times = grows ** ((y - 50) / 300)
        found.append((float(spread.uniform(200, 400)), float(y), 100 * times, 60 * times))
    return found


def test_nothing_is_known_at_first() -> None:
    """Two vehicles are too few to say what is usual."""
    assert UsualSize(DEFAULT_TRACKING.usual_size).at(100, 100) == Usual()
    assert learned(road(2)).at(100, 100) == Usual()


def test_the_size_of_those_seen_is_usual() -> None:
    """Everywhere alike where the camera looks straight down."""
    usual = learned(road(40)).at(300, 200)
    assert (usual.width, usual.height) == (pytest.approx(100, rel=0.05), pytest.approx(60, rel=0.05))
    assert usual.person is None


def test_what_is_nearer_is_larger() -> None:
    """A view along a road: sizes are learned for each height of the picture."""
    usual = learned(road(100, grows=4.0))
    far, near = usual.at(300, 60), usual.at(300, 340)
    assert far.width == pytest.approx(105, rel=0.2)
    assert near.width == pytest.approx(380, rel=0.2)


def test_a_lorry_now_and_then_changes_little() -> None:
    """The fit is robust."""
    plain = road(60)
    lorries = [(x, y, 3 * w, 3 * h) for x, y, w, h in plain[::10]]
    usual = learned(plain + lorries).at(300, 200)
    assert usual.width == pytest.approx(100, rel=0.2)


def test_outside_what_was_seen_it_does_not_go_on_for_ever() -> None:
    """Twice as far out, hardly larger than at the border."""
    usual = learned([(300, y, w, h) for x, y, w, h in road(60, grows=4.0) if y < 150])
    assert usual.at(300, 2000) == usual.at(300, 4000)
    assert usual.at(300, 2000).width < 400


def test_the_size_of_people_is_their_median() -> None:
    """As the root of the area of their boxes."""
    usual = UsualSize(DEFAULT_TRACKING.usual_size)
    usual.add_people(rows([box_at(100, 100, 20, 45)] * 9 + [box_at(100, 100, 200, 450)]))
    assert usual.at(0, 0) == Usual(person=pytest.approx(30.0))


def test_memory_is_bounded_and_follows_what_is_new() -> None:
    """A camera that was turned learns anew."""
    usual = learned(road(2 * DEFAULT_TRACKING.usual_size.most_vehicles))
    for _ in range(2 * DEFAULT_TRACKING.usual_size.most_vehicles):
        usual.add_vehicle(np.array(box_at(300, 200, 40, 30)))
    assert usual.at(300, 200).width == pytest.approx(40, rel=0.05)


def test_boxes_without_extent_are_passed_over() -> None:
    """They have no size."""
    usual = learned(road(10))
    before = usual.at(300, 200)
    usual.add_vehicle(np.array([5.0, 5.0, 5.0, 9.0]))
    assert usual.at(300, 200) == before

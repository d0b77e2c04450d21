"""A gate and several tracks at once: which of them are vehicles of their own."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ways import ENTRY, EXIT, MECHANISMS, Vehicle, count, standing, straight

from edge.core.shapes import Point
from edge.core.tracks import Reason

IN, OUT = straight(300, 700, 20), straight(700, 300, 20)
CAR = (100.0, 60.0)


def test_two_vehicles_side_by_side_are_two() -> None:
    """A lane each, at the same moment."""
    found = count(Vehicle(IN, y=200, size=CAR), Vehicle(IN, name="r-2", y=280, size=CAR))
    assert found.directions == [ENTRY, ENTRY]
    assert {one.track_id for one in found.crossings} == {"r-1", "r-2"}


@pytest.mark.parametrize("gap", [10.0, 30.0, 150.0])
def test_two_vehicles_that_tailgate_are_two(gap: float) -> None:
    """Bumper to bumper or with room between them."""
    behind = straight(300 - 100 - gap, 700 - 100 - gap, 20)
    found = count(
        Vehicle([*IN, 720.0, 740.0], size=CAR), Vehicle([*behind, *straight(610, 800, 10)], name="r-2", size=CAR)
    )
    assert found.directions == [ENTRY, ENTRY]


def test_a_queue_over_the_line_counts_each_vehicle_once() -> None:
    """Stop and go, five of them, half a length apart."""
    queue = []
    for number in range(5):
        x = 400.0 - 150 * number
        way = [x]
        for _ in range(8):
            way += [*standing(way[-1], 8, (0.0, 2.0, -2.0)), *straight(way[-1], way[-1] + 110, 8)[1:]]
        queue.append(Vehicle(way, name=f"r-{number}", size=CAR))
    found = count(*queue)
    assert found.directions == [ENTRY] * 5
    assert [one.track_id for one in found.crossings] == [f"r-{number}" for number in range(5)]
    assert all(a.at < b.at for a, b in itertools.pairwise(found.crossings))


def test_two_that_meet_in_the_gate_are_an_entry_and_an_exit() -> None:
    """Opposite directions are never one vehicle, wherever they meet."""
    found = count(Vehicle(IN, y=245, size=CAR), Vehicle(OUT, name="r-2", y=255, size=CAR))
    assert sorted(found.directions) == [ENTRY, EXIT]


def test_two_tracks_on_one_vehicle_count_once_and_the_surer_one_counts() -> None:
    """The second one is told as a second look at the first."""
    weak = Vehicle(IN, name="r-1", confidence=0.2, size=CAR)
    sure = Vehicle([x + 6 for x in IN], name="r-2", y=255, confidence=0.8, size=CAR)
    found = count(weak, sure)
    assert found.directions == [ENTRY]
    assert found.reasons == {"r-1": [Reason.SECOND_LOOK], "r-2": [Reason.CROSSED]}
    assert next(one.other for one in found.verdicts if one.track_id == "r-1") == "r-2"
    both = count(weak, sure, mechanisms=MECHANISMS.model_copy(update={"one_vehicle": False}))
    assert both.directions == [ENTRY, ENTRY]


def test_a_vehicle_that_was_lost_and_is_found_under_another_name_counts_once() -> None:
    """A switch of identities on the line: what continues the first track in place is a second look."""
    before = Vehicle([*straight(300, 520, 12), *[None] * 10], size=CAR)
    after = Vehicle(straight(480, 700, 12), name="r-2", first=10, size=CAR)
    assert count(before, after).directions == [ENTRY]


def test_a_long_vehicle_whose_cab_was_seen_apart_counts_once() -> None:
    """The box of the whole has swallowed the cab's: the cab is a part, though it passed a length earlier."""
    cab = Vehicle([*straight(400, 600, 10), *[None] * 12], size=CAR, confidence=0.5)
    whole = Vehicle(straight(250, 670, 22), name="r-2", size=(260.0, 60.0), absorbed=("r-1",))
    found = count(cab, whole)
    assert found.directions == [ENTRY]
    assert sorted(found.reasons.values()) == [[Reason.PART], [Reason.CROSSED]]
    off = MECHANISMS.model_copy(update={"long_vehicles": False})
    assert count(cab, whole, mechanisms=off).directions == [ENTRY, ENTRY]


def test_a_trailer_counts_with_the_car_that_tows_it() -> None:
    """It goes right behind and exactly as fast, and the detector hardly knows what it sees."""
    car = Vehicle(straight(300, 800, 30), size=CAR)
    trailer = Vehicle(straight(190, 690, 30), name="r-2", size=(80.0, 50.0), confidence=0.15)
    found = count(car, trailer)
    assert found.directions == [ENTRY]
    assert found.reasons["r-2"] == [Reason.PART]


def test_a_car_that_is_seen_as_well_as_the_one_in_front_is_no_trailer() -> None:
    """However close it drives."""
    car = Vehicle(straight(300, 800, 30), size=CAR)
    assert count(car, Vehicle(straight(190, 690, 30), name="r-2", size=CAR)).directions == [ENTRY] * 2


def test_a_faint_car_that_passes_long_after_another_is_no_part_of_it() -> None:
    """Though both were taken for one while they stood side by side."""
    first = Vehicle(straight(300, 800, 30), size=CAR)
    second = Vehicle(straight(300, 800, 30), name="r-2", first=35, size=CAR, confidence=0.25, absorbed=("r-1",))
    assert count(first, second).directions == [ENTRY] * 2
    close = Vehicle(straight(300, 800, 30), name="r-2", first=5, size=CAR, confidence=0.25, absorbed=("r-1",))
    assert count(first, close).directions == [ENTRY]


def test_a_motorcycle_in_front_of_a_car_is_one_of_two() -> None:
    """Boxes on nearly one place, but nobody takes the one for the other."""
    car = Vehicle(straight(300, 700, 20), size=CAR)
    motorcycle = Vehicle(straight(310, 710, 20), name="r-2", y=270, size=(60.0, 60.0), label="motorcycle")
    assert count(car, motorcycle).directions == [ENTRY] * 2


def test_what_a_vehicle_tows_counts_with_it() -> None:
    """A trailer right behind its car that the detector hardly sees; a car right behind a car is its own."""
    car = Vehicle(straight(340, 740, 20), size=CAR)
    behind = straight(235, 635, 20)
    trailer = Vehicle([*behind, *straight(656, 740, 5)], name="r-2", size=CAR, confidence=0.15)
    found = count(car, trailer)
    assert [one.track_id for one in found.crossings] == ["r-1"]
    assert found.reasons["r-2"] == [Reason.PART]
    tailgating = Vehicle([*behind, *straight(656, 740, 5)], name="r-2", size=CAR, confidence=0.7)
    assert count(car, tailgating).directions == [ENTRY, ENTRY]
    off = MECHANISMS.model_copy(update={"long_vehicles": False})
    assert count(car, trailer, mechanisms=off).directions == [ENTRY, ENTRY]


def test_a_motorcycle_that_passes_beside_a_car_is_counted_too() -> None:
    """In its box, as the camera sees it."""
    car = Vehicle(IN, size=(140.0, 110.0))
    motorcycle = Vehicle([x + 5 for x in IN], name="r-2", y=265, size=(60.0, 60.0), label="motorcycle", confidence=0.6)
    assert sorted(one.label for one in count(car, motorcycle).crossings) == ["car", "motorcycle"]


def test_how_sure_the_detector_usually_is_here_is_learned() -> None:
    """After some vehicles seen well a flicker of a box is nothing; at a gate that knows none it is looked at."""
    flicker = {"name": "f", "size": CAR, "confidence": 0.06}
    assert count(Vehicle(IN, **flicker)).directions == [ENTRY]
    row = [Vehicle(IN, name=f"r-{n}", first=60 * n, size=CAR, confidence=0.9) for n in range(6)]
    found = count(*row, Vehicle(IN, first=400, **flicker))
    assert [one.track_id for one in found.crossings] == [f"r-{n}" for n in range(6)]
    assert found.reasons["f"] == [Reason.NO_EVIDENCE]


def test_a_track_that_came_out_of_another_one_counts_with_it() -> None:
    """``part_of``: a trailer that was first seen when it had left its cab's box."""
    cab = Vehicle(straight(340, 740, 20), size=CAR)
    trailer = Vehicle(straight(220, 620, 20), name="r-2", size=(160.0, 60.0), part_of="r-1")
    assert count(cab, trailer).directions == [ENTRY]
    assert count(cab, Vehicle(trailer.way, name="r-2", size=(160.0, 60.0))).directions == [ENTRY, ENTRY]


def test_parked_vehicles_beside_the_line_never_count() -> None:
    """They stand there for minutes, tremble, are hidden by what drives by, and are seen again."""
    jitter = (0.0, 3.0, -4.0, 2.0, -1.0)
    hidden = [*standing(560, 30, jitter), *[None] * 15, *standing(562, 30, jitter)]
    found = count(
        Vehicle(standing(440, 75, jitter), name="p-1", y=140, size=CAR),
        Vehicle(hidden, name="p-2", y=140, size=CAR),
        Vehicle(IN, first=30, y=300, size=CAR),
    )
    assert [(one.track_id, one.direction) for one in found.crossings] == [("r-1", ENTRY)]


@pytest.mark.parametrize("places", [(430.0, 560.0), (450.0, 540.0)])
def test_a_box_that_jumps_between_two_parked_vehicles_comes_to_nothing(places: tuple[float, float]) -> None:
    """One track on both sides of the line, over and over: entries and exits are even at the end."""
    way = [places[n // 12 % 2] for n in range(96)]
    found = count(Vehicle(way, y=140, size=CAR), Vehicle(standing(places[0], 96), name="p-1", y=140, size=CAR))
    assert abs(sum(one.delta for one in found.directions)) <= 1


def test_a_new_track_on_a_parked_vehicle_did_not_come_across() -> None:
    """Beyond the line, in the box of one that is known for long: a part of it or its second box."""
    parked = Vehicle(standing(580, 60), name="p-1", size=(200.0, 120.0))
    part = Vehicle(straight(550, 700, 12), first=30, size=(40.0, 40.0))
    assert count(parked, part, rate=5.0).directions == []


def test_a_person_beside_a_car_does_not_take_its_place() -> None:
    """The refused one of two tracks in one place never makes the other a second look."""
    person = Vehicle(IN, name="r-1", label="person", confidence=0.9, size=(40.0, 90.0))
    car = Vehicle(IN, name="r-2", confidence=0.5, size=CAR)
    found = count(person, car)
    assert [(one.track_id, one.label) for one in found.crossings] == [("r-2", "car")]
    assert found.reasons["r-1"] == [Reason.PERSON]


def test_vehicles_in_a_row_in_the_same_place_are_all_counted() -> None:
    """A second look is one at the same time: the next vehicle, seconds later, is its own."""
    row = [Vehicle(IN, name=f"r-{n}", first=25 * n, size=CAR) for n in range(6)]
    assert count(*row).directions == [ENTRY] * 6


ways = st.lists(st.floats(0, 1000), min_size=3, max_size=25)


@given(ways, ways)
@settings(max_examples=60, deadline=None)
def test_the_order_of_two_tracks_does_not_matter(one: list[float], other: list[float]) -> None:
    """Those of a frame may come in either order."""

    def run(*, backwards: bool) -> list[Any]:
        vehicles = Vehicle(one, y=180, size=CAR), Vehicle(other, name="r-2", y=300, size=CAR)
        return sorted((c.at, c.track_id, c.direction) for c in count(*vehicles, backwards=backwards).crossings)

    assert run(backwards=False) == run(backwards=True)


@given(ways, ways)
@settings(max_examples=60, deadline=None)
def test_a_mirrored_scene_swaps_entries_and_exits(one: list[float], other: list[float]) -> None:
    """Also with two vehicles in it, and with what the gate makes of births beyond the line."""

    def run(first: list[float], second: list[float]) -> list[Any]:
        vehicles = Vehicle(first, y=180, size=CAR), Vehicle(second, name="r-2", first=7, y=300, size=CAR)
        return [(round(c.at, 6), c.track_id, c.direction) for c in count(*vehicles).crossings]

    # On the border of the band, or of what is near, the last bit may fall either way: whole pixels are on neither.
    one, other = [round(x) + 0.25 for x in one], [round(x) + 0.25 for x in other]
    mirrored = run([1000 - x for x in one], [1000 - x for x in other])
    assert sorted((at, name, way.opposite) for at, name, way in mirrored) == sorted(run(one, other))


def test_a_way_may_be_any_way() -> None:
    """Across the line at a slant, as fast as a vehicle can be between two frames."""
    slant = [Point(x, 120 + 0.5 * (x - 300)) for x in straight(300, 760, 5)]
    assert count(Vehicle(slant, size=CAR), rate=5.0).directions == [ENTRY]

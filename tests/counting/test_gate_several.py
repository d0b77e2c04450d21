"""Tests a gate with several tracks at once: which of them are vehicles of their own."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted_tracks import ENTRY, EXIT, MECHANISMS, Vehicle, run_gate, standing, steady

from edge.core.shapes import Point
from edge.core.tracks import Reason

IN, OUT = steady(300, 700, 20), steady(700, 300, 20)
CAR = (100.0, 60.0)


def test_two_vehicles_side_by_side_are_two() -> None:
    """They cross at the same time in two lanes."""
    result = run_gate(Vehicle(IN, y=200, size=CAR), Vehicle(IN, track_id="r-2", y=280, size=CAR))
    assert result.directions == [ENTRY, ENTRY]
    assert {crossing.track_id for crossing in result.crossings} == {"r-1", "r-2"}


@pytest.mark.parametrize("gap", [10.0, 30.0, 150.0])
def test_two_vehicles_that_tailgate_are_two(gap: float) -> None:
    """They drive bumper to bumper or with space between them."""
    behind = steady(300 - 100 - gap, 700 - 100 - gap, 20)
    result = run_gate(
        Vehicle([*IN, 720.0, 740.0], size=CAR), Vehicle([*behind, *steady(610, 800, 10)], track_id="r-2", size=CAR)
    )
    assert result.directions == [ENTRY, ENTRY]


def test_a_queue_over_the_line_counts_each_vehicle_once() -> None:
    """Five vehicles stop and go, half a length apart."""
    queue = []
    for number in range(5):
        x = 400.0 - 150 * number
        places = [x]
        for _ in range(8):
            places += [*standing(places[-1], 8, (0.0, 2.0, -2.0)), *steady(places[-1], places[-1] + 110, 8)[1:]]
        queue.append(Vehicle(places, track_id=f"r-{number}", size=CAR))
    result = run_gate(*queue)
    assert result.directions == [ENTRY] * 5
    assert [crossing.track_id for crossing in result.crossings] == [f"r-{number}" for number in range(5)]
    assert all(a.at < b.at for a, b in itertools.pairwise(result.crossings))


def test_two_that_meet_in_the_gate_are_an_entry_and_an_exit() -> None:
    """Crossings in opposite directions are never of one vehicle."""
    result = run_gate(Vehicle(IN, y=245, size=CAR), Vehicle(OUT, track_id="r-2", y=255, size=CAR))
    assert sorted(result.directions) == [ENTRY, EXIT]


def test_two_tracks_on_one_vehicle_count_once_with_the_surer_track() -> None:
    """The verdict on the second track names the first."""
    weak = Vehicle(IN, track_id="r-1", confidence=0.2, size=CAR)
    sure = Vehicle([x + 6 for x in IN], track_id="r-2", y=255, confidence=0.8, size=CAR)
    result = run_gate(weak, sure)
    assert result.directions == [ENTRY]
    assert result.reasons == {"r-1": [Reason.DUPLICATE], "r-2": [Reason.CROSSED]}
    assert next(verdict.other_id for verdict in result.verdicts if verdict.track_id == "r-1") == "r-2"
    both = run_gate(weak, sure, mechanisms=MECHANISMS.model_copy(update={"one_vehicle": False}))
    assert both.directions == [ENTRY, ENTRY]


def test_a_vehicle_that_was_lost_and_is_found_with_another_id_counts_once() -> None:
    """The track that continues the first one in its place is the same vehicle."""
    before = Vehicle([*steady(300, 520, 12), *[None] * 10], size=CAR)
    after = Vehicle(steady(480, 700, 12), track_id="r-2", first_frame=10, size=CAR)
    assert run_gate(before, after).directions == [ENTRY]


def test_a_long_vehicle_whose_cab_was_seen_apart_counts_once() -> None:
    """The whole absorbed the cab, which crossed a length earlier and counts: the whole does not count again."""
    cab = Vehicle([*steady(400, 600, 10), *[None] * 12], size=CAR, confidence=0.5)
    whole = Vehicle(steady(250, 670, 22), track_id="r-2", size=(260.0, 60.0), absorbed=("r-1",))
    result = run_gate(cab, whole)
    assert result.directions == [ENTRY]
    assert result.reasons == {"r-1": [Reason.CROSSED], "r-2": [Reason.PART]}
    off = MECHANISMS.model_copy(update={"long_vehicles": False})
    assert run_gate(cab, whole, mechanisms=off).directions == [ENTRY, ENTRY]


def test_a_trailer_does_not_count_beside_the_car_that_tows_it() -> None:
    """It follows right behind and as fast, and is seen much less surely."""
    car = Vehicle(steady(300, 800, 30), size=CAR)
    trailer = Vehicle(steady(190, 690, 30), track_id="r-2", size=(80.0, 50.0), confidence=0.15)
    result = run_gate(car, trailer)
    assert result.directions == [ENTRY]
    assert result.reasons["r-2"] == [Reason.PART]


def test_a_car_that_is_seen_as_surely_as_the_car_ahead_is_no_trailer() -> None:
    """It counts however close it follows."""
    car = Vehicle(steady(300, 800, 30), size=CAR)
    assert run_gate(car, Vehicle(steady(190, 690, 30), track_id="r-2", size=CAR)).directions == [ENTRY] * 2


def test_a_faint_car_that_crosses_long_after_another_is_no_part_of_it() -> None:
    """The tracker had taken one for a part of the other, but their crossings are too far apart."""
    first = Vehicle(steady(300, 800, 30), size=CAR)
    second = Vehicle(steady(300, 800, 30), track_id="r-2", first_frame=35, size=CAR, confidence=0.25, absorbed=("r-1",))
    assert run_gate(first, second).directions == [ENTRY] * 2
    close = Vehicle(steady(300, 800, 30), track_id="r-2", first_frame=5, size=CAR, confidence=0.25, absorbed=("r-1",))
    assert run_gate(first, close).directions == [ENTRY]


def test_a_motorcycle_in_front_of_a_car_is_a_second_vehicle() -> None:
    """Their boxes are nearly in one place, but the detector does not confuse these classes."""
    car = Vehicle(steady(300, 700, 20), size=CAR)
    motorcycle = Vehicle(steady(310, 710, 20), track_id="r-2", y=270, size=(60.0, 60.0), label="motorcycle")
    assert run_gate(car, motorcycle).directions == [ENTRY] * 2


def test_a_trailer_is_a_part_only_with_long_vehicles_on() -> None:
    """A trailer right behind its car is hardly seen; a car right behind a car counts for itself."""
    car = Vehicle(steady(340, 740, 20), size=CAR)
    behind = steady(235, 635, 20)
    trailer = Vehicle([*behind, *steady(656, 740, 5)], track_id="r-2", size=CAR, confidence=0.15)
    result = run_gate(car, trailer)
    assert [crossing.track_id for crossing in result.crossings] == ["r-1"]
    assert result.reasons["r-2"] == [Reason.PART]
    tailgating = Vehicle([*behind, *steady(656, 740, 5)], track_id="r-2", size=CAR, confidence=0.7)
    assert run_gate(car, tailgating).directions == [ENTRY, ENTRY]
    off = MECHANISMS.model_copy(update={"long_vehicles": False})
    assert run_gate(car, trailer, mechanisms=off).directions == [ENTRY, ENTRY]


def test_a_motorcycle_in_the_box_of_a_car_counts_too() -> None:
    """It drives beside the car, within its box as the camera sees it."""
    car = Vehicle(IN, size=(140.0, 110.0))
    motorcycle = Vehicle(
        [x + 5 for x in IN], track_id="r-2", y=265, size=(60.0, 60.0), label="motorcycle", confidence=0.6
    )
    assert sorted(crossing.label for crossing in run_gate(car, motorcycle).crossings) == ["car", "motorcycle"]


def test_the_usual_confidence_at_a_gate_is_learned() -> None:
    """After some vehicles that were seen clearly a faint track does not count; at a new gate it does."""
    faint: dict[str, Any] = {"track_id": "f", "size": CAR, "confidence": 0.06}
    assert run_gate(Vehicle(IN, **faint)).directions == [ENTRY]
    row = [Vehicle(IN, track_id=f"r-{n}", first_frame=60 * n, size=CAR, confidence=0.9) for n in range(6)]
    result = run_gate(*row, Vehicle(IN, first_frame=400, **faint))
    assert [crossing.track_id for crossing in result.crossings] == [f"r-{n}" for n in range(6)]
    assert result.reasons["f"] == [Reason.NO_EVIDENCE]


def test_a_track_that_came_out_of_another_one_is_a_part_of_it() -> None:
    """A trailer that was first seen when it had left its cab's box has ``part_of``."""
    cab = Vehicle(steady(340, 740, 20), size=CAR)
    trailer = Vehicle(steady(220, 620, 20), track_id="r-2", size=(160.0, 60.0), part_of="r-1")
    assert run_gate(cab, trailer).directions == [ENTRY]
    assert run_gate(cab, Vehicle(trailer.places, track_id="r-2", size=(160.0, 60.0))).directions == [ENTRY, ENTRY]


def test_parked_vehicles_beside_the_line_do_not_count() -> None:
    """They stand there for long, their boxes tremble, and one is hidden and seen again."""
    jitter = (0.0, 3.0, -4.0, 2.0, -1.0)
    hidden = [*standing(560, 30, jitter), *[None] * 15, *standing(562, 30, jitter)]
    result = run_gate(
        Vehicle(standing(440, 75, jitter), track_id="p-1", y=140, size=CAR),
        Vehicle(hidden, track_id="p-2", y=140, size=CAR),
        Vehicle(IN, first_frame=30, y=300, size=CAR),
    )
    assert [(crossing.track_id, crossing.direction) for crossing in result.crossings] == [("r-1", ENTRY)]


@pytest.mark.parametrize("places", [(430.0, 560.0), (450.0, 540.0)])
def test_a_box_that_jumps_between_two_parked_vehicles_leaves_the_count_even(places: tuple[float, float]) -> None:
    """A track that is now on one side and now on the other makes as many entries as exits, one at most over."""
    jumping = [places[n // 12 % 2] for n in range(96)]
    result = run_gate(
        Vehicle(jumping, y=140, size=CAR), Vehicle(standing(places[0], 96), track_id="p-1", y=140, size=CAR)
    )
    assert abs(sum(direction.delta for direction in result.directions)) <= 1


def test_a_new_track_on_a_parked_vehicle_did_not_come_across() -> None:
    """Beyond the line, in the box of a track that is known for long, it is a part of it or its second box."""
    parked = Vehicle(standing(580, 60), track_id="p-1", size=(200.0, 120.0))
    part = Vehicle(steady(550, 700, 12), first_frame=30, size=(40.0, 40.0))
    assert run_gate(parked, part, rate=5.0).directions == []


def test_a_person_beside_a_car_does_not_take_its_place() -> None:
    """A track that does not count never keeps another one in its place from counting."""
    person = Vehicle(IN, track_id="r-1", label="person", confidence=0.9, size=(40.0, 90.0))
    car = Vehicle(IN, track_id="r-2", confidence=0.5, size=CAR)
    result = run_gate(person, car)
    assert [(crossing.track_id, crossing.label) for crossing in result.crossings] == [("r-2", "car")]
    assert result.reasons["r-1"] == [Reason.PERSON]


def test_vehicles_that_cross_in_the_same_place_one_after_the_other_all_count() -> None:
    """Two tracks are one vehicle only at the same time."""
    row = [Vehicle(IN, track_id=f"r-{n}", first_frame=25 * n, size=CAR) for n in range(6)]
    assert run_gate(*row).directions == [ENTRY] * 6


any_places = st.lists(st.floats(0, 1000), min_size=3, max_size=25)


@given(any_places, any_places)
@settings(max_examples=60)
def test_the_order_of_two_tracks_does_not_matter(a: list[float], b: list[float]) -> None:
    """The tracks of a frame may come in any order."""

    def run(*, reverse_tracks: bool) -> list[Any]:
        vehicles = Vehicle(a, y=180, size=CAR), Vehicle(b, track_id="r-2", y=300, size=CAR)
        return sorted(
            (c.at, c.track_id, c.direction) for c in run_gate(*vehicles, reverse_tracks=reverse_tracks).crossings
        )

    assert run(reverse_tracks=False) == run(reverse_tracks=True)


@given(any_places, any_places)
@settings(max_examples=60)
def test_a_mirrored_scene_swaps_entries_and_exits(a: list[float], b: list[float]) -> None:
    """This holds for two vehicles, and for one that is first seen beyond the line."""

    def run(first: list[float], second: list[float]) -> list[Any]:
        vehicles = Vehicle(first, y=180, size=CAR), Vehicle(second, track_id="r-2", first_frame=7, y=300, size=CAR)
        crossings = run_gate(*vehicles).crossings
        return [(round(crossing.at, 6), crossing.track_id, crossing.direction) for crossing in crossings]

    # On the border of the band, or of a limit, rounding may decide: whole pixels and a quarter are on neither.
    a, b = [round(x) + 0.25 for x in a], [round(x) + 0.25 for x in b]
    mirrored = run([1000 - x for x in a], [1000 - x for x in b])
    assert sorted((at, track_id, direction.opposite) for at, track_id, direction in mirrored) == sorted(run(a, b))


def test_a_path_may_cross_the_line_at_an_angle() -> None:
    """The vehicle is as fast as it can be between two frames."""
    inclined = [Point(x, 120 + 0.5 * (x - 300)) for x in steady(300, 760, 5)]
    assert run_gate(Vehicle(inclined, size=CAR), rate=5.0).directions == [ENTRY]

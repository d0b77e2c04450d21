"""Tests a gate with one vehicle at a time: each case is a list of places and the crossings that they make."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted_tracks import (
    COUNTING,
    ENTRY,
    EXIT,
    GATE,
    SIZE,
    WITHOUT_EARLY,
    Vehicle,
    run_gate,
    standing,
    steady,
)

from edge.config.schema import CountingConfig, GateConfig, MechanismsConfig
from edge.core.shapes import Point
from edge.core.tracks import Reason, UsualSize

if TYPE_CHECKING:
    from edge.core.events import Direction

IN, OUT = steady(300, 700, 20), steady(700, 300, 20)
RATES = [3.0, 5.0, 10.0, 30.0]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("start", "end", "direction"), [(300, 700, ENTRY), (700, 300, EXIT)])
def test_a_vehicle_that_crosses_counts_once(start: float, end: float, direction: Direction, rate: float) -> None:
    """In either direction and at every frame rate, its crossing has the time at which its middle was on the line."""
    result = run_gate(Vehicle(steady(start, end, round(3 * rate))), rate=rate)
    assert result.directions == [direction]
    assert result.crossings[0].at == pytest.approx((3 - 1 / rate) / 2, abs=0.02)
    assert result.reasons == {"r-1": [Reason.CROSSED]}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("stops", "expected"),
    [
        pytest.param([(300, 1), (495, 4), (505, 2), (700, 1)], [ENTRY], id="stops on the line"),
        pytest.param([(300, 3), (520, 4), (700, 1)], [ENTRY], id="creeps over it"),
        pytest.param([(300, 2), (504, 2), (300, 2)], [], id="turns back in the band"),
        pytest.param([(300, 2), (640, 2), (300, 2)], [ENTRY, EXIT], id="passes and comes back"),
        pytest.param([(700, 2), (360, 2), (700, 2), (360, 2)], [EXIT, ENTRY, EXIT], id="goes to and fro"),
        pytest.param([(300, 5), (301, 5)], [], id="stands before the gate"),
        pytest.param([(300, 2), (420, 9), (420, 2)], [], id="waits before the gate"),
    ],
)
def test_a_path_makes_these_crossings(stops: list[tuple[float, float]], expected: list[Direction], rate: float) -> None:
    """A path is given as x and the seconds until there; each crossing counts once, however long it takes."""
    places = [stops[0][0]]
    for (start, _), (end, seconds) in itertools.pairwise(stops):
        places += steady(start, end, round(seconds * rate) + 1)[1:]
    result = run_gate(Vehicle(places), rate=rate)
    assert result.directions == expected
    assert [crossing.at for crossing in result.crossings] == sorted(crossing.at for crossing in result.crossings)


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=20), st.sampled_from([0.0, 200.0, -200.0]))
@settings(max_examples=40)
def test_jitter_in_the_dead_band_does_not_count(jitter: list[float], approach: float) -> None:
    """A box that trembles about the line does not cross, whether it came from a side or began there."""
    places = standing(500, 40, jitter)
    result = run_gate(Vehicle([500 + approach, *places] if approach else places))
    assert result.directions == []
    assert result.reasons == {"r-1": [Reason.STAYED_IN_BAND]}


@pytest.mark.parametrize("seconds", [0.5, 5.0])
@pytest.mark.parametrize("seen_again", [470.0, 560.0])
def test_a_vehicle_that_is_hidden_on_the_line_counts_once(seconds: float, seen_again: float) -> None:
    """Behind a pillar or a lorry its track is kept, and goes on where it is seen again."""
    hidden = [None] * round(10 * seconds)
    result = run_gate(Vehicle([*steady(300, 480, 15), *hidden, *steady(seen_again, 700, 15)]))
    assert result.directions == [ENTRY]
    assert result.reasons == {"r-1": [Reason.CROSSED]}


def test_a_vehicle_that_is_never_seen_again_has_not_crossed() -> None:
    """A track that is lost before the line makes no crossing."""
    result = run_gate(Vehicle([*steady(300, 440, 15), *[None] * 20]))
    assert result.directions == []
    assert result.reasons == {"r-1": [Reason.NOT_CROSSED]}


@pytest.mark.parametrize("y", [60.0, 450.0])
def test_a_path_beside_the_ends_of_the_line_does_not_count(y: float) -> None:
    """The gate ends where the line ends; the verdict says so."""
    result = run_gate(Vehicle(IN, y=y))
    assert result.directions == []
    assert result.reasons == {"r-1": [Reason.BESIDE_LINE]}


def test_a_line_of_several_segments_counts_at_each_of_them() -> None:
    """A line of three points has one inside; beside its ends there is no crossing."""
    bent = GateConfig(id="g", line=((0.2, 0.2), (0.5, 0.5), (0.2, 0.8)), inside=(0.9, 0.5), floor="F", dead_band=0.1)
    for y in (150.0, 250.0, 350.0):
        assert run_gate(Vehicle(steady(100, 700, 20), y=y), config=bent).directions == [ENTRY]
        assert run_gate(Vehicle(steady(700, 100, 20), y=y), config=bent).directions == [EXIT]
    assert run_gate(Vehicle(steady(100, 700, 20), y=40.0), config=bent).directions == []


def test_a_short_line_that_begins_at_a_wall_is_crossed_in_its_length_only() -> None:
    """A short line at the left edge of the frame is a door's width."""
    door = GateConfig(id="g", line=((0.0, 0.5), (0.2, 0.5)), inside=(0.1, 0.9), floor="F", dead_band=0.1)
    for x, expected in ((100.0, [ENTRY]), (400.0, [])):
        places = [Point(x, y) for y in steady(100, 400, 20)]
        assert run_gate(Vehicle(places), config=door).directions == expected


def test_the_bottom_anchor_is_the_lower_edge_of_the_box() -> None:
    """With ``bottom_center`` a vehicle crosses a horizontal line with its lower edge, sooner than with its middle."""
    horizontal = {"id": "g", "line": ((0.0, 0.5), (1.0, 0.5)), "inside": (0.5, 0.9), "floor": "F"}
    places = [Point(500, y) for y in steady(150, 350, 21)]
    at = {}
    for anchor in ("center", "bottom_center"):
        result = run_gate(Vehicle(places), config=GateConfig.model_validate({**horizontal, "anchor": anchor}))
        assert result.directions == [ENTRY]
        at[anchor] = result.crossings[0].at
    assert at == {"center": pytest.approx(1.0), "bottom_center": pytest.approx(0.5)}


def test_type_and_confidence_are_those_of_the_whole_track() -> None:
    """A wrong label in a few frames does not change the type, and the last confidence is not that of the crossing."""
    mislabelled = Vehicle(
        IN, label=lambda n: "truck" if n in (9, 10, 19) else "car", confidence=lambda n: 0.1 + 0.04 * n
    )
    (crossing,) = run_gate(mislabelled).crossings
    assert crossing.label == "car"
    assert 0.2 < crossing.confidence < 0.6
    steady = Vehicle(IN, confidence=0.7)
    assert run_gate(steady).crossings[0].confidence == pytest.approx(0.7)


@pytest.mark.parametrize("label", ["car", "motorcycle", "bus", "truck"])
def test_vehicles_of_every_type_count_with_that_type(label: str) -> None:
    """Cars, motorcycles, buses and lorries count."""
    size = (50.0, 60.0) if label == "motorcycle" else (100.0, 100.0)
    assert [crossing.label for crossing in run_gate(Vehicle(IN, label=label, size=size)).crossings] == [label]


def test_bicycles_count_only_where_the_configuration_says_so() -> None:
    """They take no slot, so that they are off by default."""
    bicycle: dict[str, Any] = {"label": "bicycle", "size": (50.0, 60.0)}
    refused = run_gate(Vehicle(IN, **bicycle))
    assert (refused.directions, refused.reasons) == ([], {"r-1": [Reason.BICYCLE]})
    counted = run_gate(Vehicle(IN, **bicycle), counting=CountingConfig(bicycles=True))
    assert [crossing.label for crossing in counted.crossings] == ["bicycle"]


@pytest.mark.parametrize("label", ["person", "chair", "skateboard"])
def test_people_and_what_they_push_do_not_count(label: str) -> None:
    """A track that has a person with it all the way and no vehicle's name does not count."""
    walker = Vehicle(IN, label=label, size=(50.0, 90.0), with_person=True)
    result = run_gate(walker)
    assert (result.directions, result.reasons) == ([], {"r-1": [Reason.PERSON]})


def test_a_large_track_that_is_no_person_counts_under_any_label() -> None:
    """The detector calls cars from straight above cell phones: they count under that label."""
    result = run_gate(Vehicle(IN, label="cell phone", confidence=0.3, size=(140.0, 90.0)))
    assert [crossing.label for crossing in result.crossings] == ["cell phone"]
    small = run_gate(Vehicle(IN, label="cell phone", size=(60.0, 60.0), usual_size=UsualSize(150.0, 120.0)))
    assert (small.directions, small.reasons) == ([], {"r-1": [Reason.NO_EVIDENCE]})


def test_too_little_evidence_does_not_count() -> None:
    """The configuration says how much evidence is enough."""
    faint = run_gate(Vehicle(IN, confidence=0.005))
    assert (faint.directions, faint.reasons) == ([], {"r-1": [Reason.NO_EVIDENCE]})
    assert run_gate(Vehicle(IN, confidence=0.005), counting=CountingConfig(least_evidence=0.0)).directions == [ENTRY]


def test_a_crossing_before_the_track_was_confirmed_counts_once_it_is() -> None:
    """It does not count when the track ends before."""
    fast = [430.0, 560.0, 690.0, 820.0]
    assert run_gate(Vehicle(fast)).directions == [ENTRY]
    flash = run_gate(Vehicle(fast[:2]))
    assert (flash.directions, flash.reasons) == ([], {"r-1": [Reason.NOT_CONFIRMED]})


def test_a_past_on_the_other_side_makes_a_crossing() -> None:
    """A vehicle that is detected only beyond the line, but was traced back before it, has crossed."""
    seen_late = steady(560, 760, 12)
    result = run_gate(Vehicle(seen_late, first_frame=8, past=steady(420, 540, 6), past_complete=True))
    assert result.directions == [ENTRY]
    assert result.crossings[0].at == pytest.approx(0.6, abs=0.1)
    assert run_gate(Vehicle(seen_late, first_frame=8, past=steady(550, 556, 6), past_complete=True)).directions == []


def test_a_vehicle_first_seen_just_beyond_the_line_came_across() -> None:
    """At a few frames a second it was not seen before and drives away from the line."""
    fast = Vehicle(steady(540, 1000, 6), first_frame=4)
    result = run_gate(fast, rate=5.0)
    assert result.directions == [ENTRY]
    assert result.reasons == {"r-1": [Reason.CROSSED_UNSEEN]}
    assert 3 / 5 <= result.crossings[0].at <= 4 / 5
    off = MechanismsConfig(unseen_crossing=False)
    assert run_gate(fast, rate=5.0, mechanisms=off).directions == []


@pytest.mark.parametrize(
    "vehicle",
    [
        pytest.param(Vehicle(steady(540, 1000, 6)), id="there from the beginning"),
        pytest.param(Vehicle(steady(800, 1000, 6), first_frame=4), id="too far from the line"),
        pytest.param(Vehicle(standing(540, 6), first_frame=4), id="stands"),
        pytest.param(Vehicle([540.0, 535.0, 530.0, 525.0, 520.0, 516.0], first_frame=4), id="comes towards the line"),
        pytest.param(Vehicle(steady(540, 1000, 6), first_frame=4, past_complete=True), id="its whole past is known"),
        pytest.param(Vehicle(steady(540, 1000, 6), first_frame=4, y=480), id="beside the line's end"),
        pytest.param(Vehicle([540.0, 590.0, 600.0, 560.0, 530.0, 525.0], first_frame=4), id="turns back to the line"),
    ],
)
def test_a_vehicle_first_seen_beyond_the_line_did_not_come_across_otherwise(vehicle: Vehicle) -> None:
    """It may have been there before, or have come from elsewhere."""
    assert run_gate(vehicle, rate=5.0).directions == []


def test_a_crossing_is_decided_after_the_time_to_decide() -> None:
    """Where it is held back it is not decided sooner; at the end of the frames it is decided without waiting."""
    result = run_gate(Vehicle(IN), mechanisms=WITHOUT_EARLY)
    assert result.decided_at[0] - result.crossings[0].at >= COUNTING.decide_seconds
    assert result.decided_at[0] - result.crossings[0].at < COUNTING.decide_seconds + 0.5
    at_once = run_gate(Vehicle(IN), counting=CountingConfig(decide_seconds=0.0), mechanisms=WITHOUT_EARLY)
    assert at_once.decided_at[0] - at_once.crossings[0].at < 0.3
    counting = CountingConfig(decide_seconds=10.0)
    at_the_end = run_gate(Vehicle(IN), counting=counting, mechanisms=WITHOUT_EARLY)
    assert at_the_end.directions == [ENTRY]


def test_a_track_that_ends_is_decided_at_once() -> None:
    """Nothing more will be known of it."""
    places = steady(400, 560, 6)
    result = run_gate(Vehicle(places), counting=CountingConfig(decide_seconds=10.0))
    assert result.decided_at == [pytest.approx(len(places) / 10)]


def test_finish_decides_the_rest() -> None:
    """When there are no more frames, crossings that wait are decided, once."""
    result = run_gate(
        Vehicle(IN), counting=CountingConfig(decide_seconds=10.0), mechanisms=WITHOUT_EARLY, frames=len(IN)
    )
    assert result.decided_at == [math.inf]
    assert result.directions == [ENTRY]
    assert result.reasons == {"r-1": [Reason.CROSSED]}


@pytest.mark.parametrize("decide_seconds", [4.0, 6.0, 9.0])
def test_a_crossing_is_decided_however_long_it_waits(decide_seconds: float) -> None:
    """The vehicle stays in the frame for longer than the time to decide."""
    vehicle, counting = Vehicle([*IN, *[700.0] * 120]), CountingConfig(decide_seconds=decide_seconds)
    result = run_gate(vehicle, counting=counting, mechanisms=WITHOUT_EARLY)
    assert result.directions == [ENTRY]
    assert result.decided_at[0] == pytest.approx(result.crossings[0].at + decide_seconds, abs=0.5)


@given(st.sets(st.integers(0, 59), max_size=18))
@settings(max_examples=60)
def test_dropped_frames_do_not_change_the_count(dropped: set[int]) -> None:
    """In any 30 % of the frames the vehicle is not result, and it counts all the same."""
    places: list[float | None] = [x if n == 0 or n not in dropped else None for n, x in enumerate(steady(200, 800, 60))]
    result = run_gate(Vehicle(places), rate=20.0)
    assert result.directions == [ENTRY]


@pytest.mark.parametrize("scale", [0.32, 0.64, 2.0, 4.0])
def test_the_resolution_does_not_matter(scale: float) -> None:
    """The same scene in another number of pixels has the same crossings at the same times."""
    size = (round(SIZE[0] * scale), round(SIZE[1] * scale))
    places = [300.0, 400.0, 495.0, 505.0, 600.0, 700.0, 600.0, 450.0, 300.0]
    scaled = Vehicle([x * scale for x in places], y=250 * scale, size=(100 * scale, 100 * scale))
    result, plain = run_gate(scaled, size=size), run_gate(Vehicle(places), config=GATE)
    assert result.directions == plain.directions == [ENTRY, EXIT]
    assert [crossing.at for crossing in result.crossings] == pytest.approx(
        [crossing.at for crossing in plain.crossings]
    )

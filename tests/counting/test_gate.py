"""A gate and one vehicle at a time: each case is a way and the crossings that it must make."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ways import COUNTING, ENTRY, EXIT, GATE, SIZE, Vehicle, count, standing, straight

from edge.config.schema import CountingConfig, GateConfig, MechanismsConfig
from edge.core.shapes import Point
from edge.core.tracks import Reason, Usual

if TYPE_CHECKING:
    from edge.core.events import Direction

IN, OUT = straight(300, 700, 20), straight(700, 300, 20)
RATES = [3.0, 5.0, 10.0, 30.0]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("start", "end", "direction"), [(300, 700, ENTRY), (700, 300, EXIT)])
def test_a_vehicle_that_passes_counts_once(start: float, end: float, direction: Direction, rate: float) -> None:
    """Either way and at every frame rate, with the time at which its middle was on the line."""
    found = count(Vehicle(straight(start, end, round(3 * rate))), rate=rate)
    assert found.directions == [direction]
    assert found.crossings[0].at == pytest.approx((3 - 1 / rate) / 2, abs=0.02)
    assert found.reasons == {"r-1": [Reason.CROSSED]}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("way", "expected"),
    [
        pytest.param([(300, 1), (495, 4), (505, 2), (700, 1)], [ENTRY], id="stops on the line"),
        pytest.param([(300, 3), (520, 4), (700, 1)], [ENTRY], id="creeps over it"),
        pytest.param([(300, 2), (504, 2), (300, 2)], [], id="turns round in the band"),
        pytest.param([(300, 2), (640, 2), (300, 2)], [ENTRY, EXIT], id="passes and comes back"),
        pytest.param([(700, 2), (360, 2), (700, 2), (360, 2)], [EXIT, ENTRY, EXIT], id="cannot decide"),
        pytest.param([(300, 5), (301, 5)], [], id="stands before the gate"),
        pytest.param([(300, 2), (420, 9), (420, 2)], [], id="waits before the gate"),
    ],
)
def test_a_way_makes_these_crossings(way: list[tuple[float, float]], expected: list[Direction], rate: float) -> None:
    """The way is told as x and seconds until there; each pass counts once, however long it takes."""
    places = [way[0][0]]
    for (start, _), (end, seconds) in itertools.pairwise(way):
        places += straight(start, end, round(seconds * rate) + 1)[1:]
    found = count(Vehicle(places), rate=rate)
    assert found.directions == expected
    assert [crossing.at for crossing in found.crossings] == sorted(crossing.at for crossing in found.crossings)


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=20), st.sampled_from([0.0, 200.0, -200.0]))
@settings(max_examples=40, deadline=None)
def test_jitter_in_the_dead_band_never_counts(jitter: list[float], approach: float) -> None:
    """A box that trembles about the line makes nothing, whether it came from a side or was there from the beginning."""
    way = standing(500, 40, jitter)
    found = count(Vehicle([500 + approach, *way] if approach else way))
    assert found.directions == []
    assert found.reasons == {"r-1": [Reason.STAYED]}


@pytest.mark.parametrize("seconds", [0.5, 5.0])
@pytest.mark.parametrize("seen_again", [470.0, 560.0])
def test_a_vehicle_that_is_hidden_on_the_line_counts_once(seconds: float, seen_again: float) -> None:
    """A pillar or a lorry before it: it goes on where it is seen again, if the track was kept."""
    hidden = [None] * round(10 * seconds)
    way = [*straight(300, 480, 15), *hidden, *straight(seen_again, 700, 15)]
    found = count(Vehicle(way))
    assert found.directions == [ENTRY]
    assert found.reasons == {"r-1": [Reason.CROSSED]}


def test_a_vehicle_that_is_never_seen_again_has_not_crossed() -> None:
    """Lost before the line."""
    found = count(Vehicle([*straight(300, 440, 15), *[None] * 20]))
    assert found.directions == []
    assert found.reasons == {"r-1": [Reason.NOT_ACROSS]}


@pytest.mark.parametrize("y", [60.0, 450.0])
def test_passing_beside_the_ends_of_the_line_does_not_count(y: float) -> None:
    """The gate ends where the line ends; the verdict says so."""
    found = count(Vehicle(IN, y=y))
    assert found.directions == []
    assert found.reasons == {"r-1": [Reason.BESIDE]}


def test_a_polyline_counts_along_each_of_its_pieces() -> None:
    """A line of three points is crossed at any of its pieces, with one inside; beside its ends it is not."""
    bent = GateConfig(id="g", line=((0.2, 0.2), (0.5, 0.5), (0.2, 0.8)), inside=(0.9, 0.5), floor="F", dead_band=0.1)
    for y in (150.0, 250.0, 350.0):
        assert count(Vehicle(straight(100, 700, 20), y=y), config=bent).directions == [ENTRY]
        assert count(Vehicle(straight(700, 100, 20), y=y), config=bent).directions == [EXIT]
    assert count(Vehicle(straight(100, 700, 20), y=40.0), config=bent).directions == []


def test_a_short_line_that_begins_at_a_wall_is_crossed_in_its_length_only() -> None:
    """A door's width at the left edge of the picture."""
    door = GateConfig(id="g", line=((0.0, 0.5), (0.2, 0.5)), inside=(0.1, 0.9), floor="F", dead_band=0.1)
    for x, expected in ((100.0, [ENTRY]), (400.0, [])):
        way = [Point(x, y) for y in straight(100, 400, 20)]
        assert count(Vehicle(way), config=door).directions == expected


def test_the_bottom_anchor_is_where_the_wheels_stand() -> None:
    """With bottom_center a vehicle crosses a lying line with its lower edge, sooner than with its middle."""
    lying = {"id": "g", "line": ((0.0, 0.5), (1.0, 0.5)), "inside": (0.5, 0.9), "floor": "F"}
    way = [Point(500, y) for y in straight(150, 350, 21)]
    at = {}
    for anchor in ("center", "bottom_center"):
        found = count(Vehicle(way), config=GateConfig.model_validate({**lying, "anchor": anchor}))
        assert found.directions == [ENTRY]
        at[anchor] = found.crossings[0].at
    assert at == {"center": pytest.approx(1.0), "bottom_center": pytest.approx(0.5)}


def test_type_and_confidence_are_voted_over_the_track() -> None:
    """A slip of one frame does not name the vehicle, nor does the last frame's confidence stand for all."""
    slips = Vehicle(IN, label=lambda n: "truck" if n in (9, 10, 19) else "car", confidence=lambda n: 0.1 + 0.04 * n)
    (crossing,) = count(slips).crossings
    assert crossing.label == "car"
    assert 0.2 < crossing.confidence < 0.6
    steady = Vehicle(IN, confidence=0.7)
    assert count(steady).crossings[0].confidence == pytest.approx(0.7)


@pytest.mark.parametrize("label", ["car", "motorcycle", "bus", "truck"])
def test_vehicles_of_every_type_count_as_what_they_are(label: str) -> None:
    """Motorcycles too."""
    size = (50.0, 60.0) if label == "motorcycle" else (100.0, 100.0)
    assert [one.label for one in count(Vehicle(IN, label=label, size=size)).crossings] == [label]


def test_bicycles_count_only_where_the_configuration_says_so() -> None:
    """They take no slot."""
    bicycle = {"label": "bicycle", "size": (50.0, 60.0)}
    refused = count(Vehicle(IN, **bicycle))
    assert (refused.directions, refused.reasons) == ([], {"r-1": [Reason.BICYCLE]})
    counted = count(Vehicle(IN, **bicycle), counting=CountingConfig(bicycles=True))
    assert [one.label for one in counted.crossings] == ["bicycle"]


@pytest.mark.parametrize("label", ["person", "chair", "skateboard"])
def test_people_and_what_they_push_never_count(label: str) -> None:
    """A person, a pram, a trolley: whatever has a person with it all the way and no vehicle's name."""
    walker = Vehicle(IN, label=label, size=(50.0, 90.0), with_person=True)
    found = count(walker)
    assert (found.directions, found.reasons) == ([], {"r-1": [Reason.PERSON]})


def test_what_is_no_person_and_large_enough_counts_whatever_it_is_called() -> None:
    """From straight above the detector calls cars cell phones: they count, as such."""
    found = count(Vehicle(IN, label="cell phone", confidence=0.3, size=(140.0, 90.0)))
    assert [one.label for one in found.crossings] == ["cell phone"]
    small = count(Vehicle(IN, label="cell phone", size=(60.0, 60.0), usual=Usual(150.0, 120.0)))
    assert (small.directions, small.reasons) == ([], {"r-1": [Reason.NO_EVIDENCE]})


def test_too_little_evidence_does_not_count() -> None:
    """A ghost of a box; how sure is sure enough the configuration says."""
    ghost = count(Vehicle(IN, confidence=0.005))
    assert (ghost.directions, ghost.reasons) == ([], {"r-1": [Reason.NO_EVIDENCE]})
    assert count(Vehicle(IN, confidence=0.005), counting=CountingConfig(least_evidence=0.0)).directions == [ENTRY]


def test_what_a_track_did_before_it_was_confirmed_counts_with_it() -> None:
    """Its first places are looked at once it is known for a vehicle, and never when it ends before."""
    quick = [430.0, 560.0, 690.0, 820.0]
    assert count(Vehicle(quick)).directions == [ENTRY]
    flash = count(Vehicle(quick[:2]))
    assert (flash.directions, flash.reasons) == ([], {"r-1": [Reason.NOT_CONFIRMED]})


def test_a_past_on_the_other_side_makes_a_crossing() -> None:
    """Seen only beyond the line, but followed back to where it came from: it came across."""
    seen_late = straight(560, 760, 12)
    found = count(Vehicle(seen_late, first=8, past=straight(420, 540, 6), past_whole=True))
    assert found.directions == [ENTRY]
    assert found.crossings[0].at == pytest.approx(0.6, abs=0.1)
    assert count(Vehicle(seen_late, first=8, past=straight(550, 556, 6), past_whole=True)).directions == []


def test_a_vehicle_first_seen_just_beyond_the_line_came_across() -> None:
    """At a few frames a second: it was nowhere before, and drives away from the line."""
    fast = Vehicle(straight(540, 1000, 6), first=4)
    found = count(fast, rate=5.0)
    assert found.directions == [ENTRY]
    assert found.reasons == {"r-1": [Reason.CAME_ACROSS]}
    assert 3 / 5 <= found.crossings[0].at <= 4 / 5
    off = MechanismsConfig(unseen_crossing=False)
    assert count(fast, rate=5.0, mechanisms=off).directions == []


@pytest.mark.parametrize(
    "vehicle",
    [
        pytest.param(Vehicle(straight(540, 1000, 6)), id="there from the beginning"),
        pytest.param(Vehicle(straight(800, 1000, 6), first=4), id="too far from the line"),
        pytest.param(Vehicle(standing(540, 6), first=4), id="stands"),
        pytest.param(Vehicle([540.0, 535.0, 530.0, 525.0, 520.0, 516.0], first=4), id="comes towards the line"),
        pytest.param(Vehicle(straight(540, 1000, 6), first=4, past_whole=True), id="its whole past is known"),
        pytest.param(Vehicle(straight(540, 1000, 6), first=4, y=480), id="beside the line's end"),
        pytest.param(Vehicle([540.0, 590.0, 600.0, 560.0, 530.0, 525.0], first=4), id="turns to the line again"),
    ],
)
def test_a_vehicle_first_seen_beyond_the_line_did_not_come_across_otherwise(vehicle: Vehicle) -> None:
    """It may have been there before, or come from elsewhere."""
    assert count(vehicle, rate=5.0).directions == []


def test_an_event_is_told_after_the_time_to_decide() -> None:
    """Not sooner, and at the end of the frames without waiting for more."""
    found = count(Vehicle(IN))
    assert found.told[0] - found.crossings[0].at >= COUNTING.decide_seconds
    assert found.told[0] - found.crossings[0].at < COUNTING.decide_seconds + 0.5
    at_once = count(Vehicle(IN), counting=CountingConfig(decide_seconds=0.0))
    assert at_once.told[0] - at_once.crossings[0].at < 0.3
    at_the_end = count(Vehicle(IN), counting=CountingConfig(decide_seconds=10.0))
    assert at_the_end.directions == [ENTRY]


def test_a_track_that_ends_is_decided_at_once() -> None:
    """Nothing more will be known of it."""
    gone = [*straight(400, 560, 6)]
    found = count(Vehicle(gone), counting=CountingConfig(decide_seconds=10.0))
    assert found.told == [pytest.approx(len(gone) / 10)]


def test_finish_decides_the_rest() -> None:
    """No more frames: what waits is told, once."""
    found = count(Vehicle(IN), counting=CountingConfig(decide_seconds=10.0), frames=len(IN))
    assert found.told == [math.inf]
    assert found.directions == [ENTRY]
    assert found.reasons == {"r-1": [Reason.CROSSED]}


@pytest.mark.parametrize("decide_seconds", [4.0, 6.0, 9.0])
def test_however_long_it_waits_a_crossing_is_told(decide_seconds: float) -> None:
    """A vehicle that stays in the picture beyond the time to decide."""
    found = count(Vehicle([*IN, *[700.0] * 120]), counting=CountingConfig(decide_seconds=decide_seconds))
    assert found.directions == [ENTRY]
    assert found.told[0] == pytest.approx(found.crossings[0].at + decide_seconds, abs=0.5)


@given(st.sets(st.integers(0, 59), max_size=18))
@settings(max_examples=60, deadline=None)
def test_frames_that_are_dropped_do_not_change_the_count(dropped: set[int]) -> None:
    """Any 30 % of the frames: the vehicle is not found in them, and passes all the same."""
    way: list[float | None] = [x if n == 0 or n not in dropped else None for n, x in enumerate(straight(200, 800, 60))]
    found = count(Vehicle(way), rate=20.0)
    assert found.directions == [ENTRY]


@pytest.mark.parametrize("scale", [0.32, 0.64, 2.0, 4.0])
def test_the_resolution_does_not_matter(scale: float) -> None:
    """The same scene in another number of pixels makes the same crossings at the same times."""
    size = (round(SIZE[0] * scale), round(SIZE[1] * scale))
    way = [300.0, 400.0, 495.0, 505.0, 600.0, 700.0, 600.0, 450.0, 300.0]
    scaled = Vehicle([x * scale for x in way], y=250 * scale, size=(100 * scale, 100 * scale))
    found, plain = count(scaled, size=size), count(Vehicle(way), config=GATE)
    assert found.directions == plain.directions == [ENTRY, EXIT]
    assert [one.at for one in found.crossings] == pytest.approx([one.at for one in plain.crossings])

"""Tests the path of one track across a line: each case is a list of places and the crossings that they make."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_tracks import ENTRY, EXIT, GATE, SIZE

from edge.core.shapes import Point
from edge.core.tracks import Reason
from edge.counting.crossing_path import CrossingPath, Position
from edge.counting.line import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.events import Direction

BAND = 10.0  # pixels on either side of the line at x = 500: a tenth of a box of 100


def follow(
    places: Sequence[float], *, y: float = 250.0, scale: float = 1.0, times: Sequence[float] | None = None
) -> tuple[list[tuple[Direction, float]], Reason]:
    """The crossings (direction, time) of a box of 100 pixels at the given x, one place a second; and why no more.

    ``scale`` is the number of pixels for each one of ``SIZE``.
    """
    path = CrossingPath(dead_band=0.1)
    line = Line(GATE, (round(SIZE[0] * scale), round(SIZE[1] * scale)))
    crossings = []
    for number, x in enumerate(places):
        at = times[number] if times else float(number)
        crossing = path.add(line, Position(at, Point(x * scale, y * scale), 100 * scale))
        if crossing is not None:
            assert crossing.reason is Reason.CROSSED
            crossings.append((crossing.direction, crossing.at))
    return crossings, path.why_not_crossed


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        pytest.param([300, 400, 600, 700], [(ENTRY, 1.5)], id="in"),
        pytest.param([700, 600, 400, 300], [(EXIT, 1.5)], id="out"),
        pytest.param([400, 480, 520, 600], [(ENTRY, 1.5)], id="in, slowly"),
        pytest.param([400, 505, 495, 505, 495, 505], [], id="jitter inside the band"),
        pytest.param([400, 495, 505, 498, 600], [(ENTRY, 3 + 2 / 102)], id="stops on the line, then goes on"),
        pytest.param([400, 495, 508, 495, 400], [], id="turns back inside the band"),
        pytest.param([400, 600, 400], [(ENTRY, 0.5), (EXIT, 1.5)], id="in and out again"),
        pytest.param([400, 600, 505, 600, 495, 600], [(ENTRY, 0.5)], id="in, then stays near the line"),
        pytest.param([300, 300, 300], [], id="parked"),
        pytest.param([500, 500, 600], [], id="begins on the line: it left no side"),
        pytest.param([495, 480, 520], [(ENTRY, 1.5)], id="begins on the line, backs out, comes in"),
    ],
)
def test_a_path_makes_these_crossings(places: list[float], expected: list[tuple[Direction, float]]) -> None:
    """A crossing needs both sides of the band, in order; its time is when the point was on the line."""
    crossings, _ = follow(places)
    assert [direction for direction, _ in crossings] == [direction for direction, _ in expected]
    assert [at for _, at in crossings] == pytest.approx([at for _, at in expected])


@pytest.mark.parametrize(
    ("places", "reason"),
    [
        ([300, 350, 400], Reason.NOT_CROSSED),
        ([400, 495, 505, 495], Reason.STAYED_IN_BAND),
        ([500, 501], Reason.STAYED_IN_BAND),
        ([400, 495, 508, 495, 400], Reason.TURNED_BACK),
        ([400, 495, 400, 495], Reason.STAYED_IN_BAND),
    ],
)
def test_a_path_without_a_crossing_has_a_reason(places: list[float], reason: Reason) -> None:
    """The reason is that of its last places."""
    assert follow(places) == ([], reason)


@pytest.mark.parametrize("y", [60.0, 450.0])
def test_a_path_beside_the_ends_of_the_line_makes_no_crossing(y: float) -> None:
    """The gate ends where the line ends."""
    assert follow([300, 400, 600, 700], y=y) == ([], Reason.BESIDE_LINE)


def test_after_a_path_round_the_end_the_way_back_through_the_gate_is_a_crossing() -> None:
    """A vehicle that comes in beside the gate and leaves through it makes an exit."""
    path, line = CrossingPath(dead_band=0.1), Line(GATE, SIZE)
    places = [Point(400, 450), Point(600, 450), Point(600, 250), Point(400, 250)]
    crossings = [path.add(line, Position(float(at), place, 100.0)) for at, place in enumerate(places)]
    assert [crossing.direction for crossing in crossings if crossing] == [EXIT]


def test_the_band_is_a_share_of_the_box() -> None:
    """A small box, as of a vehicle far away, need not go as far as a large one."""
    line = Line(GATE, SIZE)
    for size, expected in ((20.0, 1), (400.0, 0)):
        path = CrossingPath(dead_band=0.1)
        crossings = [path.add(line, Position(float(at), Point(x, 250), size)) for at, x in enumerate((450, 480, 520))]
        assert len([crossing for crossing in crossings if crossing]) == expected


def test_a_position_that_is_not_later_than_the_last_is_ignored() -> None:
    """A past that is found out late may overlap with what is known."""
    path, line = CrossingPath(dead_band=0.1), Line(GATE, SIZE)
    assert path.is_empty
    assert path.add(line, Position(1.0, Point(400, 250), 100.0)) is None
    assert path.add(line, Position(1.0, Point(600, 250), 100.0)) is None
    assert path.add(line, Position(0.5, Point(600, 250), 100.0)) is None
    assert not path.is_empty
    assert path.why_not_crossed is Reason.NOT_CROSSED


def test_the_time_of_a_crossing_is_interpolated_between_the_places_about_the_line() -> None:
    """With uneven frames it lies between the last two places about the line, in proportion to their distances."""
    crossings, _ = follow([400, 490, 540], times=[0.0, 7.0, 7.5])
    assert crossings == [(ENTRY, pytest.approx(7.1))]


any_places = st.lists(st.floats(0, 1000), min_size=2, max_size=40)


@given(any_places)
def test_crossings_of_one_track_alternate(places: list[float]) -> None:
    """No track enters twice without an exit between."""
    directions = [direction for direction, _ in follow(places)[0]]
    assert all(a is not b for a, b in itertools.pairwise(directions))


@given(any_places)
def test_a_mirrored_scene_swaps_entries_and_exits(places: list[float]) -> None:
    """Left and right mean nothing but which side is the inside."""
    crossings, mirrored = follow(places)[0], follow([1000 - x for x in places])[0]
    assert [(direction.opposite, at) for direction, at in mirrored] == [(d, pytest.approx(at)) for d, at in crossings]


@given(any_places)
def test_time_reversed_swaps_entries_and_exits(places: list[float]) -> None:
    """A recording played backwards has an exit for each entry."""
    forwards, backwards = follow(places)[0], follow(places[::-1])[0]
    assert [direction.opposite for direction, _ in backwards[::-1]] == [direction for direction, _ in forwards]


@given(any_places)
def test_the_net_count_is_where_the_vehicle_ended_up(places: list[float]) -> None:
    """Entries less exits are 1, 0 or -1, and follow from the first and the last decided side."""
    sides = [1 if x > 500 + BAND else -1 for x in places if abs(x - 500) > BAND]
    net = sum(direction.delta for direction, _ in follow(places)[0])
    assert net == ((sides[-1] - sides[0]) // 2 if sides else 0)


@given(st.lists(st.floats(491, 509), min_size=2, max_size=60), st.sampled_from([300.0, 700.0]))
def test_jitter_inside_the_band_makes_no_crossing(jitter: list[float], start: float) -> None:
    """A box that trembles on the line makes no crossing, whichever side it came from."""
    assert follow([start, *jitter, start])[0] == []


@given(any_places, st.sampled_from([2.0, 0.32, 0.64]))
def test_the_resolution_does_not_matter(places: list[float], scale: float) -> None:
    """The same scene in another number of pixels makes the same crossings."""
    # Exactly on the border of the band rounding may decide either way.
    if all(abs(abs(x - 500) - BAND) > 1e-6 for x in places):
        directions = [direction for direction, _ in follow(places, scale=scale)[0]]
        assert directions == [direction for direction, _ in follow(places)[0]]

"""One track's way about a line: each case is the way of an anchor point and the passes that it must make."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ways import ENTRY, EXIT, GATE, SIZE

from edge.core.shapes import Point
from edge.core.tracks import Reason
from edge.counting.crossing_path import CrossingPath, Position
from edge.counting.line import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.events import Direction

BAND = 10.0  # pixels on either side of the line at x = 500: a tenth of a box of 100


def passes(
    way: Sequence[float], *, y: float = 250.0, scale: float = 1.0, times: Sequence[float] | None = None
) -> tuple[list[tuple[Direction, float]], Reason]:
    """The passes of a box of 100 pixels that is at the given x, one place a second; and the fate of its track.

    ``scale`` is the number of pixels for each one of ``SIZE``.
    """
    passage = CrossingPath(dead_band=0.1)
    line = Line(GATE, (round(SIZE[0] * scale), round(SIZE[1] * scale)))
    found = []
    for number, x in enumerate(way):
        at = times[number] if times else float(number)
        one = passage.add(line, Position(at, Point(x * scale, y * scale), 100 * scale))
        if one is not None:
            assert one.reason is Reason.CROSSED
            found.append((one.direction, one.at))
    return found, passage.why_not_crossed


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        pytest.param([300, 400, 600, 700], [(ENTRY, 1.5)], id="in"),
        pytest.param([700, 600, 400, 300], [(EXIT, 1.5)], id="out"),
        pytest.param([400, 480, 520, 600], [(ENTRY, 1.5)], id="in, slowly"),
        pytest.param([400, 505, 495, 505, 495, 505], [], id="jitter inside the band"),
        pytest.param([400, 495, 505, 498, 600], [(ENTRY, 3 + 2 / 102)], id="stops on the line, then goes on"),
        pytest.param([400, 495, 508, 495, 400], [], id="turns back inside the band"),
        pytest.param([400, 600, 400], [(ENTRY, 0.5), (EXIT, 1.5)], id="in and out again"),
        pytest.param([400, 600, 505, 600, 495, 600], [(ENTRY, 0.5)], id="in, then lingers at the line"),
        pytest.param([300, 300, 300], [], id="parked"),
        pytest.param([500, 500, 600], [], id="begins on the line: no side was ever left"),
        pytest.param([495, 480, 520], [(ENTRY, 1.5)], id="begins on the line, backs out, comes in"),
    ],
)
def test_a_way_makes_these_passes(way: list[float], expected: list[tuple[Direction, float]]) -> None:
    """A pass needs a side left and the other reached; its time is where the point passed the line."""
    found, _ = passes(way)
    assert [direction for direction, _ in found] == [direction for direction, _ in expected]
    assert [at for _, at in found] == pytest.approx([at for _, at in expected])


@pytest.mark.parametrize(
    ("way", "fate"),
    [
        ([300, 350, 400], Reason.NOT_ACROSS),
        ([400, 495, 505, 495], Reason.STAYED),
        ([500, 501], Reason.STAYED),
        ([400, 495, 508, 495, 400], Reason.TURNED_BACK),
        ([400, 495, 400, 495], Reason.STAYED),
    ],
)
def test_what_has_made_no_pass_can_say_why(way: list[float], fate: Reason) -> None:
    """The fate of a track that ends is that of its last places."""
    assert passes(way) == ([], fate)


@pytest.mark.parametrize("y", [60.0, 450.0])
def test_a_way_beside_the_ends_of_the_line_is_no_pass(y: float) -> None:
    """The gate ends where the line ends."""
    assert passes([300, 400, 600, 700], y=y) == ([], Reason.BESIDE)


def test_after_a_way_round_the_end_the_way_back_through_the_gate_counts() -> None:
    """Whoever came in beside the gate and leaves through it has left."""
    passage, line = CrossingPath(dead_band=0.1), Line(GATE, SIZE)
    places = [Point(400, 450), Point(600, 450), Point(600, 250), Point(400, 250)]
    found = [passage.add(line, Position(float(at), place, 100.0)) for at, place in enumerate(places)]
    assert [one.direction for one in found if one] == [EXIT]


def test_the_band_is_a_share_of_the_box() -> None:
    """What is far off, and so small, need not go as far as what is near."""
    line = Line(GATE, SIZE)
    for size, expected in ((20.0, 1), (400.0, 0)):
        passage = CrossingPath(dead_band=0.1)
        found = [passage.add(line, Position(float(at), Point(x, 250), size)) for at, x in enumerate((450, 480, 520))]
        assert len([one for one in found if one]) == expected


def test_the_time_of_a_pass_is_that_of_the_last_time_on_the_line() -> None:
    """Uneven frames: the moment lies between the two places about the line, in proportion to their distances."""
    found, _ = passes([400, 490, 540], times=[0.0, 7.0, 7.5])
    assert found == [(ENTRY, pytest.approx(7.1))]


ways = st.lists(st.floats(0, 1000), min_size=2, max_size=40)


@given(ways)
def test_passes_of_one_track_alternate(way: list[float]) -> None:
    """Nobody comes in twice without going out between."""
    directions = [direction for direction, _ in passes(way)[0]]
    assert all(a is not b for a, b in itertools.pairwise(directions))


@given(ways)
def test_a_mirrored_scene_swaps_entries_and_exits(way: list[float]) -> None:
    """Left and right mean nothing but which side holds the inside."""
    there, back = passes(way)[0], passes([1000 - x for x in way])[0]
    assert [(direction.opposite, at) for direction, at in back] == [(d, pytest.approx(at)) for d, at in there]


@given(ways)
def test_time_reversed_swaps_entries_and_exits(way: list[float]) -> None:
    """A film shown backwards has an exit for each entry."""
    there, back = passes(way)[0], passes(way[::-1])[0]
    assert [direction.opposite for direction, _ in back[::-1]] == [direction for direction, _ in there]


@given(ways)
def test_the_net_count_is_where_the_vehicle_ended_up(way: list[float]) -> None:
    """Whatever the way, entries less exits is 1, 0 or -1, and follows from the first and the last decided side."""
    sides = [1 if x > 500 + BAND else -1 for x in way if abs(x - 500) > BAND]
    net = sum(direction.delta for direction, _ in passes(way)[0])
    assert net == ((sides[-1] - sides[0]) // 2 if sides else 0)


@given(st.lists(st.floats(491, 509), min_size=2, max_size=60), st.sampled_from([300.0, 700.0]))
def test_jitter_inside_the_band_never_counts(jitter: list[float], start: float) -> None:
    """A box that trembles on the line makes nothing, wherever it came from."""
    assert passes([start, *jitter, start])[0] == []


@given(ways, st.sampled_from([2.0, 0.32, 0.64]))
def test_the_resolution_does_not_matter(way: list[float], scale: float) -> None:
    """The same scene in another number of pixels makes the same passes."""
    # Exactly on the border of the band the last bit may fall either way.
    if all(abs(abs(x - 500) - BAND) > 1e-6 for x in way):
        directions = [direction for direction, _ in passes(way, scale=scale)[0]]
        assert directions == [direction for direction, _ in passes(way)[0]]

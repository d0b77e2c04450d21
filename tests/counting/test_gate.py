"""A gate on hand-made trajectories: each case is the way of a box's centre and the crossings it must make."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import GateConfig
from edge.counting.gate import Gate
from edge.records import Box, Direction, Track, TrackState

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZE = (1000, 500)
ENTRY, EXIT = Direction.ENTRY, Direction.EXIT

# The line stands upright in the middle; inside is on the right:
#
#      outside   |   inside
#                |
#  x:  0        500        1000
GATE = GateConfig(id="g", line=((0.5, 0.2), (0.5, 0.8)), inside=(0.9, 0.5), floor="F", dead_band=0.1)


def track(x: float, y: float, at: float, *, state: TrackState = TrackState.CONFIRMED, track_id: str = "r-1") -> Track:
    """A car of 100 x 100 pixels about (x, y): its dead band is 10 pixels on either side of the line."""
    return Track(track_id, state, Box(x - 50, y - 50, x + 50, y + 50), "car", 0.8, at)


def drive(way: Sequence[float], *, y: float = 250, config: GateConfig = GATE) -> list[tuple[Direction, float]]:
    """Crossings of a car whose centre is at the given x, one position a second."""
    gate = Gate(config)
    crossings = []
    for second, x in enumerate(way):
        crossings += gate.update([track(x, y, float(second))], SIZE, float(second))
    return [(crossing.direction, crossing.at) for crossing in crossings]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        pytest.param([300, 400, 600, 700], [(ENTRY, 1.5)], id="in"),
        pytest.param([700, 600, 400, 300], [(EXIT, 1.5)], id="out"),
        pytest.param([400, 505, 495, 505, 495, 505], [], id="jitter inside the band"),
        pytest.param([400, 495, 505, 498, 600], [(ENTRY, 3 + 2 / 102)], id="stops on the line, then goes on"),
        pytest.param([400, 495, 508, 495, 400], [], id="turns back inside the band"),
        pytest.param([400, 600, 400], [(ENTRY, 0.5), (EXIT, 1.5)], id="in and out again"),
        pytest.param([400, 600, 505, 600, 495, 600], [(ENTRY, 0.5)], id="in, then lingers at the line"),
        pytest.param([300, 300, 300], [], id="parked"),
        pytest.param([500, 500, 600], [], id="born on the line: no side was ever left"),
    ],
)
def test_the_way_of_a_car_makes_these_crossings(way: list[float], expected: list[tuple[Direction, float]]) -> None:
    """A crossing needs a side left and the other reached; its time is where the centre passed the line."""
    found = drive(way)
    assert [direction for direction, _ in found] == [direction for direction, _ in expected]
    assert [at for _, at in found] == pytest.approx([at for _, at in expected])


@pytest.mark.parametrize("y", [60.0, 450.0])
def test_passing_beside_the_ends_of_the_line_is_no_crossing(y: float) -> None:
    """The gate ends where the line ends."""
    assert drive([300, 400, 600, 700], y=y) == []


def test_a_polyline_counts_along_each_of_its_pieces() -> None:
    """A line of three points is crossed at any of its pieces, with one inside."""
    bent = GateConfig(id="g", line=((0.2, 0.2), (0.5, 0.5), (0.2, 0.8)), inside=(0.9, 0.5), floor="F")
    for y in (150.0, 250.0, 350.0):
        assert [direction for direction, _ in drive([100, 250, 450, 700], y=y, config=bent)] == [ENTRY]


def test_only_confirmed_tracks_count_and_their_first_steps_count_with_them() -> None:
    """A track that crosses while tentative counts when it is confirmed, and never when it ends before."""
    gate = Gate(GATE)
    assert gate.update([track(400, 250, 0, state=TrackState.TENTATIVE)], SIZE, 0) == []
    assert gate.update([track(600, 250, 1, state=TrackState.TENTATIVE)], SIZE, 1) == []
    (crossing,) = gate.update([track(700, 250, 2)], SIZE, 2)
    assert (crossing.direction, crossing.at) == (ENTRY, pytest.approx(0.5))

    gate.update([track(400, 250, 3, state=TrackState.TENTATIVE, track_id="r-2")], SIZE, 3)
    gate.update([track(600, 250, 4, state=TrackState.TENTATIVE, track_id="r-2")], SIZE, 4)
    assert gate.update([track(600, 250, 4, state=TrackState.ENDED, track_id="r-2")], SIZE, 5) == []


def test_a_lost_track_is_remembered_until_it_ends() -> None:
    """A vehicle that is hidden while it crosses counts when it is seen again; an ended track leaves no memory."""
    gate = Gate(GATE)
    gate.update([track(400, 250, 0)], SIZE, 0)
    assert gate.update([track(400, 250, 0, state=TrackState.LOST)], SIZE, 1) == []
    (crossing,) = gate.update([track(600, 250, 2)], SIZE, 2)
    assert (crossing.direction, crossing.at) == (ENTRY, pytest.approx(1.0))
    gate.update([track(600, 250, 2, state=TrackState.ENDED)], SIZE, 5)
    assert gate.remembered == 0


def test_memory_is_bounded_by_the_living_tracks() -> None:
    """Ten thousand vehicles one after the other leave nothing behind."""
    gate = Gate(GATE)
    crossings = 0
    for number in range(10_000):
        at, name = float(number), f"r-{number}"
        crossings += len(gate.update([track(400, 250, at, track_id=name)], SIZE, at))
        crossings += len(gate.update([track(600, 250, at + 0.3, track_id=name)], SIZE, at + 0.3))
        gate.update([track(600, 250, at + 0.3, track_id=name, state=TrackState.ENDED)], SIZE, at + 0.6)
        assert gate.remembered == 0
    assert crossings == 10_000


def test_the_type_is_the_vehicle_class_that_the_track_was_seen_as_most() -> None:
    """One frame's slip of the detector does not name the vehicle, and a class that is no vehicle never does."""
    gate = Gate(GATE)
    seen = [("boat", 0.9, 300), ("bus", 0.4, 400), ("boat", 0.9, 450), ("truck", 0.3, 600)]
    crossings = []
    for second, (label, confidence, x) in enumerate(seen):
        box = Box(x - 50, 200, x + 50, 300)
        moment = Track("r-1", TrackState.CONFIRMED, box, label, confidence, float(second))
        crossings += gate.update([moment], SIZE, float(second))
    assert [(crossing.label, crossing.confidence) for crossing in crossings] == [("bus", pytest.approx(0.4))]


def test_the_bottom_anchor_is_where_the_wheels_stand() -> None:
    """With bottom_center a tall vehicle crosses a lying line with its lower edge, sooner than with its middle."""
    lying = ((0.0, 0.5), (1.0, 0.5))
    for anchor, expected in (("center", 2.5), ("bottom_center", 25 / 30)):
        gate = Gate(
            GateConfig.model_validate({"id": "g", "line": lying, "inside": (0.5, 0.9), "floor": "F", "anchor": anchor})
        )
        crossings = []
        for second in range(6):
            y = 175 + 30 * second
            crossings += gate.update([track(500, y + 0.0, float(second))], SIZE, float(second))
        assert [crossing.at for crossing in crossings] == [pytest.approx(expected)]


ways = st.lists(st.floats(0, 1000), min_size=2, max_size=40)


@given(ways)
def test_crossings_of_one_track_alternate(way: list[float]) -> None:
    """Nobody comes in twice without going out between."""
    directions = [direction for direction, _ in drive(way)]
    assert all(a is not b for a, b in itertools.pairwise(directions))


@given(ways)
def test_a_mirrored_scene_swaps_entries_and_exits(way: list[float]) -> None:
    """Left and right mean nothing but which side holds the inside."""
    there = drive(way)
    mirrored = drive([1000 - x for x in way])
    assert [(direction.opposite, at) for direction, at in mirrored] == [(d, pytest.approx(at)) for d, at in there]


@given(ways)
def test_the_net_count_is_where_the_vehicle_ended_up(way: list[float]) -> None:
    """Whatever the way, entries less exits is 1, 0 or -1, and follows from the first and the last decided side."""
    sides = [1 if x > 510 else -1 for x in way if abs(x - 500) > 10]
    net = sum(direction.delta for direction, _ in drive(way))
    assert net == ((sides[-1] - sides[0]) // 2 if sides else 0)


@given(st.lists(st.floats(491, 509), min_size=2, max_size=60), st.sampled_from([300.0, 700.0]))
def test_jitter_inside_the_band_never_counts(jitter: list[float], start: float) -> None:
    """A box that trembles on the line makes nothing, wherever it came from."""
    assert drive([start, *jitter, start]) == []


@given(ways, st.sampled_from([(2000, 1000), (320, 160), (640, 320)]))
def test_the_resolution_does_not_matter(way: list[float], size: tuple[int, int]) -> None:
    """The same scene in another number of pixels makes the same crossings."""
    scale = size[0] / SIZE[0]
    gate = Gate(GATE)
    crossings = []
    for second, x in enumerate(way):
        box = Box(*(value * scale for value in (x - 50, 200.0, x + 50, 300.0)))
        crossings += gate.update(
            [Track("r-1", TrackState.CONFIRMED, box, "car", 0.8, float(second))], size, float(second)
        )
    # Exactly on the border of the band the last bit may fall either way.
    if all(abs(abs(x - 500) - 10) > 1e-6 for x in way):
        assert [crossing.direction for crossing in crossings] == [direction for direction, _ in drive(way)]


@given(ways, ways)
def test_the_order_of_two_vehicles_does_not_matter(one: list[float], other: list[float]) -> None:
    """Two tracks of a frame may come in either order."""
    found = []
    for swap in (False, True):
        gate = Gate(GATE)
        crossings = []
        for second, (x1, x2) in enumerate(zip(one, other, strict=False)):
            tracks = [track(x1, 200, float(second), track_id="r-1"), track(x2, 300, float(second), track_id="r-2")]
            crossings += gate.update(tracks[::-1] if swap else tracks, SIZE, float(second))
        found.append(sorted((crossing.at, crossing.track_id, crossing.direction) for crossing in crossings))
    assert found[0] == found[1]

"""What holds for any way of any vehicle: the laws of counting."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted import SIZE as PICTURE
from support.scripted import Scripted, Thing, going
from support.ways import COUNTING, ENTRY, EXIT, MECHANISMS, Vehicle, count

from edge.config.schema import GateConfig, TrackerConfig
from edge.counting.gate import Gate
from edge.tracking.tracker import Tracker

CAR = (100.0, 60.0)
# Whole pixels and a quarter are on neither border of the dead band, where the last bit would decide.
ways = st.lists(st.integers(0, 1000).map(lambda x: x + 0.25), min_size=3, max_size=30)


@given(ways, st.sampled_from([3.0, 5.0, 10.0, 30.0]))
@settings(max_examples=100, deadline=None)
def test_crossings_of_one_track_alternate(way: list[float], rate: float) -> None:
    """Who went in must come out before it can go in again."""
    directions = count(Vehicle(way, size=CAR, past_whole=True), rate=rate).directions
    assert all(one is not other for one, other in pairwise(directions))


@given(ways, st.sampled_from([5.0, 10.0, 30.0]))
@settings(max_examples=100, deadline=None)
def test_time_reversed_swaps_entries_and_exits(way: list[float], rate: float) -> None:
    """The same film backwards shows the opposite crossings in the opposite order."""
    forwards = count(Vehicle(way, size=CAR, past_whole=True), rate=rate).directions
    backwards = count(Vehicle(way[::-1], size=CAR, past_whole=True), rate=rate).directions
    assert [one.opposite for one in backwards[::-1]] == forwards


@given(ways, st.floats(0.3, 5.0))
@settings(max_examples=60, deadline=None)
def test_the_number_of_pixels_does_not_matter(way: list[float], scale: float) -> None:
    """A camera of another resolution counts the same."""
    plain = count(Vehicle(way, size=CAR, past_whole=True))
    scaled = Vehicle([x * scale for x in way], y=250 * scale, size=(100 * scale, 60 * scale), past_whole=True)
    size = (1000 * scale, 500 * scale)
    assert count(scaled, size=size).directions == plain.directions  # type: ignore[arg-type]


@given(st.sets(st.integers(2, 57), max_size=17), st.booleans())
@settings(max_examples=25, deadline=None)
def test_any_frames_may_be_missing(dropped: set[int], flow: bool) -> None:
    """Three frames of ten at most never arrive: two well separated vehicles are two, to the tracker and the gate."""
    gate = GateConfig(id="g", line=((0.5, 0.05), (0.5, 0.95)), inside=(0.9, 0.5), floor="F")
    scene = Scripted([Thing(going(60.0, 170.0, 100.0)), Thing(going(580.0, -170.0, 280.0))], flow=flow)
    tracker, counter = Tracker(TrackerConfig(), MECHANISMS, "run", [gate.line]), Gate(gate, COUNTING, MECHANISMS)
    found = []
    for at in (number / 20 for number in range(60) if number not in dropped):
        found += counter.update(tracker.update(scene.observe(at), at), PICTURE, at)
    found += counter.finish()
    assert sorted(one.direction for one in found) == [ENTRY, EXIT]

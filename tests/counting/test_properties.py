"""Tests laws of counting that hold for any path of any vehicle."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted import SIZE as PICTURE
from support.scripted import SceneObject, ScriptedScene, straight
from support.scripted_tracks import COUNTING, ENTRY, EXIT, MECHANISMS, Vehicle, run_gate

from edge.config.schema import GateConfig, TrackerConfig
from edge.counting.gate import Gate
from edge.tracking.tracker import Tracker

CAR = (100.0, 60.0)
# Whole pixels and a quarter are on neither border of the dead band, where rounding would decide.
any_places = st.lists(st.integers(0, 1000).map(lambda x: x + 0.25), min_size=3, max_size=30)


@given(any_places, st.sampled_from([3.0, 5.0, 10.0, 30.0]))
@settings(max_examples=100)
def test_crossings_of_one_track_alternate(places: list[float], rate: float) -> None:
    """A vehicle that entered must exit before it can enter again."""
    directions = run_gate(Vehicle(places, size=CAR, past_complete=True), rate=rate).directions
    assert all(direction is not following for direction, following in pairwise(directions))


@given(any_places, st.sampled_from([5.0, 10.0, 30.0]))
@settings(max_examples=100)
def test_time_reversed_swaps_entries_and_exits(places: list[float], rate: float) -> None:
    """The same recording backwards shows the opposite crossings in the opposite order."""
    forwards = run_gate(Vehicle(places, size=CAR, past_complete=True), rate=rate).directions
    backwards = run_gate(Vehicle(places[::-1], size=CAR, past_complete=True), rate=rate).directions
    assert [direction.opposite for direction in backwards[::-1]] == forwards


@given(any_places, st.floats(0.3, 5.0))
@settings(max_examples=60)
def test_the_number_of_pixels_does_not_matter(places: list[float], scale: float) -> None:
    """A camera of another resolution counts the same."""
    plain = run_gate(Vehicle(places, size=CAR, past_complete=True))
    scaled = Vehicle([x * scale for x in places], y=250 * scale, size=(100 * scale, 60 * scale), past_complete=True)
    size = (1000 * scale, 500 * scale)
    assert run_gate(scaled, size=size).directions == plain.directions  # type: ignore[arg-type]


@given(st.sets(st.integers(2, 57), max_size=17), st.booleans())
@settings(max_examples=25)
def test_any_frames_may_be_missing(dropped: set[int], flow: bool) -> None:
    """Up to three frames of ten are missing: tracker and gate still count two well separated vehicles as two."""
    gate = GateConfig(id="g", line=((0.5, 0.05), (0.5, 0.95)), inside=(0.9, 0.5), floor="F")
    scene = ScriptedScene(
        [SceneObject(straight(60.0, 170.0, 100.0)), SceneObject(straight(580.0, -170.0, 280.0))], flow=flow
    )
    tracker, counter = Tracker(TrackerConfig(), MECHANISMS, "run", [gate.line]), Gate(gate, COUNTING, MECHANISMS)
    crossings = []
    for at in (number / 20 for number in range(60) if number not in dropped):
        crossings += counter.update(tracker.update(scene.observe(at), at), PICTURE, at)
    crossings += counter.finish()
    assert sorted(crossing.direction for crossing in crossings) == [ENTRY, EXIT]

"""Tests of what a track collects: evidence, the usual size, time with people, its label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.scripted import SceneObject, ScriptedScene, frame_times, last_states, run_tracker, straight

from edge.core.tracks import TrackState

if TYPE_CHECKING:
    from edge.core.tracks import Evidence

RATES = [5.0, 10.0, 30.0]


def evidence_of(item: SceneObject, rate: float, seconds: float = 2.0) -> Evidence:
    """The evidence of the only track of a scene at its end."""
    (track,) = last_states(run_tracker(ScriptedScene([item]), frame_times(seconds, rate))).values()
    return track.evidence


@pytest.mark.parametrize("rate", RATES)
def test_evidence_is_the_same_at_every_frame_rate(rate: float) -> None:
    """It is counted in seconds: two seconds at confidence 0.8; the path is in pixels."""
    shown = evidence_of(SceneObject(straight(100, 150)), rate)
    assert shown.seconds == pytest.approx(2.0, abs=0.25)
    assert shown.votes == {"car": pytest.approx(1.6, abs=0.2)}
    assert shown.path_length == pytest.approx(300, rel=0.1)
    assert shown.sightings == round(2 * rate) + 1
    assert shown.best_confidence == 0.8


def test_a_sighting_stands_for_a_fifth_of_a_second_at_most() -> None:
    """At one frame a second the vehicle was not seen all the time."""
    slow = evidence_of(SceneObject(straight(100, 60)), 1.0, 4.0)
    assert slow.seconds <= 5 * 0.2 + 1e-9


def test_the_peak_fades_with_time() -> None:
    """Weak sightings over seconds do not add up to the peak of sure ones."""
    good = evidence_of(SceneObject(straight(100, 100)), 10.0)
    rare = evidence_of(SceneObject(straight(200, 20), confidence=0.1), 10.0, 10.0)
    assert sum(rare.votes.values()) > 0.4 * sum(good.votes.values())
    assert rare.peak < 0.25 * good.peak
    assert good.peak <= sum(good.votes.values())


@pytest.mark.parametrize("rate", RATES)
def test_the_time_with_a_person_is_counted(rate: float) -> None:
    """All the time of a trolley that is pushed; little of that of a car that a person walks past."""
    trolley = SceneObject(straight(100, 60), size=(50.0, 60.0), label="chair", confidence=0.5)
    pusher = SceneObject(straight(85, 60, y=190), size=(40.0, 110.0), label="person", confidence=0.8, is_solid=False)
    walker = SceneObject(straight(600, -150, y=300), size=(30.0, 80.0), label="person", confidence=0.8)
    passing = SceneObject(straight(300, 60, y=220))
    found = last_states(run_tracker(ScriptedScene([trolley, pusher, passing, walker]), frame_times(2.0, rate)))
    shown = {track.label: track.evidence for track in found.values()}
    assert shown["chair"].person_seconds > 0.8 * shown["chair"].seconds
    assert shown["car"].person_seconds < 0.3 * shown["car"].seconds
    assert "person" not in shown


def test_a_track_carries_the_usual_size_at_its_place() -> None:
    """Once the camera has seen enough vehicles, and also where the track is no vehicle."""
    cars = [SceneObject(straight(80 + 40 * n, 30, y=70 + 110 * (n % 3)), size=(90.0, 50.0)) for n in range(3)]
    trolley = SceneObject(straight(400, 20, y=200), size=(30.0, 30.0), label="chair", confidence=0.5)
    found = run_tracker(ScriptedScene([*cars, trolley]), frame_times(2.0, 10.0))
    assert all(track.usual_size.width is None for track in found[0][1])
    usual = next(track.usual_size for track in found[-1][1] if track.label == "chair")
    assert usual.width == pytest.approx(90, rel=0.15)
    assert usual.height == pytest.approx(50, rel=0.15)


def test_the_label_is_the_last_sightings_and_votes_are_those_of_all() -> None:
    """A van is called a car first and a truck in the end."""
    van = SceneObject(straight(100, 100), is_detected=lambda at: at <= 1.0)
    truck = SceneObject(straight(100, 100), label="truck", is_detected=lambda at: at > 1.0, is_solid=False)
    found = run_tracker(ScriptedScene([van, truck]), frame_times(2.0, 10.0))
    (track,) = [track for track in last_states(found).values() if track.state is TrackState.CONFIRMED]
    assert track.track_id == "run-1"
    assert track.label == "truck"
    assert track.evidence.votes["car"] == pytest.approx(0.8, abs=0.2)
    assert track.evidence.votes["truck"] == pytest.approx(0.8, abs=0.2)

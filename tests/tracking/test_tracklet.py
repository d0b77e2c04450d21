"""What a track knows of itself: evidence, usual sizes, people about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.scripted import Scripted, Thing, follow, going, times

from edge.core.tracks import TrackState

if TYPE_CHECKING:
    from edge.core.tracks import Evidence, Track

RATES = [5.0, 10.0, 30.0]


def tracks_of(found: list[tuple[float, list[Track]]]) -> dict[str, Track]:
    """Each track as it was told last."""
    return {track.track_id: track for _, tracks in found for track in tracks}


def evidence(thing: Thing, rate: float, seconds: float = 2.0) -> Evidence:
    """What the one track of a scene has shown at its end."""
    (track,) = tracks_of(follow(Scripted([thing]), times(seconds, rate))).values()
    return track.evidence


@pytest.mark.parametrize("rate", RATES)
def test_evidence_is_in_seconds_and_so_the_same_at_every_frame_rate(rate: float) -> None:
    """Two seconds of confidence 0.8; the path in pixels."""
    shown = evidence(Thing(going(100, 150)), rate)
    assert shown.seconds == pytest.approx(2.0, abs=0.25)
    assert shown.votes == {"car": pytest.approx(1.6, abs=0.2)}
    assert shown.path == pytest.approx(300, rel=0.1)
    assert shown.sightings == round(2 * rate) + 1
    assert shown.best == 0.8


def test_one_look_stands_for_a_fifth_of_a_second_at_most() -> None:
    """At a frame a second the detector has not seen the vehicle all the time."""
    slow = evidence(Thing(going(100, 60)), 1.0, 4.0)
    assert slow.seconds <= 5 * 0.2 + 1e-9


def test_the_peak_fades_with_time() -> None:
    """Seconds of weak flashes do not add up to what one good look is."""
    good = evidence(Thing(going(100, 100)), 10.0)
    rare = evidence(Thing(going(200, 20), confidence=0.1), 10.0, 10.0)
    assert sum(rare.votes.values()) > 0.4 * sum(good.votes.values())
    assert rare.peak < 0.25 * good.peak
    assert good.peak <= sum(good.votes.values())


@pytest.mark.parametrize("rate", RATES)
def test_the_time_with_a_person_is_noted(rate: float) -> None:
    """A trolley that is pushed, all the way; a car that somebody passes by, hardly."""
    trolley = Thing(going(100, 60), size=(50.0, 60.0), label="chair", confidence=0.5)
    pusher = Thing(going(85, 60, y=190), size=(40.0, 110.0), label="person", confidence=0.8, is_solid=False)
    walker = Thing(going(600, -150, y=300), size=(30.0, 80.0), label="person", confidence=0.8)
    passing = Thing(going(300, 60, y=220))
    found = tracks_of(follow(Scripted([trolley, pusher, passing, walker]), times(2.0, rate)))
    shown = {track.label: track.evidence for track in found.values()}
    assert shown["chair"].person_seconds > 0.8 * shown["chair"].seconds
    assert shown["car"].person_seconds < 0.3 * shown["car"].seconds
    assert "person" not in shown


def test_what_is_usual_at_its_place_comes_with_a_track() -> None:
    """Once the camera has seen enough vehicles, also with the track of something that is none."""
    cars = [Thing(going(80 + 40 * n, 30, y=70 + 110 * (n % 3)), size=(90.0, 50.0)) for n in range(3)]
    trolley = Thing(going(400, 20, y=200), size=(30.0, 30.0), label="chair", confidence=0.5)
    found = follow(Scripted([*cars, trolley]), times(2.0, 10.0))
    assert all(track.usual.width is None for track in found[0][1])
    usual = next(track.usual for track in found[-1][1] if track.label == "chair")
    assert usual.width == pytest.approx(90, rel=0.15)
    assert usual.height == pytest.approx(50, rel=0.15)


def test_the_name_of_a_track_is_the_last_ones_and_the_votes_are_of_all() -> None:
    """A van that is a truck in the end."""
    van = Thing(going(100, 100), found=lambda at: at <= 1.0)
    truck = Thing(going(100, 100), label="truck", found=lambda at: at > 1.0, is_solid=False)
    found = follow(Scripted([van, truck]), times(2.0, 10.0))
    (track,) = [track for track in tracks_of(found).values() if track.state is TrackState.CONFIRMED]
    assert track.track_id == "run-1"
    assert track.label == "truck"
    assert track.evidence.votes["car"] == pytest.approx(0.8, abs=0.2)
    assert track.evidence.votes["truck"] == pytest.approx(0.8, abs=0.2)
